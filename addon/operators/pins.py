# SPDX-License-Identifier: GPL-3.0-or-later
"""Pinning targets and freeing them, and putting them back on the body."""

import bpy

from ...vendor_core.errors import PoiseError
from .common import RigOperator, rig_of


class POISE_OT_pin_targets(bpy.types.Operator):
    """Pin the selected targets or free them: a pinned one pulls, a free one follows the body"""

    bl_idname = "poise.pin_targets"
    bl_label = "Pin or Free Selected"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if any("poise_joint" in obj for obj in context.selected_objects):
            return True
        cls.poll_message_set("Select targets")  # type: ignore[attr-defined]
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        toggle_pins(context)
        return {"FINISHED"}


class POISE_OT_turn_targets(bpy.types.Operator):
    """Let the selected targets hold the rotation of their joints too, or free it; turn them with R"""

    bl_idname = "poise.turn_targets"
    bl_label = "Hold or Free Rotation"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        from ..rig.names import LOOK_AT

        if any(obj.get("poise_joint", LOOK_AT) != LOOK_AT for obj in context.selected_objects):
            return True
        cls.poll_message_set("Select targets of joints")  # type: ignore[attr-defined]
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        toggle_turns(context)
        return {"FINISHED"}


class POISE_OT_snap_targets(RigOperator, bpy.types.Operator):
    """Put all targets of the body where its joints are now"""

    bl_idname = "poise.snap_targets"
    bl_label = "Snap Targets to Body"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.live.handles import snap_to_body, targets_of
        from ..rig.pose import read_rig

        obj = rig_of(context)
        read_rig(obj)
        targets = targets_of(context.view_layer.objects, obj.name)
        if not targets:
            raise PoiseError(f'"{obj.name}" has no targets; expected empties made by Add Targets or Pose Live')
        snap_to_body(obj, targets)


def toggle_pins(context: bpy.types.Context) -> None:
    """Pin the selected targets; free them where all are pinned."""
    from ..rig.live.handles import is_handle, is_pinned, set_pinned

    chosen = [obj for obj in context.selected_objects if is_handle(obj)]
    pin = not all(is_pinned(obj) for obj in chosen)
    for obj in chosen:
        set_pinned(obj, pin)


def toggle_turns(context: bpy.types.Context) -> None:
    """Let the selected targets hold the rotation of their joints; free it where all hold theirs."""
    from ..rig.live.handles import can_turn, is_handle, is_turned, set_turned

    chosen = [obj for obj in context.selected_objects if is_handle(obj) and can_turn(obj)]
    turn = not all(is_turned(obj) for obj in chosen)
    for obj in chosen:
        set_turned(obj, turn)


_CLASSES = (POISE_OT_pin_targets, POISE_OT_turn_targets, POISE_OT_snap_targets)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
