# SPDX-License-Identifier: GPL-3.0-or-later
"""A keyed motion read evenly in time, and a correction of it written back to the very keys that are there.

Keys keep their frames, types, handles and interpolation; only their values change. The correction is what is written,
so keys that lie between the samples, or that were moved meanwhile, get their share of it too.
"""

from dataclasses import dataclass, replace

import bpy
import numpy as np
from mathutils import Euler, Quaternion

from ....vendor_core.rotations import exp_so3, log_so3
from ....vendor_core.skeleton import JOINTS, N_BODY
from ..convert import Pose, Rig, from_bones, to_bones
from .channels import channel_of, path_of
from .keys import channel_at, keyed_bones, keyed_frames, known_curves

_UNEVEN = 0.02  # share of the usual spacing by which keys may be apart otherwise, and still count as even
_FINEST, _COARSEST = 0.1, 1.0  # frames between samples of unevenly keyed motion
_SAME_FRAME = 1e-3


@dataclass(frozen=True)
class Motion:
    """The body's motion at even times, in the armature's own space but in metres."""

    frames: np.ndarray  # (F,) of the timeline
    R_local: np.ndarray  # (F, 22, 3, 3)
    trans: np.ndarray  # (F, 3)


def body_rig(rig: Rig) -> Rig:
    """A rig without fingers and face, in its own space and in metres: motion then follows the object, as keys do."""
    own = np.diag([rig.scale, rig.scale, rig.scale, 1.0])
    body = {name: getattr(rig, name)[:N_BODY] for name in ("bones", "joints", "rest", "link", "hangs_from")}
    return replace(rig, world=own, **body)


def even_frames(keys: np.ndarray) -> np.ndarray:
    """Even frames from the first to the last of keys (K,), two or more: the keys themselves where those are even.

    Of uneven keys, what Blender shows between them is sampled too: the sampling then has a rate.
    """
    gaps = np.diff(keys)
    usual = float(np.median(gaps))
    if np.abs(gaps - usual).max() <= _UNEVEN * usual:
        return keys
    step = np.clip(usual, _FINEST, _COARSEST)
    return np.linspace(keys[0], keys[-1], max(2, round((keys[-1] - keys[0]) / step) + 1))


def read_motion(obj: bpy.types.Object, rig: Rig, frames: np.ndarray) -> Motion:
    """What the F-curves make of the body at frames (F,).

    Args:
        obj: the armature object.
        rig: its `body_rig`.
        frames: of the timeline.
    """
    bones = keyed_bones(obj, rig, frames)
    assert bones.location is not None
    pose = from_bones(rig, bones.quaternions, bones.location)
    return Motion(frames, pose.R_local[:, :N_BODY], pose.trans)


def keys_between(obj: bpy.types.Object, rig: Rig, frames: np.ndarray) -> np.ndarray:
    """Frames (K,) of all keys of the body's bones from the first to the last of some frames."""
    at = keyed_frames(obj, rig, selected=False, made_too=True)
    return at[(at >= frames[0] - _SAME_FRAME) & (at <= frames[-1] + _SAME_FRAME)]


def write_correction(obj: bpy.types.Object, rig: Rig, at: np.ndarray, before: Motion, after: Motion) -> None:
    """Turn the keys of the body's bones as a motion was turned.

    Args:
        obj: the armature object; the action that it has is written.
        rig: its `body_rig`.
        at: (K,) frames of the keys.
        before: the motion as it was.
        after: the same frames, as they should be.
    """
    now = read_motion(obj, rig, at)
    turn = log_so3(np.swapaxes(before.R_local, -1, -2) @ after.R_local)
    R = np.broadcast_to(np.eye(3), (len(at), len(JOINTS), 3, 3)).copy()
    R[:, :N_BODY] = now.R_local @ exp_so3(_sampled(before.frames, turn, at))
    trans = now.trans + _sampled(before.frames, after.trans - before.trans, at)
    bones = to_bones(rig, Pose(R, trans), hands=False)
    curves = known_curves(obj)
    for i, name in enumerate(bones.bones):
        bone = obj.pose.bones[name]
        path = path_of(name, channel_of(bone))
        of_rotation = {k: curves[path, k] for k in range(4) if (path, k) in curves}
        if of_rotation:
            old = channel_at(curves, bone, channel_of(bone), at)
            set_values(of_rotation, at, channel_near(bone.rotation_mode, bones.quaternions[:, i], old))
    path = path_of(bones.bones[0], "location")
    assert bones.location is not None
    set_values({k: curves[path, k] for k in range(3) if (path, k) in curves}, at, bones.location)


def _sampled(frames: np.ndarray, x: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values x (F, ...) at ascending frames (F,), on straight lines between them, at other frames (K,)."""
    i = np.clip(np.searchsorted(frames, at, side="right") - 1, 0, len(frames) - 2)
    t = np.clip((at - frames[i]) / (frames[i + 1] - frames[i]), 0.0, 1.0).reshape(-1, *[1] * (x.ndim - 1))
    return (1 - t) * x[i] + t * x[i + 1]


def channel_near(mode: str, q: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Values (K, 3 | 4) of a rotation channel that mean rotations q (K, 4), wxyz, each nearest to old values: so curves
    stay as continuous as they were, also with the keys that are left alone.
    """
    if mode == "QUATERNION":
        return q * np.where(np.sum(q * old, axis=-1, keepdims=True) < 0, -1.0, 1.0)
    new = np.empty_like(old)
    for k, quaternion in enumerate(map(Quaternion, q.tolist())):
        if mode == "AXIS_ANGLE":
            axis, angle = quaternion.to_axis_angle()
            sign = -1.0 if np.dot(axis[:], old[k, 1:]) < 0 else 1.0
            turns = round((old[k, 0] - sign * angle) / (2 * np.pi))
            new[k] = (sign * angle + 2 * np.pi * turns, *(sign * axis))
        else:
            new[k] = quaternion.to_euler(mode, Euler(old[k].tolist(), mode))
    return new


def set_values(curves: dict[int, bpy.types.FCurve], at: np.ndarray, values: np.ndarray) -> None:
    """Give the keys of curves that lie at frames (K,) the values (K, C), and take their handles along."""
    for k, curve in curves.items():
        points = curve.keyframe_points
        vectors = {name: np.empty(2 * len(points), dtype=np.float32) for name in ("co", "handle_left", "handle_right")}
        for name, flat in vectors.items():
            points.foreach_get(name, flat)
        frames = vectors["co"][::2].astype(np.float64)
        nearest = np.searchsorted((at[1:] + at[:-1]) / 2, frames)
        here = np.abs(frames - at[nearest]) < _SAME_FRAME
        step = np.where(here, values[nearest, k] - vectors["co"][1::2], 0.0)
        for name, flat in vectors.items():
            flat[1::2] += step
            points.foreach_set(name, flat)
        curve.update()
