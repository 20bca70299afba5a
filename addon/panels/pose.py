# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Pose": generated poses, and limbs that they leave."""

import bpy

from ..operators.common import LIMB_ITEMS, find_rig
from ..sliders import locked_limbs
from .common import SidebarPanel

_LIMBS = ("left_arm", "head", "right_arm", "left_leg", "torso", "right_leg")  # as they stand in the panel
_INDICES = {item[0]: i for i, item in enumerate(LIMB_ITEMS)}


class POISE_PT_pose(SidebarPanel, bpy.types.Panel):
    bl_label = "Pose"
    bl_idname = "POISE_PT_pose"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        rig = find_rig(context)
        column = layout.column(align=True)
        generate = column.operator("poise.generate_pose", icon="SHADERFX")
        if rig is not None:
            generate.lock = locked_limbs(rig)
            grid = column.grid_flow(row_major=True, columns=3, even_columns=True, align=True)
            for limb in _LIMBS:
                i = _INDICES[limb]
                icon = "LOCKED" if rig.poise.locked[i] else "UNLOCKED"
                grid.prop(rig.poise, "locked", index=i, text=LIMB_ITEMS[i][1], toggle=True, icon=icon)
        layout.operator_menu_enum("poise.mirror_pose", "side", icon="MOD_MIRROR")


def register() -> None:
    bpy.utils.register_class(POISE_PT_pose)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_PT_pose)
