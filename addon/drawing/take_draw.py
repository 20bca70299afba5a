# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes over the 3D View: their markers at the scene's time, lines to where the body has them, names, a legend.

Blender draws an empty's axes; the rest is drawn here, in every view that shows overlays and the take's object.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty

from ..operators.common import redraw_views
from ..take_lookup import find_take, solved_rig, takes_of
from . import marker_balls
from .legend import draw_legend
from .lines import draw_lines

if TYPE_CHECKING:
    import numpy as np

_LARGE = 1.35  # times the usual size: markers that the solve hardly listens to, and the one that is chosen
_MISS = 1.5  # pixels of a line at a scale of 1
_MISS_OPACITY = 0.85
_TEXT, _ASIDE = 11, 8  # pixels of names, and from the marker

_handles: list[Any] = []


def shown_takes(context: bpy.types.Context) -> Iterator[bpy.types.Object]:
    """The takes that the context's 3D View shows."""
    space = context.space_data
    if isinstance(space, bpy.types.SpaceView3D) and space.overlay.show_overlays and context.region_data is not None:
        scene: Any = context.scene
        for obj in takes_of(scene):
            if obj.visible_in_viewport_get(space):
                yield obj


def _draw_markers() -> None:
    import gpu

    context = bpy.context
    for take in shown_takes(context):
        gpu.state.blend_set("ALPHA")
        _draw_take(context, take)
        gpu.state.blend_set("NONE")


def _draw_take(context: bpy.types.Context, take: bpy.types.Object) -> None:
    import numpy as np

    from ..rig.takes.shown import REJECTED

    points, colours, residual = _shown(context, take)
    seen = np.isfinite(points[:, 0])
    if not seen.any():
        return
    looks = np.zeros((len(points), 2), np.float32)
    looks[:, 0] = np.where(residual > REJECTED, _LARGE, 1.0)
    chosen = take.poise_take.active_label  # type: ignore[attr-defined]
    if take == find_take(context) and chosen < len(points):
        looks[chosen] = _LARGE, 1.0
    if context.scene.poise_marker_lines:
        _draw_misses(context, take, points, colours)
    batch = marker_balls.batch_of(points[seen], colours[seen], looks[seen])
    marker_balls.draw(batch, context.region_data, take.matrix_world)


def _draw_misses(context: Any, take: bpy.types.Object, points: "np.ndarray", colours: "np.ndarray") -> None:
    """Lines from markers to where the body has them, in the pose that it has now."""
    import gpu
    import numpy as np

    from ..rig.takes.attached import places_now

    rig = solved_rig(context, take)
    if rig is None or rig.type != "ARMATURE" or not rig.visible_in_viewport_get(context.space_data):
        return
    places = places_now(take, rig)
    if places is None:
        return
    M = np.array(take.matrix_world)
    ends = np.stack([points @ M[:3, :3].T + M[:3, 3], places], axis=1)
    there = np.isfinite(ends).all((1, 2))
    if there.any():
        both = np.repeat(colours[there] * (1, 1, 1, _MISS_OPACITY), 2, axis=0)
        gpu.state.depth_test_set("NONE")
        draw_lines(ends[there].reshape(-1, 3).astype(np.float32), both.astype(np.float32), _MISS)


def _shown(context: Any, take: bpy.types.Object) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
    """A take's markers now, in its own space: points (P, 3), NaN where unseen; colours (P, 4); residuals (P,)."""
    from ..rig.takes.arrays import points_of, residuals_of
    from ..rig.takes.scene import take_frame
    from ..rig.takes.shown import base_colours, marker_colours, markers_at, residuals_at

    frame = take_frame(take, context.scene)
    points = markers_at(points_of(take), frame)
    residual = residuals_at(residuals_of(take), frame, len(points))
    return points, marker_colours(base_colours(take), residual), residual


def _draw_texts() -> None:
    context = bpy.context
    solved = False
    for take in shown_takes(context):
        solved |= bool(take.poise_take.residual_version)  # type: ignore[attr-defined]
        _draw_names(context, take)
    if solved:
        _draw_scale(context)


def _draw_scale(context: bpy.types.Context) -> None:
    import numpy as np

    from ..rig.takes.shown import REJECTED, ramp

    captions = ((0.0, "0"), (0.5, f"{500 * REJECTED:.0f}"), (1.0, f"{1000 * REJECTED:.0f} mm"))
    draw_legend(context, ramp(np.linspace(0, REJECTED, 25)), captions, above=int(context.scene.poise_heat_map))


def _draw_names(context: bpy.types.Context, take: bpy.types.Object) -> None:
    """The name of the chosen marker, with its residual, or of all."""
    import numpy as np

    data: Any = take.poise_take
    everyone, chosen, is_meant = context.scene.poise_marker_names, data.active_label, take == find_take(context)
    if not everyone and not is_meant:
        return
    points, _, residual = _shown(context, take)
    for i in np.flatnonzero(np.isfinite(points[:, 0])).tolist():
        if everyone or i == chosen:
            is_chosen = i == chosen and is_meant
            miss = f"  {1000 * residual[i]:.0f} mm" if is_chosen and np.isfinite(residual[i]) else ""
            at = take.matrix_world @ _vector(points[i])
            _name(context, at, data.labels[i].name.rpartition(":")[2] + miss, 1.0 if is_chosen else 0.75)


def _name(context: Any, place: Any, text: str, opacity: float) -> None:
    import blf
    from bpy_extras.view3d_utils import location_3d_to_region_2d

    at = location_3d_to_region_2d(context.region, context.region_data, place)
    if at is None:
        return
    scale = context.preferences.system.ui_scale
    blf.size(0, _TEXT * scale)
    blf.enable(0, blf.SHADOW)
    blf.shadow(0, 3, 0.0, 0.0, 0.0, 0.9)
    blf.color(0, 1.0, 1.0, 1.0, opacity)
    blf.position(0, at.x + _ASIDE * scale, at.y + 0.5 * _ASIDE * scale, 0)
    blf.draw(0, text)
    blf.disable(0, blf.SHADOW)


def _vector(values: Any) -> Any:
    from mathutils import Vector

    return Vector(values.tolist())


def _changed(_scene: bpy.types.Scene, context: bpy.types.Context) -> None:
    redraw_views(context)


def register() -> None:
    bpy.types.Scene.poise_marker_names = BoolProperty(
        name="Marker Names",
        description="Names at all markers of takes; else only at the one that is chosen in the table",
        update=_changed,
    )
    bpy.types.Scene.poise_marker_lines = BoolProperty(
        name="Lines to Body",
        description="From each marker of a solved take to the place where the body has it now",
        default=True, update=_changed,
    )  # fmt: skip
    if not bpy.app.background:
        for draw, when in ((_draw_markers, "POST_VIEW"), (_draw_texts, "POST_PIXEL")):
            _handles.append(bpy.types.SpaceView3D.draw_handler_add(draw, (), "WINDOW", when))


def unregister() -> None:
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")
    marker_balls.forget()
    del bpy.types.Scene.poise_marker_names, bpy.types.Scene.poise_marker_lines
