# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "In-Betweens": key poses filled in on the timeline, and fewer keys."""

import bpy

from ..operators.common import find_rig
from ..operators.interpolate import draw_options
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
        rig = find_rig(context)
        keyed = _is_keyed(rig)
        possible = {"KEYS": keyed, "SELECTED": keyed, "STORED": rig is not None and len(rig.poise.poses) > 1,
                    "GENERATED": rig is not None}  # fmt: skip
        for source, text in _SOURCES:
            row = column.row(align=True)
            row.active = possible[source]  # dimmed, but it still answers a press with what is missing
            button = row.operator("poise.interpolate", text=text, icon="IPO_EASE_IN_OUT")
            give_options(context.scene.poise_timeline, button)
            button.source = source


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


class POISE_PT_reduce_keys(SidebarPanel, bpy.types.Panel):
    bl_label = "Fewer Keys"
    bl_idname = "POISE_PT_reduce_keys"
    bl_parent_id = "POISE_PT_interpolate"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, options = self.layout, context.scene.poise_timeline
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(options, "max_angle")
        layout.prop(options, "max_distance")
        row = layout.row()
        row.active = _is_keyed(find_rig(context))
        button = row.operator("poise.reduce_keys", icon="IPO_BEZIER")
        button.max_angle, button.max_distance = options.max_angle, options.max_distance


def _is_keyed(rig: bpy.types.Object | None) -> bool:
    return rig is not None and rig.animation_data is not None and rig.animation_data.action is not None


_CLASSES = (POISE_PT_interpolate, POISE_PT_interpolate_options, POISE_PT_reduce_keys)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
