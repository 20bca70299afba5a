# SPDX-License-Identifier: GPL-3.0-or-later
"""A solved take on a rig: keys in a new action, markers as empties."""

from dataclasses import dataclass

import bpy
import numpy as np

from ....vendor_core.body.hands import relaxed_hands
from ....vendor_core.rotations import exp_so3
from ....vendor_core.skeleton import JOINTS, N_BODY
from ..convert import FIRST_FINGER, Pose, Rig, to_bones
from ..pose import write_pose
from .actions import channelbag, new_action
from .keys import key_bones, put_keys

_FACE = slice(N_BODY, FIRST_FINGER)  # jaw and eyes
_MARKER_SIZE = 0.01  # metres


@dataclass(frozen=True)
class SolvedTake:
    """What the worker answers, in arrays."""

    name: str
    poses: np.ndarray  # (N, 55, 3) rotation vectors
    trans: np.ndarray  # (N, 3) metres
    betas: np.ndarray  # (B,)
    markers: np.ndarray  # (N, M, 3) metres, NaN where unseen
    labels: tuple[str, ...]
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
    trans = take.trans
    if solved_on is not None:
        own = rig.rest_joints()
        trans = (solved_on[0] + trans) * (_leg_length(own) / _leg_length(solved_on)) - own[0]
    pose = Pose(R, trans)
    action = new_action(obj, take.name)
    write_pose(obj, to_bones(rig, Pose(R[:1], trans[:1]), hands=True))
    key_bones(obj, action, frames, to_bones(rig, pose, hands=fingers, face=face))
    if not fingers and rig.finger_bones:
        bones = to_bones(rig, Pose(R[:1], trans[:1]), hands=True)
        first = type(bones)(bones.bones[N_BODY:], bones.quaternions[:, N_BODY:], None)
        key_bones(obj, action, frames[:1], first)
    return action


def add_markers(context: bpy.types.Context, take: SolvedTake, frames: np.ndarray) -> bpy.types.Collection:
    """The take's markers as animated empties in a collection of their own; no keys where a marker is not seen."""
    collection = bpy.data.collections.new(f"{take.name} Markers")
    context.scene.collection.children.link(collection)
    for m, label in enumerate(take.labels):
        empty = bpy.data.objects.new(label, None)
        empty.empty_display_type, empty.empty_display_size = "SPHERE", _MARKER_SIZE
        collection.objects.link(empty)
        seen = np.isfinite(take.markers[:, m]).all(-1)
        if seen.any():
            bag = channelbag(empty, bpy.data.actions.new(f"{take.name} {label}"))
            for k in range(3):
                put_keys(bag.fcurves.new("location", index=k), frames[seen], take.markers[seen, m, k])
    return collection


def _leg_length(joints: np.ndarray) -> float:
    left = [JOINTS.index(name) for name in ("left_hip", "left_knee", "left_ankle")]
    return float(np.linalg.norm(np.diff(joints[left], axis=0), axis=-1).sum())
