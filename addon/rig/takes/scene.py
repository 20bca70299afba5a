# SPDX-License-Identifier: GPL-3.0-or-later
"""A take in the scene: making its empty, finding it, and its frames among those of the scene."""

from pathlib import Path
from typing import Any

import bpy

from ....vendor_core.errors import LayoutError
from ....vendor_core.mocap.c3d import C3D
from ....vendor_core.mocap.layout_table import simplified, synonyms
from ....vendor_core.mocap.layouts import LabelMap, map_markers
from ....vendor_core.mocap.timing import turned_to_z, up_axis_of
from .arrays import put_points

_SIZE = 0.25  # metres, of the empty's axes


def is_take(obj: bpy.types.Object | None) -> bool:
    """Whether an object is a take."""
    return obj is not None and obj.type == "EMPTY" and bool(obj.poise_take.version)  # type: ignore[attr-defined]


def add_take(context: bpy.types.Context, take: C3D, path: Path, start: int = 1) -> bpy.types.Object:
    """Add a take to the scene as an empty named after its file, which becomes the active object.

    Points that software computed, and those that are never seen, are left out. Labels are mapped where they fit a
    layout, else those that are known. Axes are turned so that Z is up, as markers of the body say where they are
    known, else as the file says.

    Args:
        context: the scene.
        take: as `read_take` gives it.
        path: its file.
        start: frame of the scene at which it begins.
    """
    columns = take.markers()
    label_map = _label_map(take)
    meant = label_map.columns if label_map is not None else _known(take)
    markers = [meant.get(int(column), "") for column in columns]
    points = take.points[:, columns]
    up = up_axis_of(points, markers, take.up_axis)
    obj = bpy.data.objects.new(path.stem, None)
    obj.empty_display_type, obj.empty_display_size = "PLAIN_AXES", _SIZE
    data: Any = obj.poise_take
    data.source, data.rate, data.start = str(path), take.rate, start
    data.unit, data.up, data.notes = take.units, up, "\n".join(take.warnings)
    for column, marker in zip(columns, markers, strict=True):
        label = data.labels.add()
        label.name, label.marker, label.subject = take.labels[column], marker, take.labels[column].rpartition(":")[0]
    if label_map is not None:
        data.layout, data.confidence = label_map.layout, label_map.confidence
    put_points(obj, turned_to_z(points, up))
    context.scene.collection.objects.link(obj)
    for other in context.selected_objects:
        other.select_set(False)
    obj.select_set(True)
    context.view_layer.objects.active = obj
    return obj


def take_frame(obj: bpy.types.Object, scene: bpy.types.Scene) -> float:
    """The take's frame, counted from 0, with a fraction, that the scene's current frame shows; it may lie outside."""
    take: Any = obj.poise_take
    return (scene.frame_current_final - take.start) * take.rate * scene.render.fps_base / scene.render.fps


def scene_frame(obj: bpy.types.Object, scene: bpy.types.Scene, frame: float) -> float:
    """The scene's frame that shows a take's frame, counted from 0."""
    take: Any = obj.poise_take
    return take.start + frame / take.rate * scene.render.fps / scene.render.fps_base


def _label_map(take: C3D) -> LabelMap | None:
    try:
        return map_markers(take)
    except LayoutError:
        return None


def _known(take: C3D) -> dict[int, str]:
    """Markers of the labels that are known, though they fit no layout."""
    meant = {c: synonyms().get(simplified(label.rpartition(":")[2])) for c, label in enumerate(take.labels)}
    return {column: marker for column, marker in meant.items() if marker}
