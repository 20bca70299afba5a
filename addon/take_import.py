# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of takes into the scene: read, cut as asked for, shown as points that one can scrub, events on the timeline."""

from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..vendor_core.errors import C3DError, PoiseError

if TYPE_CHECKING:
    from ..vendor_core.mocap.c3d import C3D


@dataclass(frozen=True)
class ReadTakes:
    """Files that could be read, and what is wrong with the others."""

    takes: tuple[tuple[Path, "C3D"], ...]
    faults: tuple[str, ...]


def read_takes(paths: list[Path], trim_start: float, trim_end: float) -> ReadTakes:
    """Read files, and leave out seconds at their ends.

    Raises:
        PoiseError: none can be read.
    """
    from ..vendor_core.mocap.takes import read_take

    takes, faults = [], []
    for path in paths:
        try:
            if not path.is_file():
                raise C3DError(f"{path} does not exist; check the path")
            take = _trimmed(path, read_take(path), trim_start, trim_end)
            if not len(take.markers()):
                raise C3DError(f"{path.name}: none of its {len(take.labels)} points is a marker that is ever visible")
            takes.append((path, take))
        except PoiseError as problem:
            faults.append(str(problem))
    if not takes:
        raise PoiseError("; ".join(faults) or "No file was given; choose a C3D or TRC file")
    return ReadTakes(tuple(takes), tuple(faults))


def _trimmed(path: Path, take: "C3D", seconds_start: float, seconds_end: float) -> "C3D":
    n = len(take.points)
    first, end = round(seconds_start * take.rate), n - round(seconds_end * take.rate)
    if first >= end:
        raise PoiseError(f"{path.name} lasts {n / take.rate:.2f} s; trimming leaves nothing of it: trim less")
    return replace(
        take, points=take.points[first:end], residuals=take.residuals[first:end], first_frame=take.first_frame + first
    )


def show_takes(
    context: bpy.types.Context, takes: tuple[tuple[Path, "C3D"], ...], start: int, layout: str, extend_range: bool
) -> list[bpy.types.Object]:
    """Add takes to the scene, with their events.

    Args:
        context: the scene.
        takes: as `read_takes` gives them.
        start: frame of the scene at which they begin.
        layout: "auto", or that of all of them.
        extend_range: whether to make the scene long enough.
    """
    from .rig.takes.events import mark_events
    from .rig.takes.scene import add_take, scene_frame

    scene: Any = context.scene
    objects = []
    for path, take in takes:
        objects.append(add_take(context, take, path, start, layout))
    for obj, (_, take) in zip(objects, takes, strict=True):
        mark_events(scene, obj, take)
        if extend_range:
            scene.frame_end = max(scene.frame_end, ceil(scene_frame(obj, scene, len(take.points) - 1) - 1e-6))
            scene.frame_start = min(scene.frame_start, start)
    return objects
