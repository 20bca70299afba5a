# SPDX-License-Identifier: GPL-3.0-or-later
"""What the labels of a take mean: found by their names, read and written in the take's table."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ....vendor_core.errors import LayoutError
from ....vendor_core.mocap.c3d import C3D
from ....vendor_core.mocap.layout_table import simplified, synonyms
from ....vendor_core.mocap.layouts import LabelMap, is_unlabelled, map_markers
from ....vendor_core.mocap.placement_table import placement_table
from ....vendor_core.mocap.timing import turned_to_z, up_axis_of
from ...take_properties import NO_PREFIX
from .arrays import points_of, put_points


def as_c3d(obj: bpy.types.Object) -> C3D:
    """A take of the scene as the core knows takes: metres, Z up, all its points are markers."""
    take: Any = obj.poise_take
    points = points_of(obj)
    return C3D(
        points=points,
        residuals=np.where(np.isnan(points[..., 0]), np.float32(-1), np.float32(0)),
        labels=tuple(label.name for label in take.labels),
        rate=take.rate,
        units="m",
        first_frame=1,
        up_axis="Z",
        model_outputs=(),
        events=(),
        byte_order="",
        warnings=(),
    )


def has_no_labels(obj: bpy.types.Object) -> bool:
    """Whether the take is one of points without labels, which only their places on a body can tell apart."""
    return is_unlabelled(as_c3d(obj))


def map_labels_of(obj: bpy.types.Object, layout: str | Path = "auto") -> LabelMap:
    """Map the labels of a take, those of the subject that is chosen where it holds several, by their names.

    Args:
        obj: the take.
        layout: "auto", a layout's name or file.

    Raises:
        LayoutError: they fit no layout; nothing is changed then.
    """
    take: Any = obj.poise_take
    one = "\n" not in take.subjects
    names = [label.name if one or (label.subject or NO_PREFIX) == take.subject else "" for label in take.labels]
    label_map = map_markers(replace(as_c3d(obj), labels=tuple(names)), layout)
    write_map(obj, label_map.columns, label_map.layout, label_map.confidence)
    return label_map


def known_labels(take: C3D) -> dict[int, str]:
    """Markers of the labels of a file that are known, by column, though together they fit no layout."""
    meant = {c: synonyms().get(simplified(label.rpartition(":")[2])) for c, label in enumerate(take.labels)}
    return {column: marker for column, marker in meant.items() if marker}


def write_map(obj: bpy.types.Object, columns: Mapping[int, str], layout: str, confidence: float) -> None:
    """Write a map into the take's table, and turn its points where the body now says that another axis is up."""
    take: Any = obj.poise_take
    for column, label in enumerate(take.labels):
        label.marker = columns.get(column, "")
    take.layout, take.confidence = layout, confidence
    stand_up(obj)


def columns_of(obj: bpy.types.Object) -> dict[int, str]:
    """The map of the take's table: marker of each column that is used. A marker's own column, which is the one seen
    most, comes before others that continue it.
    """
    take: Any = obj.poise_take
    seen = np.isfinite(points_of(obj)[..., 0]).sum(0)
    columns = {column: label.marker for column, label in enumerate(take.labels) if label.marker}
    return {column: columns[column] for column in sorted(columns, key=lambda c: (-int(seen[c]), c))}


def stand_up(obj: bpy.types.Object) -> None:
    """Turn a take so that Z is up, where the markers of its table say that it is not."""
    take: Any = obj.poise_take
    points = points_of(obj)
    up = up_axis_of(points, [label.marker for label in take.labels], "Z")
    if up != "Z":
        of_file = turned_to_z(np.eye(3), take.up)  # rows: the file's axes, in the take's
        axis = of_file @ turned_to_z(np.eye(3), up)[:, 2]
        take.up = ("-" if axis.min() < -0.5 else "") + "XYZ"[int(np.abs(axis).argmax())]
        put_points(obj, turned_to_z(points, up))


def try_map(take: C3D, layout: str | Path) -> LabelMap | None:
    """The map of a file's labels; None where they fit no layout."""
    try:
        return map_markers(take, layout)
    except LayoutError:
        return None


def may_be_solved(obj: bpy.types.Object) -> bool:
    """Whether a take's labels fit a layout, or it has none and a body will tell its points apart."""
    take: Any = obj.poise_take
    return bool(take.layout) or has_no_labels(obj)


def label_table(obj: bpy.types.Object) -> str:
    """What the labels of a take mean, as the csv that `read_layout` reads; markers of one's own names are left out.

    Raises:
        LayoutError: no label is mapped.
    """
    take: Any = obj.poise_take
    rows: dict[str, list[str]] = {}
    for label in take.labels:
        if label.marker in placement_table():
            tail = label.name.rpartition(":")[2]
            rows.setdefault(simplified(tail), [tail, label.marker])
    rows.pop("", None)
    if not rows:
        raise LayoutError(f'No label of "{obj.name}" is mapped to a marker; map some first')
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["label", "marker"], *rows.values()])
    return text.getvalue()
