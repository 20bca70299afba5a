# SPDX-License-Identifier: GPL-3.0-or-later
"""The pose of a rig as the core judges and repairs it: which joints are to blame, what a repair changes."""

import bpy
import numpy as np

from ....vendor_core.prior.plausibility import Plausibility
from ....vendor_core.prior.repair import blame
from ....vendor_core.skeleton import BODY_JOINTS, N_BODY
from ...pose_check import PoseCheck, pose_mark
from ..convert import BonePose, Pose, Rig, to_bones

_NAMED = 3  # joints at most that are named as to blame


def checked_pose(obj: bpy.types.Object, frame: float, plausibility: Plausibility, R: np.ndarray) -> PoseCheck:
    """What the core says of the pose R (21, 3, 3) that a rig shows at a frame."""
    return judged_pose(obj, frame, plausibility, R)[0]


def judged_pose(
    obj: bpy.types.Object, frame: float, plausibility: Plausibility, R: np.ndarray
) -> tuple[PoseCheck, np.ndarray]:
    """`checked_pose`, and how much each joint is to blame (21,)."""
    score, of_joints = plausibility.scores(R)
    guilt = blame(plausibility, R)
    order = np.lexsort((of_joints, -guilt))[:_NAMED]
    blamed = tuple((BODY_JOINTS[1 + j], float(of_joints[j])) for j in order if guilt[j] > 0)
    return PoseCheck(float(score), blamed, frame, pose_mark(obj)), guilt


def bones_of_change(rig: Rig, before: Pose, after: Pose) -> BonePose:
    """What to write onto the bones of those body joints that turn from one pose to another (one frame each): all others
    then keep their channels to the bit.
    """
    turned = (after.R_local[0, :N_BODY] != before.R_local[0, :N_BODY]).any(axis=(-1, -2))
    all_bones = to_bones(rig, after, hands=False)
    names = tuple(name for name, turns in zip(all_bones.bones, turned, strict=True) if turns)
    return BonePose(names, all_bones.quaternions[:, turned], None)
