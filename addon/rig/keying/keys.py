# SPDX-License-Identifier: GPL-3.0-or-later
"""Animation of bones as F-curves, many frames at once, in the actions of Blender 4.2 and the layered ones of 4.4+."""

from collections.abc import Collection, Container, Sequence
from functools import cache
from typing import Any

import bpy
import numpy as np

from ....vendor_core.prior.interpolate import without_jumps
from ....vendor_core.skeleton import N_BODY
from ..convert import BonePose, Rig
from .actions import bone_of, channelbag, curves_of
from .channels import channel_of, channel_values, path_of, quaternions_of

Keys = dict[str, np.ndarray]
"""Keys of an F-curve: each attribute of theirs as an array."""
Curves = dict[tuple[str, int], bpy.types.FCurve]
"""F-curves by their data path and index."""

_ENUMS = ("handle_left_type", "handle_right_type", "interpolation", "easing", "type")
_NUMBERS = ("amplitude", "back", "period")
_FLAGS = ("select_control_point", "select_left_handle", "select_right_handle")
_VECTORS = ("co", "handle_left", "handle_right")
_SAME_FRAME = 1e-3
_ON_KEY = 1e-5  # frames: nearer to a key than this, a curve has the key's value


def key_bones(
    obj: bpy.types.Object,
    action: bpy.types.Action,
    frames: np.ndarray,
    bones: BonePose,
    interpolation: str = "LINEAR",
    between: np.ndarray | None = None,
    paths: Container[str] | None = None,
) -> None:
    """Key rotations of bones, each in its own rotation mode, and the location of the first where there is one.

    Keys between the first and the last frame are replaced; those outside stay as they are.

    Args:
        obj: the armature object; the action becomes its action.
        action: where to.
        frames: (F,) ascending; may lie between whole frames.
        bones: F frames.
        interpolation: of the keys.
        between: (F,) true for in-betweens: they are marked as made by a tool, and found again as such.
        paths: data paths of the only channels that get keys; None for all.
    """
    key_into(channelbag(obj, action), obj, frames, bones, interpolation, between, paths)


def key_into(
    bag: Any,
    obj: bpy.types.Object,
    frames: np.ndarray,
    bones: BonePose,
    interpolation: str = "LINEAR",
    between: np.ndarray | None = None,
    paths: Container[str] | None = None,
) -> None:
    """Key bones as `key_bones` does in a channelbag, or before 4.4 an action, of any action; the object's stays."""
    known = {(curve.data_path, curve.array_index): curve for curve in bag.fcurves}
    fresh = new_keys(frames, interpolation, between)
    quaternions = without_jumps(bones.quaternions)
    for i, name in enumerate(bones.bones):
        bone = obj.pose.bones[name]
        near = channel_at(known, bone, channel_of(bone), frames[:1])[0]  # so that earlier keys lead up to these
        tables = {path_of(name, channel_of(bone)): channel_values(bone.rotation_mode, quaternions[:, i], near)}
        if i == 0 and bones.location is not None:
            tables[path_of(name, "location")] = bones.location
        for data_path, table in tables.items():
            if paths is not None and data_path not in paths:
                continue
            if data_path.endswith("rotation_quaternion"):
                _follow_sign(known, data_path, frames[-1], table[-1])
            for k in range(table.shape[1]):
                curve = known.get((data_path, k)) or _new_curve(bag, data_path, k, name)
                replace_keys(curve, fresh | vectors(frames, table[:, k]))


def _follow_sign(curves: Curves, path: str, frame: float, q: np.ndarray) -> None:
    """Turn the sign of quaternions keyed after a frame where it is not that of q (4,), the new ones there: they mean
    the same rotations, and curves go on to them without a jump.
    """
    four = [curves[path, k] for k in range(4) if (path, k) in curves]
    if len(four) < 4 or np.dot([values_at(curve, np.array([frame]))[0] for curve in four], q) >= 0:
        return
    for curve in four:
        later = read_vectors(curve)[:, 0] > frame - _SAME_FRAME  # its own handle leads there too
        for name in _VECTORS:
            values = read_vectors(curve, name)
            values[later, 1] *= -1
            curve.keyframe_points.foreach_set(name, values.ravel())


def put_keys(curve: bpy.types.FCurve, frames: np.ndarray, values: np.ndarray) -> None:
    """Replace the keys of an F-curve from the first to the last of `frames` (F,) by linear ones; the others stay."""
    replace_keys(curve, new_keys(frames, "LINEAR") | vectors(frames, values))


