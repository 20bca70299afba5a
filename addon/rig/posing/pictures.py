# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of a rig's poses."""

import numpy as np

from ....vendor_core.body.thumbnails import thumbnails
from ....vendor_core.rotations import Y_UP_TO_Z_UP
from ..convert import Pose


def pictures_of(poses: Pose, size: int = 128, axes: np.ndarray = Y_UP_TO_Z_UP) -> np.ndarray:
    """Pictures (F, size, size, 4) of poses as `thumbnails` draws them.

    Args:
        poses: in the world, or in an armature's own space.
        size: pixels along each side.
        axes: (3, 3) the world's, or the armature's, axes of SMPL's.
    """
    R_local = poses.R_local.copy()
    R_local[:, 0] = axes.T @ R_local[:, 0]
    return thumbnails(R_local, size)
