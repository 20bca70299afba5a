# SPDX-License-Identifier: GPL-3.0-or-later
"""The subpanel "Live" of the sidebar's panel "Solve"."""

import bpy

from ..operators import live
from .common import SidebarPanel


class POISE_PT_live(SidebarPanel, bpy.types.Panel):
    bl_label = "Live"
    bl_idname = "POISE_PT_live"
    bl_parent_id = "POISE_PT_solve"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        if live.session is None:
            layout.operator("poise.pose_live", icon="HAND")
        else:
            row = layout.row(align=True)
            row.operator("poise.end_live", text="Finish", icon="CHECKMARK").result = "KEEP"
            row.operator("poise.end_live", text="Cancel", icon="X").result = "RESTORE"
            if live.session.missed:
                layout.label(text=live.session.missed, icon="ERROR")
        column = layout.column(align=True)
        column.operator("poise.pin_targets", icon="PINNED")
        column.operator("poise.snap_targets", icon="SNAP_ON")
        if live.session is not None:
            grid = layout.grid_flow(row_major=True, columns=2, even_columns=True, align=True)
            for limb in live.LIMBS:
                locked = limb in live.session.locked
                button = grid.operator(
                    "poise.lock_limb", text=limb.replace("_", " ").title(), depress=locked,
                    icon="LOCKED" if locked else "UNLOCKED",
                )  # fmt: skip
                button.limb = limb


def register() -> None:
    bpy.utils.register_class(POISE_PT_live)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_PT_live)
