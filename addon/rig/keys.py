# SPDX-License-Identifier: GPL-3.0-or-later
"""Animation of bones as F-curves, many frames at once, in the actions of Blender 4.2 and the layered ones of 4.4+."""

from typing import Any

import bpy
import numpy as np
from mathutils import Euler, Quaternion

from ...vendor_core.prior.interpolate import continuous_quaternions
from ...vendor_core.rotations import quaternion_to_matrix
from .convert import BonePose, Rig

_CHANNELS = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}  # any other: Euler angles
_ENUMS = ("handle_left_type", "handle_right_type", "interpolation", "easing", "type")
_NUMBERS = ("amplitude", "back", "period")
_FLAGS = ("select_control_point", "select_left_handle", "select_right_handle")
_VECTORS = ("co", "handle_left", "handle_right")
_SAME_FRAME = 1e-3


def channelbag(obj: bpy.types.Object, action: bpy.types.Action) -> Any:
    """What holds the F-curves of an object in an action: the action's channelbag for the object's slot, or before 4.4
    the action itself. The action becomes the object's.
    """
    data = obj.animation_data or obj.animation_data_create()
    if bpy.app.version < (4, 4):
        data.action = action
        return action
    if data.action is not action:
        data.action = action
    if data.action_slot is None:
        fitting = [slot for slot in action.slots if slot.target_id_type in ("OBJECT", "UNSPECIFIED")]
        data.action_slot = fitting[0] if fitting else action.slots.new(id_type="OBJECT", name=obj.name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(data.action_slot, ensure=True)


def curves_of(obj: bpy.types.Object) -> list[bpy.types.FCurve]:
    """The F-curves that animate an object through its own action, without making anything."""
    data = obj.animation_data
    if data is None or data.action is None:
        return []
    if bpy.app.version < (4, 4):
        return list(data.action.fcurves)
    if data.action_slot is None:
        return []
    strips = [strip for layer in data.action.layers for strip in layer.strips if strip.type == "KEYFRAME"]
    bags = [strip.channelbag(data.action_slot) for strip in strips]
    return [curve for bag in bags if bag is not None for curve in bag.fcurves]


def new_action(obj: bpy.types.Object, name: str) -> bpy.types.Action:
    """A new action for an object; the one it had stays in the file, with a fake user."""
    data = obj.animation_data or obj.animation_data_create()
    if data.action is not None:
        data.action.use_fake_user = True
    action = bpy.data.actions.new(name)
    if bpy.app.version >= (4, 4):
        data.action = None  # else the slot of the old action would be looked up in the new one
        action.slots.new(id_type="OBJECT", name=obj.name)
    data.action = action
    if bpy.app.version >= (4, 4):
        data.action_slot = action.slots[0]
    return action


def copied_action(obj: bpy.types.Object, name: str) -> bpy.types.Action:
    """A copy of the action that an object has, which becomes the object's; the old one stays in the file, with a fake
    user.
    """
    data = obj.animation_data
    old, slot = data.action, data.action_slot.handle if bpy.app.version >= (4, 4) else None
    action = old.copy()
    action.name, old.use_fake_user = name, True
    data.action = action
    if slot is not None:
        data.action_slot = next(other for other in action.slots if other.handle == slot)
    return action


def current_action(obj: bpy.types.Object) -> bpy.types.Action:
    """The object's action; a new one where it has none."""
    data = obj.animation_data
    return data.action if data is not None and data.action is not None else new_action(obj, obj.name)


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
    for i, name in enumerate(bones.bones):
        path, values = rotation_channel(obj.pose.bones[name], bones.quaternions[:, i])
        columns = [(path, values)]
        if i == 0 and bones.location is not None:
            columns.append((path_of(name, "location"), bones.location))
        for data_path, table in columns:
            for k in range(table.shape[1]):
                curve = known.get((data_path, k)) or _new_curve(bag, data_path, k, name)
                put_keys(curve, frames, table[:, k], interpolation, between)


def rotation_channel(bone: bpy.types.PoseBone, q: np.ndarray) -> tuple[str, np.ndarray]:
    """Data path and values (F, 3 | 4) of a bone's rotation in its own rotation mode, without jumps.

    Args:
        bone: whose mode counts.
        q: (F, 4) wxyz.
    """
    path = path_of(bone.name, channel_of(bone))
    q = continuous_quaternions(quaternion_to_matrix(q))
    if bone.rotation_mode == "QUATERNION":
        return path, -q if np.dot(q[0], bone.rotation_quaternion[:]) < 0 else q
    rotations = [Quaternion(row) for row in q.tolist()]
    if bone.rotation_mode == "AXIS_ANGLE":
        pairs = [rotation.to_axis_angle() for rotation in rotations]
        return path, np.array([(angle, *axis) for axis, angle in pairs])
    eulers: list[Euler] = []
    for rotation in rotations:
        eulers.append(rotation.to_euler(bone.rotation_mode, eulers[-1] if eulers else bone.rotation_euler))
    return path, np.array(eulers)


def put_keys(
    curve: bpy.types.FCurve,
    frames: np.ndarray,
    values: np.ndarray,
    interpolation: str = "LINEAR",
    between: np.ndarray | None = None,
) -> None:
    """Replace the keys of an F-curve from the first to the last of `frames` (F,) by new ones; the others stay.

    Keys that are no in-betweens and were there before keep their type (keyframe, extreme, ...) and selection.
    """
    old, new = _read_keys(curve), _fresh_keys(frames, values, interpolation)
    at = old["co"][:, 0]
    if between is not None:
        new["type"][between] = _enum("type", _in_between_type())
        for i in np.flatnonzero(~between):
            same = np.flatnonzero(np.abs(at - frames[i]) < _SAME_FRAME)
            if len(same) and old["type"][same[0]] != _enum("type", _in_between_type()):
                for name in ("type", *_FLAGS):
                    new[name][i] = old[name][same[0]]
    before, after = at < frames[0] - _SAME_FRAME, at > frames[-1] + _SAME_FRAME
    points = curve.keyframe_points
    points.clear()
    points.add(len(frames) + int(before.sum()) + int(after.sum()))
    for name in new:
        merged = np.concatenate([old[name][before], new[name], old[name][after]])
        points.foreach_set(name, merged.ravel())
    curve.update()


def _fresh_keys(frames: np.ndarray, values: np.ndarray, interpolation: str) -> dict[str, np.ndarray]:
    n = len(frames)
    co = np.stack([frames, values], axis=1).astype(np.float32)
    third = np.array([np.diff(frames).min() / 3 if n > 1 else 1 / 3, 0], dtype=np.float32)
    kinds = {
        "handle_left_type": "AUTO_CLAMPED", "handle_right_type": "AUTO_CLAMPED", "interpolation": interpolation,
        "easing": "AUTO", "type": "KEYFRAME",
    }  # fmt: skip
    keys = {name: np.full(n, _enum(name, kind), dtype=np.int32) for name, kind in kinds.items()}
    keys |= {name: np.full(n, _default(name), dtype=np.float32) for name in _NUMBERS}
    keys |= {name: np.zeros(n, dtype=bool) for name in _FLAGS}
    return keys | {"co": co, "handle_left": co - third, "handle_right": co + third}


def _read_keys(curve: bpy.types.FCurve) -> dict[str, np.ndarray]:
    points = curve.keyframe_points
    kinds = dict.fromkeys(_ENUMS, np.int32) | dict.fromkeys(_NUMBERS, np.float32) | dict.fromkeys(_FLAGS, np.bool_)
    keys: dict[str, np.ndarray] = {}
    for name, kind in kinds.items():
        keys[name] = np.zeros(len(points), dtype=kind)
        points.foreach_get(name, keys[name])
    for name in _VECTORS:
        flat = np.zeros(2 * len(points), dtype=np.float32)
        points.foreach_get(name, flat)
        keys[name] = flat.reshape(-1, 2)
    return keys


def _enum(attribute: str, identifier: str) -> int:
    return bpy.types.Keyframe.bl_rna.properties[attribute].enum_items[identifier].value


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
    skipped = [] if made_too else [_enum("type", _in_between_type())]
    names = {bpy.utils.escape_identifier(name) for name in rig.bones[:22]}
    frames: set[float] = set()
    for curve in curves_of(obj):
        if _bone_of(curve.data_path) not in names:
            continue
        keys = _read_keys(curve)
        chosen = ~np.isin(keys["type"], skipped)
        if selected:
            chosen &= keys["select_control_point"]
        frames.update(np.round(keys["co"][chosen, 0].astype(np.float64), 4).tolist())
    return np.array(sorted(frames))


def keyed_bones(obj: bpy.types.Object, rig: Rig, frames: np.ndarray) -> BonePose:
    """What all the rig's bones hold at frames (F,), as their F-curves say; where there is none, what they hold now."""
    curves = {(curve.data_path, curve.array_index): curve for curve in curves_of(obj)}

    def column(path: str, k: int, now: float) -> list[float]:
        curve = curves.get((path, k))
        return [now] * len(frames) if curve is None else [curve.evaluate(float(f)) for f in frames]

    quaternions = np.empty((len(frames), len(rig.bones), 4))
    for i, name in enumerate(rig.bones):
        bone = obj.pose.bones[name]
        path, now = path_of(name, channel_of(bone)), tuple(getattr(bone, channel_of(bone)))
        values = np.array([column(path, k, now[k]) for k in range(len(now))]).T
        quaternions[:, i] = [_quaternion(bone.rotation_mode, row)[:] for row in values.tolist()]
    pelvis = obj.pose.bones[rig.bones[0]]
    location = np.array([column(path_of(pelvis.name, "location"), k, pelvis.location[k]) for k in range(3)]).T
    return BonePose(rig.bones, quaternions, location)


def channel_of(bone: bpy.types.PoseBone) -> str:
    """The property that holds a bone's rotation in its rotation mode."""
    return _CHANNELS.get(bone.rotation_mode, "rotation_euler")


def path_of(bone: str, channel: str) -> str:
    """The data path of a bone's channel."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone)}"].{channel}'


def _quaternion(mode: str, row: list[float]) -> Quaternion:
    if mode == "QUATERNION":
        return Quaternion(row).normalized()
    if mode == "AXIS_ANGLE":
        return Quaternion(row[1:], row[0])
    return Euler(row, mode).to_quaternion()


def _bone_of(data_path: str) -> str:
    """The escaped name of the bone that a data path belongs to, or the empty text."""
    head, separator, tail = data_path.partition('pose.bones["')
    return tail.partition('"]')[0] if separator and not head else ""
