# SPDX-License-Identifier: GPL-3.0-or-later
"""The mirror image of a pose in Blender's world, whole or of one side."""

import numpy as np

from ....vendor_core.motion.mirror import mirrored
from ....vendor_core.skeleton import JOINTS
from ..convert import Pose

_REPLACED = {"LEFT": "right_", "RIGHT": "left_"}  # the side that is replaced, by the side that is given to it
_LYING = 0.5  # of the pelvis' left axis, as long as 1, as seen from above: below, the body lies on a side


def mirrored_pose(pose: Pose, side: str) -> Pose:
    """A pose mirrored at the vertical plane through the pelvis that parts the body's left from its right.

    Args:
        pose: F frames, in the world.
        side: "SWAP" both, or give the "LEFT" side to the right, or the "RIGHT" one to the left.
    """
    R = mirrored(pose.R_local, _level_left(pose.R_local[:, 0]))
    if side != "SWAP":
        kept = np.array([not name.startswith(_REPLACED[side]) for name in JOINTS])
        R[:, kept] = pose.R_local[:, kept]
    return Pose(R, pose.trans)


def _level_left(R_root: np.ndarray) -> np.ndarray:
    """Level unit directions (F, 3) to the left of bodies whose roots are turned to (F, 3, 3); of a body that lies on a
    side, across the line from its feet to its head.
    """
    left, up = R_root[:, :, 0], R_root[:, :, 1]
    across = np.stack([-up[:, 1], up[:, 0], np.zeros(len(up))], axis=1)
    lies = np.hypot(left[:, 0], left[:, 1]) < _LYING
    level = np.where(lies[:, None], across, left * (1, 1, 0))
    return level / np.linalg.norm(level, axis=1, keepdims=True)
