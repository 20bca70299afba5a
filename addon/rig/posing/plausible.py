# SPDX-License-Identifier: GPL-3.0-or-later
"""The pose of a rig as the core judges and repairs it: which joints are to blame, what a repair changes."""

from functools import lru_cache
from pathlib import Path

import bpy
import numpy as np

from ....vendor_core.body import load_body
from ....vendor_core.ik.balls import BodyBalls, body_balls, default_balls
from ....vendor_core.ik.untangle import untangle
from ....vendor_core.prior import AutoEncoder
from ....vendor_core.prior.plausibility import Plausibility
from ....vendor_core.prior.repair import blame
from ....vendor_core.rotations import exp_so3, log_so3
from ....vendor_core.skeleton import BODY_JOINTS, N_BODY
from ...pose_check import PoseCheck, pose_mark
from ..convert import BonePose, Pose, Rig, to_bones
from ..shape import current_betas

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


def limbs_moved_out(
    obj: bpy.types.Object, prior: AutoEncoder, R: np.ndarray, kept: np.ndarray, amount: float
) -> np.ndarray:
    """A pose R (22, 3, 3) with limbs moved out of the body as far as amount says, 0 to 1; as it is on a foreign rig.

    Args:
        obj: the armature.
        prior: says where limbs may go.
        R: rotations relative to the parents, the root first.
        kept: (21,) bool, joints that do not turn.
        amount: 1 for all the way.
    """
    balls = _balls_of(obj)
    if balls is None:
        return R
    out = untangle(balls, prior, R[None], np.concatenate([[True], kept]))[0]
    turned = (out != R).any(axis=(-1, -2))
    turn = log_so3(np.swapaxes(R, -1, -2) @ out)
    return np.where(turned[:, None, None], R @ exp_so3(amount * turn), R)


def _balls_of(obj: bpy.types.Object) -> BodyBalls | None:
    """The balls of a body that Poise made, in its shape; None for other rigs, and where the body's file is gone."""
    source = obj.get("poise_body")
    if source is None or (source != "default" and not Path(source).is_file()):
        return None
    balls = default_balls() if source == "default" else _balls_of_file(source)
    return balls.with_betas(current_betas(obj)[: balls.points.shape_dirs.shape[-1]])


@lru_cache(maxsize=1)
def _balls_of_file(path: str) -> BodyBalls:
    return body_balls(load_body(path))
