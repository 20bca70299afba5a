# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "From Camera": poses from a picture behind the camera, motion from a movie clip's tracks."""

import bpy

from ..operators.common import find_rig, is_rig
from .common import SidebarPanel


class POISE_PT_camera(SidebarPanel, bpy.types.Panel):
    bl_label = "From Camera"
    bl_idname = "POISE_PT_camera"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, camera = self.layout, context.scene.camera
        if camera is None:
            layout.label(text="The scene has no active camera", icon="INFO")
        else:
            layout.label(text=camera.name, icon="CAMERA_DATA")
        column = layout.column(align=True)
        row = column.row(align=True)
        row.enabled = camera is not None and is_rig(find_rig(context))  # a menu does not grey with its operator
        row.operator_menu_enum("poise.add_picture_targets", "joints", icon="EMPTY_AXIS")
        column.operator("poise.solve_picture", icon="IMAGE_BACKGROUND")
        layout.operator("poise.solve_tracks", icon="TRACKER")
        self.draw_job("pictures")


def register() -> None:
    bpy.utils.register_class(POISE_PT_camera)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_PT_camera)
