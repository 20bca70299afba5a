# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Pose": generated and stored poses."""

import bpy

from ..operators.common import find_rig
from .common import SidebarPanel


class POISE_UL_poses(bpy.types.UIList):
    """Stored poses"""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index) -> None:
        layout.prop(item, "name", text="", emboss=False, icon="POSE_HLT")


class POISE_PT_pose(SidebarPanel, bpy.types.Panel):
    bl_label = "Pose"
    bl_idname = "POISE_PT_pose"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator("poise.generate_pose", icon="SHADERFX")
        rig = find_rig(context)
        if rig is None:
            layout.operator("poise.store_pose", icon="ADD")
            return
        row = layout.row()
        row.template_list("POISE_UL_poses", "", rig.poise, "poses", rig.poise, "active_pose", rows=3)
        buttons = row.column(align=True)
        buttons.operator("poise.store_pose", text="", icon="ADD")
        buttons.operator("poise.remove_pose", text="", icon="REMOVE")
        layout.operator("poise.apply_pose", icon="ARMATURE_DATA")
        layout.operator_menu_enum("poise.mirror_pose", "side", icon="MOD_MIRROR")


_CLASSES = (POISE_UL_poses, POISE_PT_pose)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
