# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels for what labels mean, and for what is known of the person."""

from collections import Counter
from typing import Any

import bpy

from ..label_presets import preset_names
from ..marker_names import marker_names
from ..operators.mocap import LAYOUT_ITEMS
from ..take_lookup import find_take
from .common import TakePanel

_LAYOUTS = {name: text for name, text, _ in LAYOUT_ITEMS}


class POISE_UL_labels(bpy.types.UIList):
    """Labels of a take, what they mean, and how well that fits."""

    used: Counter[str] = Counter()  # how many labels mean each marker

    def draw_item(
        self, context: bpy.types.Context, layout: bpy.types.UILayout, data: Any, item: Any, icon: int | None,
        active_data: Any, active_property: str | None, index: int | None = 0, flt_flag: int | None = 0,
    ) -> None:  # fmt: skip
        label, marker, residual = columns(layout)
        label.label(text=own_name(item), icon=self._icon(item))
        marker.prop(item, "marker", text="", emboss=False)
        residual.label(text=f"{item.residual:.1f}" if item.residual >= 0 else "")

    def _icon(self, item: Any) -> Any:
        if not item.marker:
            return "BLANK1"
        return "DUPLICATE" if self.used[item.marker] > 1 else "PINNED" if item.placed else "CHECKMARK"

    def filter_items(self, context: bpy.types.Context, data: Any, property: str | None) -> tuple[list[int], list[int]]:
        labels = getattr(data, str(property))
        POISE_UL_labels.used = Counter(label.marker for label in labels)
        text, names = self.filter_name.lower(), marker_names()
        if not text:
            return [], []
        shown, flags = self.bitflag_filter_item, []
        for label in labels:
            words = f"{label.name} {label.marker} {names.get(label.marker, '')}".lower()
            flags.append(shown if text in words else 0)
        return flags, []


def columns(layout: bpy.types.UILayout) -> tuple[bpy.types.UILayout, bpy.types.UILayout, bpy.types.UILayout]:
    """A row of the table: label, marker, residual."""
    row = layout.split(factor=0.42, align=True)
    label = row.row(align=True)
    row = row.split(factor=0.74, align=True)
    return label, row.row(align=True), row.row(align=True)


def own_name(label: Any) -> str:
    """A label without its subject's prefix."""
    return label.name[len(label.subject) + 1 :] if label.subject else label.name


class POISE_MT_label_presets(bpy.types.Menu):
    bl_label = "Label Presets"
    bl_idname = "POISE_MT_label_presets"

    def draw(self, context: bpy.types.Context) -> None:
        layout, names = self.layout, preset_names()
        for name in names:
            layout.operator("poise.apply_label_preset", text=name).preset = name
        if not names:
            layout.label(text="None saved yet")
        layout.separator()
        layout.operator("poise.save_label_preset", icon="ADD")
        if names:
            layout.menu("POISE_MT_remove_label_preset", icon="REMOVE")


class POISE_MT_remove_label_preset(bpy.types.Menu):
    bl_label = "Remove Label Preset"
    bl_idname = "POISE_MT_remove_label_preset"

    def draw(self, context: bpy.types.Context) -> None:
        for name in preset_names():
            self.layout.operator("poise.remove_label_preset", text=name).preset = name


class POISE_PT_take_labels(TakePanel, bpy.types.Panel):
    bl_label = "Labels"
    bl_idname = "POISE_PT_take_labels"

    def draw(self, context: bpy.types.Context) -> None:
        layout, take = self.layout, find_take(context)
        assert take is not None
        data: Any = take.poise_take
        if data.layout:
            name = _LAYOUTS.get(data.layout, data.layout)
            layout.label(text=f"{name}, {100 * data.confidence:.0f} % of its markers")
        elif any(label.marker for label in data.labels):
            layout.label(text="Mapped by hand")
        else:
            layout.label(text="No layout fits: map labels, then solve", icon="ERROR")
        head = layout.column(align=True)
        titles = ("Label", "Marker", "mm" if data.residual_version else "")
        for column, text in zip(columns(head.row()), titles, strict=True):
            column.active = False
            column.label(text=text)
        head.template_list("POISE_UL_labels", "", data, "labels", data, "active_label", rows=7)
        if 0 <= data.active_label < len(data.labels):
            self._draw_label(data.labels[data.active_label])
        row = layout.row(align=True)
        row.operator("poise.map_labels", icon="VIEWZOOM")
        row.operator("poise.clear_labels", text="", icon="X")
        row.menu("POISE_MT_label_presets", text="", icon="PRESET")

    def _draw_label(self, label: Any) -> None:
        row = self.layout.row(align=True)
        row.prop(label, "marker", text="", icon="MESH_UVSPHERE")
        words = marker_names().get(label.marker, "")
        missed = f", {label.residual:.1f} mm" if label.residual >= 0 else ""
        self.layout.label(text=f"{own_name(label)}: {words}{missed}" if words else f"{own_name(label)}: not used")


class POISE_PT_take_subject(TakePanel, bpy.types.Panel):
    bl_label = "Calibration"
    bl_idname = "POISE_PT_take_subject"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, take = self.layout, find_take(context)
        assert take is not None
        data: Any = take.poise_take
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(data, "calibrate", text="Person")
        if data.calibrate == "TAKE":
            layout.prop(data, "calibrated_take")
        row = layout.row(align=True)
        row.operator("poise.load_subject", text="Load", icon="FILE_FOLDER")
        save = row.row(align=True)
        save.enabled = bool(data.calibration)
        save.operator("poise.save_subject", text="Save", icon="FILE_TICK")


_CLASSES = (
    POISE_UL_labels,
    POISE_MT_label_presets,
    POISE_MT_remove_label_preset,
    POISE_PT_take_labels,
    POISE_PT_take_subject,
)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
