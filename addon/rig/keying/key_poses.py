# SPDX-License-Identifier: GPL-3.0-or-later
"""The key poses that in-betweens go through: of the timeline, stored, or generated."""

from collections.abc import Container
from dataclasses import dataclass

import bpy
import numpy as np

from ....vendor_core.errors import PoiseError
from ....vendor_core.prior.draw import drawn_pose
from ....vendor_core.skeleton import N_BODY
from ...prior_choice import critic_named, prior_named
from ..convert import Pose, Rig, from_bones
from ..pose import read_pose
from ..posing.stored import stored_poses
from .inbetween import Ground, closed, joined, lowest
from .keys import animated_bones, keyed_bones, keyed_frames


@dataclass(frozen=True)
class KeyPoses:
    """K key poses, in the armature's own space."""

    frames: np.ndarray  # (K,)
    poses: Pose  # K frames
    fingers: frozenset[str]  # the finger bones that follow them


def timeline_poses(obj: bpy.types.Object, rig: Rig, frames: np.ndarray, where: str) -> KeyPoses:
    """What the F-curves make of the body at the frames (K,) of its keys.

    Args:
        obj: the armature object.
        rig: what `read_rig` gave for it, in its own space.
        frames: of keys.
        where: how they were chosen, for the error's line.

    Raises:
        PoiseError: there are fewer than two.
    """
    if len(frames) < 2:
        raise PoiseError(
            f'The body bones of "{obj.name}" have {where}keys at {len(frames)} frames; expected two or more: pose and '
            "key (I) its bones at several frames, or interpolate stored poses"
        )
    bones = keyed_bones(obj, rig, frames)
    assert bones.location is not None
    return KeyPoses(frames, from_bones(rig, bones.quaternions, bones.location), _following(obj, rig, frames))


def poses_of_list(obj: bpy.types.Object, rig: Rig, start: float, spacing: int) -> KeyPoses:
    """The stored poses of a body in their order, from a frame on.

    Raises:
        PoiseError: there are fewer than two.
    """
    poses = stored_poses(obj)
    if len(poses) < 2:
        raise PoiseError(f'"{obj.name}" has {len(poses)} stored poses; expected two or more: use Store Pose')
    return KeyPoses(start + spacing * np.arange(len(poses), dtype=float), joined(poses), rig.finger_bones)


def present_and_generated(
    obj: bpy.types.Object, rig: Rig, frames: np.ndarray, seed: int, chosen: Container[str] | None, ground: Ground,
    prior: str,
) -> KeyPoses:  # fmt: skip
    """The pose that a body has now, and a generated one: it stands as the present one does, at the same height.

    Args:
        obj: the armature object.
        rig: what `read_rig` gave for it, in its own space.
        frames: (2,)
        seed: which pose.
        chosen: bones that the pose is for, the others staying; None for all.
        ground: which way is down.
        prior: its key, as of `prior_choice`.

    Raises:
        PoiseError: keys of the artist's own are where the way to the pose would be.
    """
    own = keyed_frames(obj, rig, selected=False, bones=rig.bones)
    in_the_way = own[(own > frames[0]) & (own <= frames[1])]
    if len(in_the_way):
        raise PoiseError(
            f"The way to the generated pose, to frame {frames[1]:g}, would replace your key at frame "
            f"{in_the_way[0]:g}; expected none there: choose fewer Frames Apart, or go to your last key"
        )
    now, rest = read_pose(obj, rig), ground.scale * rig.rest_joints()
    R, kept = now.R_local.copy(), np.array([chosen is not None and bone not in chosen for bone in rig.bones[1:N_BODY]])
    R[0, 1:N_BODY] = drawn_pose(prior_named(prior), critic_named(prior), R[0, 1:N_BODY], seed, kept)
    new = Pose(R, now.trans)
    sinks = lowest(new, rest, ground) - lowest(now, rest, ground)
    new = Pose(R, now.trans - sinks[:, None] / ground.scale * ground.up)
    return KeyPoses(frames, joined([now, new]), _following(obj, rig, frames))


def looped(obj: bpy.types.Object, rig: Rig, keys: KeyPoses, spacing: int, over_others: bool) -> KeyPoses:
    """Key poses that end with the first one.

    Args:
        obj: the armature object.
        rig: what `read_rig` gave for it.
        keys: that begin with it.
        spacing: frames of the way back.
        over_others: the way back may replace keys: its action is a new one.

    Raises:
        PoiseError: keys of the artist's own are where the way back would be.
    """
    frames, poses = closed(keys.frames, keys.poses, spacing)
    own = keyed_frames(obj, rig, selected=False, bones=rig.bones)
    in_the_way = own[(own > keys.frames[-1]) & (own <= frames[-1])]
    if not over_others and len(in_the_way):
        raise PoiseError(
            f"The way back to the first pose, to frame {frames[-1]:g}, would replace your key at frame "
            f"{in_the_way[0]:g}; expected none there: choose fewer Frames Apart, or select later keys too"
        )
    return KeyPoses(frames, poses, keys.fingers)


def bones_to_key(
    obj: bpy.types.Object, rig: Rig, keys: KeyPoses, chosen: Container[str] | None, locked: Container[str], root: bool
) -> list[str]:
    """Names of the bones that in-betweens are written to.

    Args:
        obj: the armature object.
        rig: what `read_rig` gave for it.
        keys: that are gone through.
        chosen: the only ones that may be; None for all.
        locked: those that may not.
        root: whether the pelvis is among them.

    Raises:
        PoiseError: none is left.
    """
    names = [name for i, name in enumerate(rig.bones) if i < N_BODY or name in keys.fingers]
    names = [name for name in (names if root else names[1:]) if name not in locked]
    if chosen is not None:
        names = [name for name in names if name in chosen]
    if not names:
        raise PoiseError(
            f'No bone of "{obj.name}" is left to get keys; expected selected body bones whose curves are not locked, '
            "or Bones: All"
        )
    return names


def _following(obj: bpy.types.Object, rig: Rig, frames: np.ndarray) -> frozenset[str]:
    """The finger bones that follow key poses at frames (K,): where any has keys, all but those with keys of the
    artist's own between these frames, which would be lost.
    """
    keyed = animated_bones(obj) & rig.finger_bones
    if not keyed:
        return frozenset()

    def has_own(bone: str) -> bool:
        own = keyed_frames(obj, rig, selected=False, bones=(bone,))
        return bool(((own > frames[0]) & (own < frames[-1]) & ~np.isin(own, frames)).any())

    return rig.finger_bones - {bone for bone in keyed if has_own(bone)}
