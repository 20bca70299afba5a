# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions of objects and what holds their F-curves, in Blender 4.2 and with the slots and layers of 4.4 and later."""

from typing import Any

import bpy

from ....vendor_core.errors import PoiseError


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
    if data.action_slot is None:  # the slots that are there are other objects'
        data.action_slot = action.slots.new(id_type="OBJECT", name=obj.name)
    layer = action.layers[0] if action.layers else action.layers.new("Layer")
    strip = layer.strips[0] if layer.strips else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(data.action_slot, ensure=True)


def why_action_is_held(obj: bpy.types.Object) -> str:
    """Why an object cannot get another action now; empty where it can."""
    data = obj.animation_data
    return "Leave the NLA's tweak mode first" if data is not None and data.use_tweak_mode else ""


def require_free_action(obj: bpy.types.Object) -> None:
    """Raises a PoiseError where an object cannot get another action now."""
    why = why_action_is_held(obj)
    if why:
        raise PoiseError(f'"{obj.name}" cannot get another action now. {why}')


def why_not_writable(obj: bpy.types.Object) -> str:
    """Why keys of an object cannot be written now; empty where they can."""
    why, data = why_action_is_held(obj), obj.animation_data
    if why:
        return why
    if data is not None and data.action is not None and not data.action.is_editable:
        return f'The action "{data.action.name}" is linked from another file: make it local, or take a new one'
    return ""


def adds_to_others(obj: bpy.types.Object) -> bool:
    """Whether the object's action is only a part of what it shows: the NLA's strips below it show through."""
    data = obj.animation_data
    if data is None or not data.use_nla or not any(track.strips and not track.mute for track in data.nla_tracks):
        return False
    return data.action_blend_type != "REPLACE" or data.action_influence < 1


def locked_bones(obj: bpy.types.Object) -> set[str]:
    """Names of the bones of which a curve, or the group of one, is locked in the animation editors."""
    locked = (curve for curve in curves_of(obj) if curve.lock or (curve.group is not None and curve.group.lock))
    return {bone_of(curve.data_path) for curve in locked} - {""}


def bone_of(data_path: str) -> str:
    """The name of the bone that a data path belongs to, or the empty text."""
    head, separator, tail = data_path.partition('pose.bones["')
    return bpy.utils.unescape_identifier(tail.partition('"]')[0]) if separator and not head else ""


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
    """A new action for an object; the one it had stays in the file, with a fake user.

    Raises:
        PoiseError: the object cannot get another action now.
    """
    require_free_action(obj)
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

    Raises:
        PoiseError: the object cannot get another action now.
    """
    require_free_action(obj)
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
