# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Solve": poses from targets."""

import bpy

from ..operators.common import find_rig, is_rig
from .common import SidebarPanel


class POISE_PT_solve(SidebarPanel, bpy.types.Panel):
    bl_label = "Solve"
    bl_idname = "POISE_PT_solve"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        row = column.row(align=True)
        row.enabled = is_rig(find_rig(context))  # a menu does not grey with its operator
        row.operator_menu_enum("poise.add_targets", "joints", icon="EMPTY_AXIS")
        column.operator("poise.solve_targets", icon="CON_KINEMATIC")


def register() -> None:
    bpy.utils.register_class(POISE_PT_solve)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_PT_solve)
