# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Motion Capture"."""

import bpy

from .common import SidebarPanel


class POISE_PT_mocap(SidebarPanel, bpy.types.Panel):
    bl_label = "Motion Capture"
    bl_idname = "POISE_PT_mocap"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator("poise.import_c3d", icon="IMPORT")
        self.draw_job("solve")
        row = layout.row(align=True)
        row.operator("poise.import_motion", icon="IMPORT")
        row.operator("poise.export_motion", icon="EXPORT")


def register() -> None:
    bpy.utils.register_class(POISE_PT_mocap)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_PT_mocap)
