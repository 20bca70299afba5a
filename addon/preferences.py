# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences."""

import bpy
from bpy.props import StringProperty

PACKAGE = __package__.rpartition(".addon")[0]
"""The add-on's name as Blender knows it, for example bl_ext.user_default.poise."""


class PoisePreferences(bpy.types.AddonPreferences):
    bl_idname = PACKAGE

    body_folder: StringProperty(  # type: ignore[valid-type]
        name="Body Files",
        description="Folder of your own SMPL, SMPL-H or SMPL-X files, where Add Body from File opens",
        subtype="DIR_PATH",
    )
    worker_python: StringProperty(  # type: ignore[valid-type]
        name="Worker Python",
        description="Python interpreter for long jobs, for example one with torch; empty for Blender's own",
        subtype="FILE_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "body_folder")
        layout.prop(self, "worker_python")


def preferences(context: bpy.types.Context) -> PoisePreferences:
    return context.preferences.addons[PACKAGE].preferences


def register() -> None:
    bpy.utils.register_class(PoisePreferences)


def unregister() -> None:
    bpy.utils.unregister_class(PoisePreferences)
