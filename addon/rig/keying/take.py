# SPDX-License-Identifier: GPL-3.0-or-later
"""A solved take on a rig: keys in a new action."""

from dataclasses import dataclass, replace

import bpy
import numpy as np

from ....vendor_core.body.hands import relaxed_hands
from ....vendor_core.rotations import exp_so3, log_so3
from ....vendor_core.skeleton import JOINTS, N_BODY
from ..convert import FIRST_FINGER, Pose, Rig, to_bones
from ..pose import write_pose
from .actions import new_action
from .keys import key_bones

_FACE = slice(N_BODY, FIRST_FINGER)  # jaw and eyes


@dataclass(frozen=True)
class SolvedTake:
    """What the worker answers, in arrays."""

    name: str
    poses: np.ndarray  # (N, 55, 3) rotation vectors
    trans: np.ndarray  # (N, 3) metres
    betas: np.ndarray  # (B,)
    rate: float  # Hz


def key_take(
    obj: bpy.types.Object, rig: Rig, take: SolvedTake, frames: np.ndarray, solved_on: np.ndarray | None
) -> bpy.types.Action:
    """Key a take on a rig, in a new action.

    Args:
        obj: the armature object.
        rig: what `read_rig` gave for it, in its final shape.
        take: solved.
        frames: (N,) of the timeline.
        solved_on: rest joints (22, 3) that the take was solved on; None where they are the rig's. Any other rig gets
            the motion by rotation, its steps scaled with the length of its legs so that feet stay on the ground.
    """
    R = exp_so3(take.poses)
    fingers, face = (bool(np.any(take.poses[:, part])) for part in (slice(FIRST_FINGER, None), _FACE))
    if not fingers:
        R[:, FIRST_FINGER:] = exp_so3(relaxed_hands())
    trans = steps_of(rig, take.trans, solved_on)
    pose = Pose(R, trans)
    action = new_action(obj, take.name)
    write_pose(obj, to_bones(rig, Pose(R[:1], trans[:1]), hands=True))
    key_bones(obj, action, frames, to_bones(rig, pose, hands=fingers, face=face))
    if not fingers and rig.finger_bones:
        bones = to_bones(rig, Pose(R[:1], trans[:1]), hands=True)
        first = type(bones)(bones.bones[N_BODY:], bones.quaternions[:, N_BODY:], None)
        key_bones(obj, action, frames[:1], first)
    return action


def placed(take: SolvedTake, solved_on: np.ndarray, M_world: np.ndarray) -> SolvedTake:
    """A take where its markers' object stands in the world.

    Args:
        take: solved.
        solved_on: rest joints (22, 3) that it was solved on.
        M_world: (4, 4) of the object; its scale does not count, for a body has the size of the person.
    """
    M = without_scale(M_world)
    R = M[:3, :3]
    poses = take.poses.copy()
    poses[:, 0] = log_so3(R @ exp_so3(poses[:, 0]))
    pelvis = (solved_on[0] + take.trans) @ R.T + M[:3, 3]
    return replace(take, poses=poses, trans=pelvis - solved_on[0])


def without_scale(M: np.ndarray) -> np.ndarray:
    """The rigid motion (4, 4) in a matrix (4, 4) of an object that may be scaled or mirrored."""
    u, _, vt = np.linalg.svd(M[:3, :3])
    rigid = M.copy()
    rigid[:3, :3] = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
    return rigid


def steps_of(rig: Rig, trans: np.ndarray, solved_on: np.ndarray | None) -> np.ndarray:
    """A solved body's translations (N, 3) as a rig's: longer legs make longer steps.

    Args:
        rig: that gets the motion.
        trans: metres.
        solved_on: rest joints (22, 3) of the solved body; None where they are the rig's.
    """
    if solved_on is None:
        return trans
    own = rig.rest_joints()
    return (solved_on[0] + trans) * (_leg_length(own) / _leg_length(solved_on)) - own[0]


def _leg_length(joints: np.ndarray) -> float:
    left = [JOINTS.index(name) for name in ("left_hip", "left_knee", "left_ankle")]
    return float(np.linalg.norm(np.diff(joints[left], axis=0), axis=-1).sum())
