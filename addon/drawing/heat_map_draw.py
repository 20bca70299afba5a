# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing the heat map over the 3D View, with its legend."""

from typing import TYPE_CHECKING, Any

import bpy
from mathutils import Matrix

from ..operators.common import redraw_views

if TYPE_CHECKING:
    from ..rig.heat import Heat

_NEARER = 0.003  # share of the distance by which colours are drawn before the skin they lie on
_LINE = 5.0  # pixels, of bones without a skin
_BAR, _MARGIN, _TEXT = (150, 10), 18, 11  # pixels of the legend at a scale of 1
_STEPS = 24

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
    import blf

    context = bpy.context
    if not _is_on(context):
        return
    scale = context.preferences.system.ui_scale
    width, height = (scale * pixels for pixels in _BAR)
    right, y = _free_corner(context, scale)
    x = right - width
    line = 1.5 * _TEXT * scale
    pad = 6 * scale
    _rectangle((x - pad, y - pad), (right + pad, y + height + line + pad), (0.0, 0.0, 0.0, 0.45))
    _bar(x, y, width, height)
    blf.size(0, _TEXT * scale)
    blf.color(0, 1.0, 1.0, 1.0, 0.9)
    for text, at_right in (("Plausible", False), ("Out of place", True)):
        blf.position(0, right - blf.dimensions(0, text)[0] if at_right else x, y + height + 0.4 * line, 0)
        blf.draw(0, text)


def _free_corner(context: bpy.types.Context, scale: float) -> tuple[float, float]:
    """The lower right corner of what the sidebar leaves free of the region, less a margin."""
    sidebars = [r for r in context.area.regions if r.type == "UI" and r.width > 1 and r.alignment == "RIGHT"]
    covered = sum(r.width for r in sidebars) if context.preferences.system.use_region_overlap else 0
    return context.region.width - covered - _MARGIN * scale, _MARGIN * scale


def _bar(x: float, y: float, width: float, height: float) -> None:
    """The scale's colours, from cold to hot, on grey as the skin may be."""
    import numpy as np

    from ..rig.heat import colours_of

    colours = colours_of(np.linspace(0, 1, _STEPS + 1))
    _rectangle((x, y), (x + width, y + height), (0.6, 0.6, 0.6, 1.0))
    for i in range(_STEPS):
        left, right = (x + width * k / _STEPS for k in (i, i + 1))
        _rectangle((left, y), (right, y + height), colours[i].tolist(), colours[i + 1].tolist())


def _rectangle(low: Any, high: Any, colour: Any, colour_right: Any = None) -> None:
    """A rectangle between two corners, of one colour or from one at the left to another at the right."""
    import gpu
    from gpu_extras.batch import batch_for_shader

    shader = gpu.shader.from_builtin("SMOOTH_COLOR")
    (x0, y0), (x1, y1) = low, high
    right = colour if colour_right is None else colour_right
    corners = [(x0, y0, 0), (x1, y0, 0), (x0, y1, 0), (x1, y1, 0)]
    batch = batch_for_shader(shader, "TRI_STRIP", {"pos": corners, "color": [colour, right, colour, right]})
    gpu.state.blend_set("ALPHA")
    batch.draw(shader)
    gpu.state.blend_set("NONE")
