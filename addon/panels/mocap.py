# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Motion Capture": takes come in here; facts of the one that is meant, and its solve."""

import textwrap
from typing import Any

import bpy

from ..take_lookup import find_take, takes_of
from .common import MocapPanel

_LETTER = 6.5  # pixels of a letter's width at a scale of 1, about


class POISE_PT_mocap(MocapPanel, bpy.types.Panel):
    bl_label = "Motion Capture"
    bl_idname = "POISE_PT_mocap"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        column = layout.column(align=True)
        column.operator("poise.import_c3d", icon="IMPORT")
        column.operator("poise.import_motion", icon="IMPORT")
        column.operator("poise.export_motion", icon="EXPORT")
        take = find_take(context)
        if take is not None:
            self._draw_take(context, take)
        elif takes_of(context.scene):  # type: ignore[arg-type]
            layout.label(text="Select a take or its body", icon="INFO")
        for job in ("solve", "label"):
            self.draw_job(job)

    def _draw_take(self, context: bpy.types.Context, take: bpy.types.Object) -> None:
        layout, data = self.layout, take.poise_take  # type: ignore[attr-defined]
        box = layout.box().column(align=True)
        row = box.row(align=True)
        row.label(text=take.name, icon="EMPTY_AXIS")
        row.menu("POISE_MT_take", text="", icon="DOWNARROW_HLT")
        for line in facts(data):
            box.label(text=line)
        width = int(context.region.width / (_LETTER * context.preferences.system.ui_scale)) - 6
        for note in data.notes.split("\n") if data.notes else ():
            for i, part in enumerate(textwrap.wrap(note, max(width, 20))):
                box.label(text=part, icon="INFO" if i == 0 else "BLANK1")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(data, "start")
        if "\n" in data.subjects:
            column.prop(data, "subject")
        if context.scene.poise_prior != "VAE":  # what the solve follows is chosen in the other tab
            column.prop(context.scene, "poise_prior")
        layout.operator("poise.solve_take", icon="ARMATURE_DATA")


class POISE_MT_take(bpy.types.Menu):
    bl_label = "Take"
    bl_idname = "POISE_MT_take"

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.operator("poise.markers_to_empties", icon="OUTLINER_OB_EMPTY")


def facts(take: Any) -> tuple[str, str]:
    """What a take is, for an artist."""
    seconds = take.frames / take.rate
    return (
        f"{take.frames} frames, {take.rate:g} Hz, {seconds:.1f} s",
        f"{len(take.labels)} markers, {_percent(take.gaps)} gaps, {take.unit or 'no unit'}, {take.up} up",
    )


def _percent(share: float) -> str:
    return "no" if share == 0 else f"{100 * share:.1f} %" if share >= 0.001 else "<0.1 %"


_CLASSES = (POISE_MT_take, POISE_PT_mocap)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
