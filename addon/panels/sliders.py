# SPDX-License-Identifier: GPL-3.0-or-later
"""The subpanel "Pose Sliders" of the sidebar's panel "Pose"."""

import bpy

from ..operators.common import find_rig, is_rig
from ..sliders import names_of
from .common import SidebarPanel


class POISE_PT_sliders(SidebarPanel, bpy.types.Panel):
    bl_label = "Pose Sliders"
    bl_idname = "POISE_PT_sliders"
    bl_parent_id = "POISE_PT_pose"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return is_rig(find_rig(context))

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        rig = find_rig(context)
        assert rig is not None
        column = layout.column(align=True)
        column.enabled = rig.library is None and rig.mode != "EDIT"
        for i, name in enumerate(names_of(rig, context.scene)):
            column.prop(rig.poise, "sliders", index=i, text=name, slider=True)
        column = layout.column(align=True)
        column.operator("poise.key_sliders", icon="KEY_HLT")
        row = column.row(align=True)
        row.operator("poise.reset_sliders", text="Return to 0", icon="LOOP_BACK").pose = "RETURN"
        row.operator("poise.reset_sliders", text="Keep Pose", icon="CHECKMARK").pose = "KEEP"


def register() -> None:
    bpy.utils.register_class(POISE_PT_sliders)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_PT_sliders)
