# SPDX-License-Identifier: Apache-2.0
"""Mirror images of poses: left becomes right."""

import numpy as np

from ..skeleton import MIRROR

_X = np.array([-1.0, 1.0, 1.0])
"""The reflection at a joint's own sagittal plane: SMPL's X axis points to the left in every joint."""
MIRROR_SIGNS = np.outer(_X, _X)
"""What it multiplies the entries of a rotation by."""


def mirrored(R_local: np.ndarray, left_world: np.ndarray) -> np.ndarray:
    """The mirror image of poses, at a plane in the world.

    The reflection M of space takes a rotation R to M R M; joints change sides, and the root is reflected at the plane
    in the world instead of its own.

    Args:
        R_local: (F, J, 3, 3) rotations relative to the parents, J the first joints of `JOINTS`, the root's in the
            world first.
        left_world: (F, 3) unit normals of the planes, for instance where each body's left is.

    Returns:
        (F, J, 3, 3); whose pelvis lies in the plane keeps its place.
    """
    swapped = [MIRROR[j] for j in range(R_local.shape[1])]
    R = R_local[:, swapped] * MIRROR_SIGNS
    plane = np.eye(3) - 2 * left_world[:, :, None] * left_world[:, None, :]
    R[:, 0] = plane @ R_local[:, 0] * _X
    return R
