# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Pose Live"."""

from typing import TYPE_CHECKING, Any

import bpy

from ..operators import live
from ..operators.common import find_rig, is_rig
from .common import SidebarPanel

if TYPE_CHECKING:
    from ..rig.live.session import LiveSession


class POISE_PT_live(SidebarPanel, bpy.types.Panel):
    bl_label = "Pose Live"
    bl_idname = "POISE_PT_live"

    def draw(self, context: bpy.types.Context) -> None:
        layout: Any = self.layout
        if live.session is None:
            layout.operator("poise.pose_live", text="Start", icon="HAND")
        else:
            row = layout.row(align=True)
            row.operator("poise.end_live", text="Finish", icon="CHECKMARK").result = "KEEP"
            row.operator("poise.end_live", text="Cancel", icon="X").result = "RESTORE"
            _draw_notes(layout, live.session, context)
        rig = find_rig(context)
        if rig is not None and is_rig(rig):
            column = layout.column(heading="Options", align=True)
            column.use_property_split = True
            column.use_property_decorate = False
            column.prop(rig.poise, "live_more")
            column.prop(rig.poise, "live_grounded")
        chosen = [obj for obj in context.selected_objects if "poise_joint" in obj]
        if chosen or live.session is not None:
            _draw_targets(layout, chosen)
        if live.session is not None:
            layout.operator("poise.mirror_live", text="Mirror Pose", icon="MOD_MIRROR")
            _draw_limbs(layout, live.session)


def _draw_notes(layout: bpy.types.UILayout, session: "LiveSession", context: bpy.types.Context) -> None:
    """What is out of reach, and what does not follow."""
    from ..rig.live.misses import miss_text

    scene: Any = context.scene
    if line := miss_text(session.misses, scene):
        layout.label(text=line, icon="ERROR")
    for line in session.held.notes:
        layout.label(text=line, icon="INFO")


def _draw_targets(layout: bpy.types.UILayout, chosen: list[bpy.types.Object]) -> None:
    """What can be done with the selected targets; the buttons show their state."""
    pinned = bool(chosen) and all(obj.get("poise_pinned", True) for obj in chosen)
    turned = bool(chosen) and all(obj.get("poise_turned", False) for obj in chosen)
    column = layout.column(align=True)
    column.operator("poise.pin_targets", depress=pinned, icon="PINNED" if pinned else "UNPINNED")
    column.operator("poise.turn_targets", depress=turned, icon="ORIENTATION_GIMBAL")
    column.operator("poise.snap_targets", icon="SNAP_ON")


def _draw_limbs(layout: bpy.types.UILayout, session: "LiveSession") -> None:
    grid = layout.grid_flow(row_major=True, columns=2, even_columns=True, align=True)
    for limb in live.LIMBS:
        locked = limb in session.locked
        button = grid.operator(
            "poise.lock_limb", text=limb.replace("_", " ").title(), depress=locked,
            icon="LOCKED" if locked else "UNLOCKED",
        )  # fmt: skip
        button.limb = limb


def register() -> None:
    bpy.utils.register_class(POISE_PT_live)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_PT_live)
