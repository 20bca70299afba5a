# SPDX-License-Identifier: GPL-3.0-or-later
"""Animation of bones as F-curves, many frames at once, in the actions of Blender 4.2 and the layered ones of 4.4+."""

from functools import cache
from typing import Any

import bpy
import numpy as np

from ...vendor_core.prior.interpolate import without_jumps
from .actions import channelbag, current_action, curves_of
from .channels import channel_of, channel_values, path_of, quaternions_of
from .convert import BonePose, Rig

Keys = dict[str, np.ndarray]
"""Keys of an F-curve: each attribute of theirs as an array."""

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
    """
    bag = channelbag(obj, action)
    known = {(curve.data_path, curve.array_index): curve for curve in bag.fcurves}
    fresh = new_keys(frames, interpolation, between)
    quaternions = without_jumps(bones.quaternions)
    for i, name in enumerate(bones.bones):
        bone = obj.pose.bones[name]
        columns = [(path_of(name, channel_of(bone)), channel_values(bone, quaternions[:, i]))]
        if i == 0 and bones.location is not None:
            columns.append((path_of(name, "location"), bones.location))
        for data_path, table in columns:
            for k in range(table.shape[1]):
                curve = known.get((data_path, k)) or _new_curve(bag, data_path, k, name)
                replace_keys(curve, fresh | vectors(frames, table[:, k]))


def put_keys(curve: bpy.types.FCurve, frames: np.ndarray, values: np.ndarray) -> None:
    """Replace the keys of an F-curve from the first to the last of `frames` (F,) by linear ones; the others stay."""
    replace_keys(curve, new_keys(frames, "LINEAR") | vectors(frames, values))


def replace_keys(curve: bpy.types.FCurve, new: Keys) -> None:
    """Replace the keys of an F-curve from the first to the last of new ones; the others stay.

    Keys that are no in-betweens and were there before keep their type (keyframe, extreme, ...) and selection.
    """
    points = curve.keyframe_points
    if len(points):
        new = _merged(_read_keys(curve), new)
        points.clear()
    points.add(len(new["co"]))
    for name, values in new.items():
        points.foreach_set(name, values.ravel())
    curve.update()


def _merged(old: Keys, new: Keys) -> Keys:
    at, frames, made = old["co"][:, 0], new["co"][:, 0], _enum("type", _in_between_type())
    here = np.minimum(np.searchsorted(at, frames - _SAME_FRAME), len(at) - 1)
    kept = (np.abs(at[here] - frames) < _SAME_FRAME) & (old["type"][here] != made) & (new["type"] != made)
    before, after = at < frames[0] - _SAME_FRAME, at > frames[-1] + _SAME_FRAME
    merged = {}
    for name, values in new.items():
        if name in ("type", *_FLAGS):
            values = np.where(kept, old[name][here], values)
        merged[name] = np.concatenate([old[name][before], values, old[name][after]])
    return merged


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
    return keys | {name: _read_vectors(curve, name) for name in _VECTORS}


def _read_vectors(curve: bpy.types.FCurve, name: str = "co") -> np.ndarray:
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


def auto_key(context: bpy.types.Context, obj: bpy.types.Object, bones: BonePose) -> None:
    """Key what the bones hold at the current frame, where auto-keying is on."""
    if not context.tool_settings.use_keyframe_insert_auto:
        return
    frames = np.array([float(context.scene.frame_current)])
    key_bones(obj, current_action(obj), frames, bones, interpolation="BEZIER")


def animated_bones(obj: bpy.types.Object) -> set[str]:
    """Names of the bones that the object's action moves."""
    return {bpy.utils.unescape_identifier(_bone_of(curve.data_path)) for curve in curves_of(obj)}


def keyed_frames(obj: bpy.types.Object, rig: Rig, selected: bool, made_too: bool = False) -> np.ndarray:
    """Frames (K,) at which bones of the body have keys: the artist's own, or those made by a tool too; only selected
    ones if asked.
    """
    made = _enum("type", _in_between_type())
    names = {bpy.utils.escape_identifier(name) for name in rig.bones[:22]}
    found = [np.empty(0)]
    for curve in curves_of(obj):
        if _bone_of(curve.data_path) not in names:
            continue
        points = curve.keyframe_points
        chosen, types = np.ones(len(points), dtype=bool), np.zeros(len(points), dtype=np.int32)
        if selected:
            points.foreach_get("select_control_point", chosen)
        if not made_too:
            points.foreach_get("type", types)
            chosen &= types != made
        found.append(_read_vectors(curve)[chosen, 0].astype(np.float64))
    return np.unique(np.round(np.concatenate(found), 4))


def keyed_bones(obj: bpy.types.Object, rig: Rig, frames: np.ndarray) -> BonePose:
    """What all the rig's bones hold at frames (F,), as their F-curves say; where there is none, what they hold now."""
    curves = {(curve.data_path, curve.array_index): curve for curve in curves_of(obj)}

    def table(bone: bpy.types.PoseBone, channel: str) -> np.ndarray:
        path, now = path_of(bone.name, channel), tuple(getattr(bone, channel))
        columns = np.repeat(np.array([now]), len(frames), axis=0)
        for k in range(len(now)):
            if (path, k) in curves:
                columns[:, k] = values_at(curves[path, k], frames)
        return columns

    quaternions = np.empty((len(frames), len(rig.bones), 4))
    for i, name in enumerate(rig.bones):
        bone = obj.pose.bones[name]
        quaternions[:, i] = quaternions_of(bone.rotation_mode, table(bone, channel_of(bone)))
    return BonePose(rig.bones, quaternions, table(obj.pose.bones[rig.bones[0]], "location"))


def values_at(curve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    """What an F-curve says at frames (F,)."""
    if len(curve.keyframe_points) and not len(curve.modifiers):
        co = _read_vectors(curve)
        here = np.minimum(np.searchsorted(co[:, 0], frames - _ON_KEY), len(co) - 1)
        if np.all(np.abs(co[here, 0] - frames) <= _ON_KEY):
            return co[here, 1].astype(np.float64)  # on the keys: no need to ask for each frame
    return np.array([curve.evaluate(frame) for frame in frames.tolist()])


def _bone_of(data_path: str) -> str:
    """The escaped name of the bone that a data path belongs to, or the empty text."""
    head, separator, tail = data_path.partition('pose.bones["')
    return tail.partition('"]')[0] if separator and not head else ""
