# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing the states of live posing's handles over the 3D View, in any shading.

A disc: pinned, and reached; with a ring around it: turned as asked, too. Red, with a line to the joint: out of reach.
A ring alone: free. White around: selected.
"""

import math
from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    from ..rig.live.session import LiveSession

_REACHED, _MISSED, _FREE, _SELECTED = (0.3, 0.85, 0.4, 1), (1, 0.22, 0.18, 1), (0.85, 0.85, 0.85, 0.9), (1, 1, 1, 1)
_EDGE = (0.05, 0.05, 0.05, 0.8)
_RADIUS = 5.5  # pixels at a scale of 1
_CORNERS = 20
_LOOK_AT = "look_at"

_session: "LiveSession | None" = None
_handler: Any = None
_shapes: dict[str, Any] = {}


def start(session: "LiveSession") -> None:
    """Draw the handles of a session from now on."""
    global _session, _handler
    _session = session
    if _handler is None and not bpy.app.background:
        _handler = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")


def stop() -> None:
    """Draw nothing any more."""
    global _session, _handler
    _session = None
    if _handler is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_handler, "WINDOW")
        _handler = None
    _shapes.clear()


def _draw() -> None:
    import gpu

    space: Any = bpy.context.space_data
    if _session is None or not space.overlay.show_overlays:
        return
    gpu.state.blend_set("ALPHA")
    try:
        for joint, handle in _session.handles.objects.items():
            if handle.visible_in_viewport_get(space):
                _draw_handle(_session, joint, handle)
    except ReferenceError:  # deleted: the session's next tick says so
        pass
    gpu.state.blend_set("NONE")


def _draw_handle(session: "LiveSession", joint: str, handle: bpy.types.Object) -> None:
    at = _on_screen(handle.matrix_world.translation)
    if at is None:
        return
    radius = _RADIUS * bpy.context.preferences.system.ui_scale
    missed, pinned = joint in session.misses, bool(handle.get("poise_pinned", True))
    colour = _FREE if not pinned else _MISSED if missed else _REACHED
    if pinned and (missed or joint == _LOOK_AT) and joint in session.points:
        _line(at, _on_screen(session.points[joint]), colour)
    if handle.select_get():
        _fill("disc", at, 1.75 * radius, _SELECTED)
        _fill("disc", at, 1.35 * radius, _EDGE)
    else:
        _fill("disc" if pinned else "ring", at, 1.3 * radius, _EDGE)
    _fill("disc" if pinned else "ring", at, radius, colour)
    if pinned and handle.get("poise_turned", False):
        _fill("disc", at, 0.62 * radius, _EDGE)
        _fill("disc", at, 0.4 * radius, colour)


def _on_screen(place: Any) -> Any:
    """Pixels of a place in the region that is drawn; None behind the viewer."""
    from bpy_extras.view3d_utils import location_3d_to_region_2d

    context: Any = bpy.context
    return location_3d_to_region_2d(context.region, context.region_data, place)


def _fill(shape: str, at: Any, radius: float, colour: tuple[float, ...]) -> None:
    import gpu

    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    gpu.matrix.push()
    gpu.matrix.translate(at)
    gpu.matrix.scale_uniform(radius)
    shader.uniform_float("color", colour)
    _shape(shape).draw(shader)
    gpu.matrix.pop()


def _line(start: Any, end: Any, colour: tuple[float, ...]) -> None:
    """A line of a few pixels' width, as a rectangle: lines are thin on some graphics cards."""
    import gpu

    if end is None or (way := end - start).length < 1:
        return
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    gpu.matrix.push()
    gpu.matrix.multiply_matrix(_turned_to(start, way))
    shader.uniform_float("color", (*colour[:3], 0.7))
    _shape("bar").draw(shader)
    gpu.matrix.pop()


def _turned_to(start: Any, way: Any) -> Any:
    """From the bar, one long and one wide, to a line on the screen."""
    from mathutils import Matrix

    wide = bpy.context.preferences.system.ui_scale * 1.5
    across = way.orthogonal().normalized() * wide
    return Matrix(((way.x, across.x, 0, start.x), (way.y, across.y, 0, start.y), (0, 0, 1, 0), (0, 0, 0, 1)))


def _shape(name: str) -> Any:
    """A batch that is made once: a disc or a ring of radius 1, a bar from the origin along X."""
    import gpu
    from gpu_extras.batch import batch_for_shader

    if name not in _shapes:
        angles = [2 * math.pi * i / _CORNERS for i in range(_CORNERS + 1)]
        inner = {"disc": 0.0, "ring": 0.6}.get(name, 0.0)
        corners = [(r * math.cos(a), r * math.sin(a), 0) for a in angles for r in (1.0, inner)]
        if name == "bar":
            corners = [(0, -0.5, 0), (0, 0.5, 0), (1, -0.5, 0), (1, 0.5, 0)]
        _shapes[name] = batch_for_shader(gpu.shader.from_builtin("UNIFORM_COLOR"), "TRI_STRIP", {"pos": corners})
    return _shapes[name]