def replace_keys(curve: bpy.types.FCurve, new: Keys) -> None:
    """Replace the keys of an F-curve from the first to the last of new ones; the others stay.

    Keys that are no in-betweens and were there before keep their type (keyframe, extreme, ...) and selection.
    """
    points, first, last = curve.keyframe_points, new["co"][0, 0], new["co"][-1, 0]
    if len(points):
        new = _merged(_read_keys(curve), new)
        points.clear()
    points.add(len(new["co"]))
    for name, values in new.items():
        points.foreach_set(name, values.ravel())
    curve.update()
    # Automatic handles outside hang together with those of keys that are gone: Blender would now move them.
    at = new["co"][:, 0]
    for name, outside in (("handle_left", (at <= first) & (at[0] < first)), ("handle_right", at < first),
                          ("handle_left", at > last), ("handle_right", (at >= last) & (at[-1] > last))):  # fmt: skip
        if outside.any():
            points.foreach_set(name, np.where(outside[:, None], new[name], read_vectors(curve, name)).ravel())


def _merged(old: Keys, new: Keys) -> Keys:
    at, frames, made = old["co"][:, 0], new["co"][:, 0], _enum("type", _in_between_type())
    here = np.minimum(np.searchsorted(at, frames - _SAME_FRAME), len(at) - 1)
    kept = (np.abs(at[here] - frames) < _SAME_FRAME) & (old["type"][here] != made) & (new["type"] != made)
    before, after = at < frames[0] - _SAME_FRAME, at > frames[-1] + _SAME_FRAME
    new = {name: np.where(kept, old[name][here], v) if name in ("type", *_FLAGS) else v for name, v in new.items()}
    found = np.abs(at[here] - frames) < _SAME_FRAME
    if before.any() and found[0]:
        _keep_outside(new, old, 0, here[0], ("handle_left",))
    if after.any() and found[-1]:
        _keep_outside(new, old, -1, here[-1], ("handle_right", "interpolation", "easing", *_NUMBERS))
    return {name: np.concatenate([old[name][before], new[name], old[name][after]]) for name in new}


def _keep_outside(new: Keys, old: Keys, i: int, j: int, names: Sequence[str]) -> None:
    """Give the first or last new key what shapes the curve beyond it, as the old key there has it."""
    for name in names:
        new[name] = new[name].copy()  # one for all curves
        new[name][i] = old[name][j]
        if name in ("handle_left", "handle_right"):
            kind = f"{name}_type"
            new[kind] = new[kind].copy()
            new[kind][i] = _enum(kind, "FREE")  # else it would follow its new neighbours


def new_keys(frames: np.ndarray, interpolation: str, between: np.ndarray | None = None) -> Keys:
    """What keys at frames (F,) have in common on all curves: everything but their `vectors`.

    Args:
        frames: ascending.
        interpolation: of the keys.
        between: (F,) true for in-betweens, which are marked as made by a tool.
    """
    n = len(frames)
    kinds = {
        "handle_left_type": "AUTO_CLAMPED", "handle_right_type": "AUTO_CLAMPED", "interpolation": interpolation,
        "easing": "AUTO", "type": "KEYFRAME",
    }  # fmt: skip
    keys = {name: np.full(n, _enum(name, kind), dtype=np.int32) for name, kind in kinds.items()}
    keys |= {name: np.full(n, _default(name), dtype=np.float32) for name in _NUMBERS}
    keys |= {name: np.zeros(n, dtype=bool) for name in _FLAGS}
    if between is not None:
        keys["type"][between] = _enum("type", _in_between_type())
    return keys


def vectors(frames: np.ndarray, values: np.ndarray) -> Keys:
    """Places of keys at frames (F,) with values (F,), and of automatic handles before Blender has set those."""
    co = np.stack([frames, values], axis=1).astype(np.float32)
    third = np.array([np.diff(frames).min() / 3 if len(frames) > 1 else 1 / 3, 0], dtype=np.float32)
    return {"co": co, "handle_left": co - third, "handle_right": co + third}


def _read_keys(curve: bpy.types.FCurve) -> Keys:
    points = curve.keyframe_points
    kinds = dict.fromkeys(_ENUMS, np.int32) | dict.fromkeys(_NUMBERS, np.float32) | dict.fromkeys(_FLAGS, np.bool_)
    keys: Keys = {}
    for name, kind in kinds.items():
        keys[name] = np.zeros(len(points), dtype=kind)
        points.foreach_get(name, keys[name])
    return keys | {name: read_vectors(curve, name) for name in _VECTORS}


