# SPDX-License-Identifier: Apache-2.0
"""The joint regressor: each joint as a convex blend of vertices that follows every shape and no expression."""

import numpy as np
from scipy.optimize import nnls
from scipy.spatial import KDTree

from vendor_core.skeleton import JOINTS, MIRROR

_CANDIDATES = 240


def joint_regressor(
    template: np.ndarray, shapes: np.ndarray, expressions: np.ndarray, joints: np.ndarray, joint_shapes: np.ndarray,
    mirror: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Regressor (55, V), non-negative rows that sum to one, the right side the mirror image of the left.

    Args:
        template: (V, 3); shapes: (n, V, 3) a unit; expressions: (e, V, 3), which must not move a joint.
        joints: (55, 3) of the template; joint_shapes: (n, 55, 3), how they move with each shape.
        mirror: (V,) index of each vertex's mirror image.
    """
    regressor = np.zeros((len(JOINTS), len(template)))
    for joint, name in enumerate(JOINTS):
        if name.startswith("right_"):
            continue
        near = _candidates(template, joints[joint])
        if not name.startswith("left_"):
            near = np.union1d(near, mirror[near])
        blocks = [100 * (template[near] - joints[joint]).T]
        blocks += [100 * (shape[near] - moved[joint]).T for shape, moved in zip(shapes, joint_shapes, strict=True)]
        blocks += [10 * face[near].T for face in expressions]
        blocks += [100 * np.ones((1, len(near))), 0.02 * np.eye(len(near))]
        wanted = np.zeros(sum(len(block) for block in blocks))
        wanted[-len(near) - 1] = 100
        share, _ = nnls(np.concatenate(blocks), wanted, maxiter=50 * len(near))
        regressor[joint, near] = share
    for joint, other in enumerate(MIRROR):
        if JOINTS[joint].startswith("right_"):
            regressor[joint] = regressor[other][mirror]
        elif other == joint:
            regressor[joint] = 0.5 * (regressor[joint] + regressor[joint][mirror])
    return regressor / regressor.sum(1, keepdims=True)


def _candidates(template: np.ndarray, joint: np.ndarray) -> np.ndarray:
    """Vertices all around a joint: the nearest, and beyond them every few up to twice as far."""
    distance, near = KDTree(template).query(joint, k=6 * _CANDIDATES)
    near = np.asarray(near)
    ring = near[distance < 2.2 * distance[_CANDIDATES // 2]]
    return np.unique(np.r_[near[:_CANDIDATES], ring[:: max(1, len(ring) // _CANDIDATES)]])
