# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of a take, such as foot strikes, as markers of the timeline."""

from typing import Any

import bpy

from ....vendor_core.mocap.c3d import C3D
from ...take_lookup import name_of
from .scene import scene_frame, takes_of

_LONGEST = 63  # bytes of a marker's name, beyond which Blender cuts it


def mark_events(scene: bpy.types.Scene, obj: bpy.types.Object, take: C3D) -> int:
    """Put the events that fall into a take on the timeline, those that are not there already; how many there are.

    Args:
        scene: with the timeline.
        obj: the take in the scene.
        take: its file, trimmed as it is there.
    """
    data: Any = obj.poise_take
    others = any(other.poise_take.source != data.source for other in takes_of(scene))  # type: ignore[attr-defined]
    prefix = f"{name_of(obj)}: " if others else ""
    there = {(marker.name, marker.frame) for marker in scene.timeline_markers}
    begins = (take.first_frame - 1) / take.rate  # seconds of the trial
    count = 0
    for seconds, name in sorted(take.events):
        at = (seconds - begins) * take.rate
        if -0.5 <= at <= len(take.points) - 0.5:
            mark = f"{prefix}{name or 'Event'}".encode()[:_LONGEST].decode(errors="ignore")
            frame = round(scene_frame(obj, scene, at))
            if (mark, frame) not in there:
                scene.timeline_markers.new(mark, frame=frame)
            count += 1
    return count
