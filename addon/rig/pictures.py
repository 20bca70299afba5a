# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of a rig's poses."""

import numpy as np

from ...vendor_core.body.thumbnails import thumbnails
from .convert import Y_UP_TO_Z_UP, Pose


def pictures_of(poses: Pose, size: int = 128) -> np.ndarray:
    """Pictures (F, size, size, 4) of poses in the world, as `thumbnails` draws them."""
    R_local = poses.R_local.copy()
    R_local[:, 0] = Y_UP_TO_Z_UP.T @ R_local[:, 0]
    return thumbnails(R_local, size)
