# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Interpolate": in-betweens on the timeline."""

import bpy

from ..operators.common import find_rig
from .common import SidebarPanel


class POISE_PT_interpolate(SidebarPanel, bpy.types.Panel):
    bl_label = "Interpolate"
    bl_idname = "POISE_PT_interpolate"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        rig = find_rig(context)
        animated = rig is not None and rig.animation_data is not None and rig.animation_data.action is not None
        stored = rig is not None and len(rig.poise.poses) > 1
        for source, text, possible in (("KEYS", "Between All Keys", animated),
                                       ("SELECTED", "Between Selected Keys", animated),
                                       ("STORED", "Between Stored Poses", stored)):  # fmt: skip
            row = column.row(align=True)
            row.active = possible  # dimmed, but it still answers a press with what is missing
            row.operator("poise.interpolate", text=text, icon="IPO_EASE_IN_OUT").source = source


def register() -> None:
    bpy.utils.register_class(POISE_PT_interpolate)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_PT_interpolate)