def read_vectors(curve: bpy.types.FCurve, name: str = "co") -> np.ndarray:
    """Places (K, 2), frame and value, of an F-curve's keys, or of their `handle_left` or `handle_right`."""
    flat = np.zeros(2 * len(curve.keyframe_points), dtype=np.float32)
    curve.keyframe_points.foreach_get(name, flat)
    return flat.reshape(-1, 2)


@cache
def _enum(attribute: str, identifier: str) -> int:
    return bpy.types.Keyframe.bl_rna.properties[attribute].enum_items[identifier].value


@cache
def _default(attribute: str) -> float:
    return bpy.types.Keyframe.bl_rna.properties[attribute].default


def _new_curve(bag: Any, data_path: str, index: int, group: str) -> bpy.types.FCurve:
    if bpy.app.version < (4, 4):
        return bag.fcurves.new(data_path, index=index, action_group=group)
    curve = bag.fcurves.new(data_path, index=index)
    curve.group = bag.groups.get(group) or bag.groups.new(group)
    return curve


def _in_between_type() -> str:
    """The key type that says "made by a tool"."""
    return "GENERATED" if bpy.app.version >= (4, 3) else "JITTER"


def animated_bones(obj: bpy.types.Object) -> set[str]:
    """Names of the bones that the object's action moves."""
    return {bone_of(curve.data_path) for curve in curves_of(obj)}


def keyed_frames(
    obj: bpy.types.Object,
    rig: Rig,
    selected: bool,
    made_too: bool = False,
    bones: Container[str] | None = None,
    types: Collection[str] | None = None,
) -> np.ndarray:
    """Frames (K,) at which bones have keys.

    Args:
        obj: the armature object.
        rig: what `read_rig` gave for it.
        selected: only selected keys.
        made_too: those that a tool made too; else only the artist's own.
        bones: of these bones; None for the 22 of the body.
        types: only keys of these types; None for any.
    """
    names = rig.bones[:N_BODY] if bones is None else bones
    wanted = None if types is None else [_enum("type", kind) for kind in types]
    made = _enum("type", _in_between_type())
    found = [np.empty(0)]
    for curve in curves_of(obj):
        if bone_of(curve.data_path) not in names:
            continue
        points = curve.keyframe_points
        chosen, kinds = np.ones(len(points), dtype=bool), np.zeros(len(points), dtype=np.int32)
        points.foreach_get("type", kinds)
        if selected:
            points.foreach_get("select_control_point", chosen)
        if not made_too:
            chosen &= kinds != made
        if wanted is not None:
            chosen &= np.isin(kinds, wanted)
        found.append(read_vectors(curve)[chosen, 0].astype(np.float64))
    return np.unique(np.round(np.concatenate(found), 4))


def keyed_bones(obj: bpy.types.Object, rig: Rig, frames: np.ndarray) -> BonePose:
    """What all the rig's bones hold at frames (F,), as their F-curves say; where there is none, what they hold now."""
    curves = known_curves(obj)
    quaternions = np.empty((len(frames), len(rig.bones), 4))
    for i, name in enumerate(rig.bones):
        bone = obj.pose.bones[name]
        values = channel_at(curves, bone, channel_of(bone), frames)
        quaternions[:, i] = quaternions_of(bone.rotation_mode, values)
    location = channel_at(curves, obj.pose.bones[rig.bones[0]], "location", frames)
    return BonePose(rig.bones, quaternions, location)


def known_curves(obj: bpy.types.Object) -> Curves:
    """The F-curves that animate an object through its own action."""
    return {(curve.data_path, curve.array_index): curve for curve in curves_of(obj)}


def channel_at(curves: Curves, bone: bpy.types.PoseBone, channel: str, frames: np.ndarray) -> np.ndarray:
    """What a bone's channel of C numbers holds at frames (F,): (F, C); where there is no curve, what it holds now."""
    path, now = path_of(bone.name, channel), tuple(getattr(bone, channel))
    columns = np.repeat(np.array([now]), len(frames), axis=0)
    for k in range(len(now)):
        if (path, k) in curves:
            columns[:, k] = values_at(curves[path, k], frames)
    return columns


def values_at(curve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    """What an F-curve says at frames (F,)."""
    if len(curve.keyframe_points) and not len(curve.modifiers):
        co = read_vectors(curve)
        here = np.minimum(np.searchsorted(co[:, 0], frames - _ON_KEY), len(co) - 1)
        if np.all(np.abs(co[here, 0] - frames) <= _ON_KEY):
            return co[here, 1].astype(np.float64)  # on the keys: no need to ask for each frame
    return np.array([curve.evaluate(frame) for frame in frames.tolist()])
