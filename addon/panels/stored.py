# SPDX-License-Identifier: GPL-3.0-or-later
"""The subpanel "Stored Poses" of the sidebar's panel "Pose"."""

import bpy

from ..operators.common import find_rig
from .common import SidebarPanel


class POISE_UL_poses(bpy.types.UIList):
    """Stored poses"""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index) -> None:
        layout.prop(item, "name", text="", emboss=False, icon="POSE_HLT")


class POISE_PT_stored_poses(SidebarPanel, bpy.types.Panel):
    bl_label = "Stored Poses"
    bl_idname = "POISE_PT_stored_poses"
    bl_parent_id = "POISE_PT_pose"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
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
        row = layout.row(align=True)
        row.operator("poise.save_pose_asset", icon="ASSET_MANAGER").poses = "PRESENT"
        row.operator("poise.save_pose_asset", text="All Stored").poses = "STORED"


_CLASSES = (POISE_UL_poses, POISE_PT_stored_poses)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
