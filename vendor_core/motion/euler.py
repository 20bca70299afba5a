# SPDX-License-Identifier: Apache-2.0
"""Rotations about axes in turn, as BVH files have them."""

import numpy as np

_AXES = "XYZ"


def euler_to_matrix(angles: np.ndarray, axes: str) -> np.ndarray:
    """Rotations (..., 3, 3) that turn by angles (..., n) radians about n axes, for instance "ZXY": `Rz Rx Ry`."""
    R = np.broadcast_to(np.eye(3), (*angles.shape[:-1], 3, 3))
    for i, axis in enumerate(axes):
        R = R @ _about(_AXES.index(axis), angles[..., i])
    return R


def matrix_to_zxy(R: np.ndarray) -> np.ndarray:
    """Angles (F, J, 3) radians with `R = Rz Rx Ry` of rotations (F, J, 3, 3), without jumps from frame to frame.

    Of the two sets of angles that mean a rotation, the one nearest to the frame before is taken; where X is turned by a
    right angle, Y stays zero.
    """
    x = np.arcsin(np.clip(R[..., 2, 1], -1, 1))
    locked = np.hypot(R[..., 0, 1], R[..., 1, 1]) < 1e-9
    z = np.where(locked, np.arctan2(R[..., 1, 0], R[..., 0, 0]), np.arctan2(-R[..., 0, 1], R[..., 1, 1]))
    y = np.where(locked, 0.0, np.arctan2(-R[..., 2, 0], R[..., 2, 2]))
    angles = np.stack([z, x, y], axis=-1)
    others = np.stack([z + np.pi, np.pi - x, y + np.pi], axis=-1)
    for f in range(1, len(angles)):
        near, other = (a[f] + 2 * np.pi * np.round((angles[f - 1] - a[f]) / (2 * np.pi)) for a in (angles, others))
        far = np.abs(near - angles[f - 1]).sum(-1) > np.abs(other - angles[f - 1]).sum(-1)
        angles[f] = np.where(far[:, None], other, near)
    return angles


def _about(axis: int, angle: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) by angles (...) about one axis."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    R = np.zeros((*angle.shape, 3, 3))
    R[..., axis, axis] = 1
    R[..., i, i] = R[..., j, j] = np.cos(angle)
    R[..., j, i], R[..., i, j] = np.sin(angle), -np.sin(angle)
    return R
