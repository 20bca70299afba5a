# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Pose Prior": what all tools know of plausible poses."""

import bpy

from .common import SidebarPanel


class POISE_PT_prior(SidebarPanel, bpy.types.Panel):
    bl_label = "Pose Prior"
    bl_idname = "POISE_PT_prior"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        column.row(align=True).prop(context.scene, "poise_prior", expand=True)
        if context.scene.poise_prior == "FILE":
            column.prop(context.scene, "poise_prior_file", text="", placeholder="mine.npz, or V02_05")


def register() -> None:
    bpy.utils.register_class(POISE_PT_prior)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_PT_prior)
