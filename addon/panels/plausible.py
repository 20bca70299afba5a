# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Plausibility": what is found of the pose, and repairs."""

import bpy

from .. import pose_check
from ..operators.common import find_rig
from ..texts import joint_text
from .common import SidebarPanel


class POISE_PT_plausible(SidebarPanel, bpy.types.Panel):
    bl_label = "Plausibility"
    bl_idname = "POISE_PT_plausible"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        rig = find_rig(context)
        check = None if rig is None else pose_check.latest(rig)
        current = rig is not None and check is not None and pose_check.pose_mark(rig) == check.mark
        row = layout.row(align=True)
        if check is not None:
            value = row.row(align=True)
            value.active = current  # dimmed where it is of another pose
            value.progress(factor=check.plausibility, text=pose_check.value_text(check.plausibility))
            row.operator("poise.check_pose", text="", icon="FILE_REFRESH")
        else:
            row.operator("poise.check_pose", icon="VIEWZOOM")
        layout.prop(context.scene, "poise_heat_map", text="Heat Map")
        column = layout.column(align=True)
        column.operator("poise.make_plausible", icon="SHADERFX")
        column.operator("poise.denoise", icon="SMOOTHCURVE")
        self.draw_job("denoise")
        if check is not None:  # below the buttons: they stay under the mouse as the list changes
            self._draw_blame(check, current)

    def _draw_blame(self, check: pose_check.PoseCheck, current: bool) -> None:
        column = self.layout.column(align=True)
        column.active = current
        for name, own in check.blamed:
            line = column.split(factor=0.75)
            line.label(text=joint_text(name), icon="BONE_DATA")
            line.label(text=pose_check.value_text(own))
        if not check.blamed:
            column.label(text="No joint stands out", icon="CHECKMARK")
        when = f"Frame {check.frame:g}"
        column.label(text=when if current else f"{when}; the pose has changed since", icon="TIME")


def register() -> None:
    bpy.utils.register_class(POISE_PT_plausible)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_PT_plausible)
