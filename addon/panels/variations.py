# SPDX-License-Identifier: GPL-3.0-or-later
"""The subpanel "Variations" of the sidebar's panel "Pose": poses like the present one, to choose from by pictures."""

import bpy

from .. import gallery
from ..operators.common import find_rig
from ..sliders import locked_limbs
from .common import SidebarPanel

_COLUMNS = 3


class POISE_PT_variations(SidebarPanel, bpy.types.Panel):
    bl_label = "Variations"
    bl_idname = "POISE_PT_variations"
    bl_parent_id = "POISE_PT_pose"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        rig = find_rig(context)
        column = layout.column(align=True)
        if rig is not None:
            column.prop(rig.poise, "variation", text="Amount", slider=True)
        row = column.row(align=True)
        buttons = [
            row.operator("poise.vary_pose", text="Vary", icon="FILE_REFRESH"),
            row.operator("poise.key_variations", text="Key", icon="KEY_HLT"),
        ]
        row = column.row(align=True)
        buttons.append(row.operator("poise.make_variations", icon="IMGDISPLAY"))
        if rig is not None:
            for button in buttons:
                button.amount, button.lock = rig.poise.variation, locked_limbs(rig)
        offered = gallery.gallery_of(rig)
        if offered is not None:
            row.operator("poise.pick_variation", text="", icon="LOOP_BACK", depress=offered.picked == 0).index = 0
            self._draw_gallery(offered)

    def _draw_gallery(self, offered: gallery.Gallery) -> None:
        grid = self.layout.grid_flow(row_major=True, columns=_COLUMNS, even_columns=True, even_rows=True, align=True)
        for i, icon in enumerate(offered.icons, start=1):
            cell = grid.column(align=True)
            cell.template_icon(icon_value=icon, scale=4.5)
            cell.operator("poise.pick_variation", text=str(i), depress=offered.picked == i).index = i


def register() -> None:
    bpy.utils.register_class(POISE_PT_variations)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_PT_variations)
