# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and resets of the pose sliders; the sliders themselves are a property of the body."""

import bpy
from bpy.props import EnumProperty

from ..texts import told
from .common import RigOperator, TimelineOperator, rig_of


class POISE_OT_key_sliders(TimelineOperator, bpy.types.Operator):
    """Key all pose sliders at the current frame; at playback they move the bones that have no keys of their own"""

    bl_idname = "poise.key_sliders"
    bl_label = "Key Sliders"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.keying.keys import animated_bones
        from ..rig.pose import read_rig

        obj = rig_of(context)
        own = len(animated_bones(obj) & set(read_rig(obj).bones))
        obj.keyframe_insert("poise.sliders", group="Pose Sliders")
        if own:
            self.report({"INFO"}, told("{n} bones have keys of their own and follow these, not the sliders", n=own))


class POISE_OT_reset_sliders(RigOperator, bpy.types.Operator):
    """Set all pose sliders to 0"""

    bl_idname = "poise.reset_sliders"
    bl_label = "Reset Sliders"
    bl_options = {"REGISTER", "UNDO"}

    pose: EnumProperty(  # type: ignore[valid-type]
        name="Pose",
        description="What becomes of the pose",
        items=(
            ("RETURN", "Return", "The body goes back to the pose that the sliders started from"),
            ("KEEP", "Keep", "The body stays; the sliders start from this pose"),
        ),
    )

    def run(self, context: bpy.types.Context) -> None:
        from ..properties import without_updates
        from ..rig.posing.sliders import forget_base

        obj = rig_of(context)
        zeros = [0.0] * len(obj.poise.sliders)
        if self.pose == "RETURN":
            obj.poise.sliders = zeros
            return
        with without_updates():
            obj.poise.sliders = zeros
        forget_base(obj)


_CLASSES = (POISE_OT_key_sliders, POISE_OT_reset_sliders)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
