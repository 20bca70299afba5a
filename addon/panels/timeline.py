# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "In-Betweens": key poses filled in on the timeline, and fewer keys."""

import bpy

from ..operators.common import find_rig
from ..operators.interpolate import draw_options, draw_tolerance
from ..timeline_options import give_options
from .common import SidebarPanel

_SOURCES = (
    ("KEYS", "Between All Keys"),
    ("SELECTED", "Between Selected Keys"),
    ("STORED", "Between Stored Poses"),
    ("GENERATED", "To a Generated Pose"),
)


class POISE_PT_interpolate(SidebarPanel, bpy.types.Panel):
    bl_label = "In-Betweens"
    bl_idname = "POISE_PT_interpolate"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        rig, options = find_rig(context), context.scene.poise_timeline
        keyed = _is_keyed(rig)
        possible = {"KEYS": keyed, "SELECTED": keyed, "STORED": rig is not None and len(rig.poise.poses) > 1,
                    "GENERATED": rig is not None}  # fmt: skip
        for source, text in _SOURCES:
            row = column.row(align=True)
            row.active = possible[source]  # dimmed, but it still answers a press with what is missing
            button = row.operator("poise.interpolate", text=text, icon="IPO_EASE_IN_OUT")
            give_options(options, button)
            button.source = source
        row = self.layout.row()
        row.active = keyed
        button = row.operator("poise.reduce_keys", icon="IPO_BEZIER")
        button.max_angle, button.max_distance = options.max_angle, options.max_distance


class POISE_PT_interpolate_options(SidebarPanel, bpy.types.Panel):
    bl_label = "Options"
    bl_idname = "POISE_PT_interpolate_options"
    bl_parent_id = "POISE_PT_interpolate"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        options = context.scene.poise_timeline
        layout.prop(options, "spacing")
        draw_options(layout, options, of_timeline=True)
        draw_tolerance(layout, options, active=True)  # Reduce Keys heeds it too


def _is_keyed(rig: bpy.types.Object | None) -> bool:
    return rig is not None and rig.animation_data is not None and rig.animation_data.action is not None


_CLASSES = (POISE_PT_interpolate, POISE_PT_interpolate_options)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
