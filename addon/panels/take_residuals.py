# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels "Residuals" and "Correct" of takes: how well a take fits, where it does not, and fixes."""

from typing import Any, cast

import bpy

from .. import take_report
from ..take_lookup import find_take
from ..texts import shown
from .common import TakePanel

_PICTURE = 9.0  # units of the interface


class POISE_PT_take_residuals(TakePanel, bpy.types.Panel):
    bl_label = "Residuals"
    bl_idname = "POISE_PT_take_residuals"

    def draw(self, context: bpy.types.Context) -> None:
        layout, take = self.layout, find_take(context)
        if take is None:
            return
        report = take_report.report_of(take)
        if report is None:
            layout.label(text="Not solved yet", icon="INFO")
        else:
            self._draw_figures(take, report)
            layout.template_icon(report.icon, scale=_PICTURE)
            self._draw_worst(context, take, report)
        row = layout.row()
        row.prop(context.scene, "poise_marker_lines")
        row.prop(context.scene, "poise_marker_names")

    def _draw_figures(self, take: Any, report: take_report.TakeReport) -> None:
        column = self.layout.column(align=True)
        row = column.row()
        row.label(text="This Frame")
        row.label(text=shown("{mm} mm", mm=f"{take.poise_take.residual_mm:.1f}"))
        row = column.row()
        row.label(text="Mean, 95 %")
        row.label(text=shown("{mean}, {high} mm", mean=f"{1e3 * report.mean:.1f}", high=f"{1e3 * report.high:.1f}"))

    def _draw_worst(self, context: bpy.types.Context, take: Any, report: take_report.TakeReport) -> None:
        from ..rig.takes.scene import scene_frame

        layout, scene = self.layout, cast("bpy.types.Scene", context.scene)
        row = layout.row(align=True)
        row.label(text="Worst Moments")
        row.operator("poise.go_to_moment", text="", icon="PREV_KEYFRAME").which = "PREVIOUS"
        row.operator("poise.go_to_moment", text="", icon="NEXT_KEYFRAME").which = "NEXT"
        column = layout.column(align=True)
        for rank, moment in enumerate(report.worst, start=1):
            frame = scene_frame(take, scene, moment.frame)
            label = take.poise_take.labels[moment.marker].name.rpartition(":")[2]
            text = shown(
                "Frame {frame}:  {mm} mm, {label}", frame=f"{frame:.0f}", mm=f"{1e3 * moment.marker_residual:.0f}",
                label=label,
            )  # fmt: skip
            here = abs(frame - scene.frame_current_final) < 0.5
            button = column.operator("poise.go_to_moment", text=text, depress=here)
            button.which, button.rank = "RANK", rank


class POISE_PT_take_correct(TakePanel, bpy.types.Panel):
    bl_label = "Correct"
    bl_idname = "POISE_PT_take_correct"

    def draw(self, context: bpy.types.Context) -> None:
        layout, take = self.layout, find_take(context)
        if take is None:
            return
        data: Any = take.poise_take  # type: ignore[attr-defined]
        if 0 <= data.active_label < len(data.labels):
            label = data.labels[data.active_label]
            row = layout.row()
            row.label(text=label.name.rpartition(":")[2], icon="PINNED" if label.placed else "UNPINNED")
            row.label(text="Placed by hand" if label.placed else "Usual place" if label.marker else "Not mapped")
            row = layout.row(align=True)
            row.operator("poise.place_marker", icon="RESTRICT_SELECT_OFF")
            if label.placed:
                row.operator("poise.reset_place", text="", icon="X")
        layout.operator("poise.resolve_range", icon="FILE_REFRESH")


_CLASSES = (POISE_PT_take_residuals, POISE_PT_take_correct)
_register_classes, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def register() -> None:
    _register_classes()


def unregister() -> None:
    _unregister_classes()
    take_report.forget()
