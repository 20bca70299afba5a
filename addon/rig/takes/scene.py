# SPDX-License-Identifier: GPL-3.0-or-later
"""A take in the scene: making its empty, finding it, and its frames among those of the scene."""

from pathlib import Path
from typing import Any

import bpy

from ....vendor_core.mocap.c3d import C3D
from ....vendor_core.mocap.timing import turned_to_z, up_axis_of
from ...take_lookup import forget_takes, is_take, takes_of
from ...take_properties import NO_PREFIX
from .arrays import put_points
from .labels import known_labels, try_map

__all__ = ["add_take", "is_take", "make_active", "scene_frame", "take_frame", "takes_of"]

_SIZE = 0.25  # metres, of the empty's axes
_SAME_START, _SAME_STEP = 0.1, 1e-4  # frames, and a share of the step: what single precision keeps of them


def add_take(
    context: bpy.types.Context, take: C3D, path: Path, start: int = 1, layout: str | Path = "auto"
) -> bpy.types.Object:
    """Add a take to the scene as an empty named after its file, which becomes the active object.

    Points that software computed, and those that are never seen, are left out. Labels are mapped where they fit a
    layout, else those that are known. Axes are turned so that Z is up, as markers of the body say where they are
    known, else as the file says.

    Args:
        context: the scene.
        take: as `read_take` gives it.
        path: its file.
        start: frame of the scene at which it begins.
        layout: "auto", or the layout's name or file.
    """
    columns = take.markers()
    label_map = try_map(take, layout)
    meant = label_map.columns if label_map is not None else known_labels(take)
    markers = [meant.get(int(column), "") for column in columns]
    points = take.points[:, columns]
    up = up_axis_of(points, markers, take.up_axis)
    obj = bpy.data.objects.new(path.name, None)
    obj.empty_display_type, obj.empty_display_size = "PLAIN_AXES", _SIZE
    data: Any = obj.poise_take
    data.source, data.rate, data.start = str(path), take.rate, start
    data.unit, data.up, data.notes = take.units, up, "\n".join(take.warnings)
    own = "" if label_map is None else label_map.subject
    for column, marker in zip(columns, markers, strict=True):
        label = data.labels.add()
        label.name, label.marker, label.subject = take.labels[column], marker, _subject(take.labels[column], own)
    data.subjects = "\n".join(dict.fromkeys(label.subject for label in data.labels if label.subject or not own))
    if label_map is not None:
        data.layout, data.confidence = label_map.layout, label_map.confidence
        if "\n" in data.subjects:
            data.subject = own or NO_PREFIX
    put_points(obj, turned_to_z(points, up))
    context.scene.collection.objects.link(obj)
    forget_takes()
    make_active(context, obj)
    return obj


def _subject(label: str, mapped: str) -> str:
    """The prefix of a label; `mapped` is that of the labels that are mapped."""
    before, _, _ = label.rpartition(":")
    return before or (mapped if mapped and label.startswith(f"{mapped}_") else "")


def make_active(context: bpy.types.Context, obj: bpy.types.Object) -> None:
    """Have an object, alone, selected and active."""
    for other in context.selected_objects:
        other.select_set(False)
    obj.select_set(True)
    context.view_layer.objects.active = obj


def take_frame(obj: bpy.types.Object, scene: bpy.types.Scene) -> float:
    """The take's frame, counted from 0, with a fraction, that the scene's current frame shows; it may lie outside."""
    take: Any = obj.poise_take
    return (scene.frame_current_final - take.start) * take.rate * scene.render.fps_base / scene.render.fps


def scene_frame(obj: bpy.types.Object, scene: bpy.types.Scene, frame: float) -> float:
    """The scene's frame that shows a take's frame, counted from 0."""
    take: Any = obj.poise_take
    return take.start + frame / take.rate * scene.render.fps / scene.render.fps_base


def timing(obj: bpy.types.Object, scene: bpy.types.Scene) -> tuple[float, float]:
    """The scene's frame at which a take begins, and how many frames of the scene one of the take's lasts."""
    begin = scene_frame(obj, scene, 0)
    return begin, scene_frame(obj, scene, 1) - begin


def is_timed_as_solved(obj: bpy.types.Object, scene: bpy.types.Scene) -> bool:
    """Whether a take is still where the keys are that its last solve made."""
    then, now = obj.poise_take.solved_at, timing(obj, scene)  # type: ignore[attr-defined]
    return abs(then[0] - now[0]) < _SAME_START and abs(then[1] - now[1]) < _SAME_STEP * now[1]
