# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing the heat map over the 3D View, with its legend."""

from typing import TYPE_CHECKING, Any

import bpy
from mathutils import Matrix

from ..operators.common import redraw_views
from .legend import draw_legend

if TYPE_CHECKING:
    from ..rig.heat import Heat

_NEARER = 0.003  # share of the distance by which colours are drawn before the skin they lie on
_LINE = 5.0  # pixels, of bones without a skin
_STEPS = 24  # of the legend

_heats: "list[Heat]" = []
_batches: "dict[Heat, Any]" = {}
_handles: list[Any] = []


def show(heats: "list[Heat]") -> None:
    """Draw these from now on, and the legend."""
    global _heats
    if bpy.app.background:
        return
    if not _handles:
        for draw, when in ((_draw_heat, "POST_VIEW"), (_draw_legend, "POST_PIXEL")):
            _handles.append(bpy.types.SpaceView3D.draw_handler_add(draw, (), "WINDOW", when))
    if heats != _heats:
        _heats = heats
        redraw_views(bpy.context)


def stop() -> None:
    """Draw nothing any more."""
    global _heats
    if not _handles:
        return
    for handle in _handles:
        bpy.types.SpaceView3D.draw_handler_remove(handle, "WINDOW")
    _handles.clear()
    _batches.clear()
    _heats = []
    redraw_views(bpy.context)


def _is_on(context: bpy.types.Context) -> bool:
    space = context.space_data
    return isinstance(space, bpy.types.SpaceView3D) and space.overlay.show_overlays and context.scene.poise_heat_map


def _draw_heat() -> None:
    import gpu

    context = bpy.context
    for old in _batches.keys() - set(_heats):
        del _batches[old]
    if not _heats or not _is_on(context):
        return
    view: Any = context.region_data
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("LESS_EQUAL")
    for heat in _heats:
        obj = context.view_layer.objects.get(heat.object_name)
        if obj is not None and obj.visible_in_viewport_get(context.space_data):
            gpu.matrix.push()
            gpu.matrix.load_matrix(_before_the_skin(view) @ view.view_matrix @ obj.matrix_world)
            _draw(heat)
            gpu.matrix.pop()
    gpu.state.depth_test_set("NONE")
    gpu.state.blend_set("NONE")


def _before_the_skin(view: bpy.types.RegionView3D) -> Matrix:
    """What moves points of the view towards the viewer without moving their image."""
    if view.is_perspective:
        return Matrix.Scale(1 - _NEARER, 4)  # the eye is the origin
    return Matrix.Translation((0, 0, _NEARER * view.view_distance))


def _draw(heat: "Heat") -> None:
    import gpu
    from gpu_extras.batch import batch_for_shader

    lines = heat.kind == "LINES"
    shader = gpu.shader.from_builtin("POLYLINE_SMOOTH_COLOR" if lines else "SMOOTH_COLOR")
    if lines:
        gpu.state.depth_test_set("NONE")  # bones lie within
        shader.uniform_float("lineWidth", _LINE * bpy.context.preferences.system.pixel_size)
        viewport: Any = gpu.state.viewport_get()
        shader.uniform_float("viewportSize", viewport[2:])
    if heat not in _batches:
        attributes: Any = {"pos": heat.points, "color": heat.colours}
        _batches[heat] = batch_for_shader(shader, heat.kind, attributes)
    _batches[heat].draw(shader)
    gpu.state.depth_test_set("LESS_EQUAL")


def _draw_legend() -> None:
    import numpy as np

    from ..rig.heat import colours_of

    context = bpy.context
    if _is_on(context):
        colours = colours_of(np.linspace(0, 1, _STEPS + 1))
        draw_legend(context, colours, ((0.0, "Plausible"), (1.0, "Out of place")))
