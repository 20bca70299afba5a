# SPDX-License-Identifier: GPL-3.0-or-later
"""Rings on the skin where markers were placed by hand, and under the mouse while one is being placed."""

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import bpy

from ..operators.common import redraw_views
from ..take_lookup import rig_of_take
from .lines import draw_lines
from .take_draw import shown_takes

if TYPE_CHECKING:
    from ..rig.takes.skin_place import Hit

_RADIUS, _ABOVE = 0.012, 0.003  # metres: of a ring, and how far it is above the skin
_CORNERS = 32
_WIDTH, _WIDE = 2.0, 3.0  # pixels at a scale of 1; the wide is that of the chosen marker
_PLACED, _CHOSEN, _POINTED = (0.35, 0.75, 1.0, 0.95), (1.0, 1.0, 1.0, 1.0), (1.0, 0.75, 0.15, 1.0)

_handles: list[Any] = []
_pointed: "Hit | None" = None


def point_at(context: bpy.types.Context, hit: "Hit | None") -> None:
    """Draw a ring where the mouse points at the skin; None for none."""
    global _pointed
    if hit is not None or _pointed is not None:
        _pointed = hit
        redraw_views(context)


def _draw() -> None:
    import gpu

    context = bpy.context
    rings = [ring for take in shown_takes(context) for ring in _placed(context, take)]
    if _pointed is not None:
        rings.append((_pointed.place, _pointed.normal, _POINTED))
        rings.append((_pointed.place, 0.2 * _pointed.normal, _POINTED))
    if not rings:
        return
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("LESS_EQUAL")
    for place, normal, colour in rings:
        points = _ring(place, normal)
        draw_lines(points, [colour] * len(points), _WIDTH if colour == _PLACED else _WIDE)
    gpu.state.depth_test_set("NONE")
    gpu.state.blend_set("NONE")


def _placed(context: bpy.types.Context, take: bpy.types.Object) -> list[tuple[Any, Any, Any]]:
    """Places of a take's markers in the world, the skin's normals there, and colours."""
    data: Any = take.poise_take
    rows = [i for i, label in enumerate(data.labels) if label.placed]
    if not rows or context.view_layer is None or context.view_layer.depsgraph is None:
        return []
    from ..rig.takes.skin_place import at_place, shown_skin

    rig = rig_of_take(context, take)
    skin = shown_skin(context, rig) if rig is not None else None
    if skin is None:
        return []
    evaluated = skin.evaluated_get(context.view_layer.depsgraph)
    found = []
    for i in rows:
        place = at_place(evaluated, data.labels[i].vertices, data.labels[i].barycentric)
        if place is not None:
            chosen = i == data.active_label and take is context.object
            found.append((*place, _CHOSEN if chosen else _PLACED))
    return found


def _ring(place: Any, normal: Any) -> list[Any]:
    """Pairs of points of a circle around a normal, whose length is the ring's size."""
    across = normal.orthogonal().normalized()
    up, size = normal.normalized(), _RADIUS * normal.length
    along = up.cross(across)
    middle = place + _ABOVE * up
    turns = [2 * math.pi * k / _CORNERS for k in range(_CORNERS + 1)]
    circle = [middle + size * (math.cos(a) * across + math.sin(a) * along) for a in turns]
    return [point for pair in pairwise(circle) for point in pair]


def register() -> None:
    if not bpy.app.background:
        _handles.append(bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW"))


def unregister() -> None:
    global _pointed
    _pointed = None
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")
