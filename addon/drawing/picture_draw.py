# SPDX-License-Identifier: GPL-3.0-or-later
"""The figure of picture targets, drawn over the camera's view: blue left, orange right, names of the selected."""

from itertools import pairwise
from typing import Any

import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d

_CHAINS = (
    ("head", "neck", "left_shoulder", "left_elbow", "left_wrist"),
    ("neck", "right_shoulder", "right_elbow", "right_wrist"),
    ("left_shoulder", "left_hip", "left_knee", "left_ankle", "left_foot"),
    ("right_shoulder", "right_hip", "right_knee", "right_ankle", "right_foot"),
    ("left_hip", "right_hip"),
    ("neck", "spine3", "spine2", "spine1", "pelvis"),
)
_LINES = tuple((a, b) for chain in _CHAINS for a, b in pairwise(chain))
LEFT, RIGHT, MIDDLE = (0.15, 0.5, 1.0, 0.9), (1.0, 0.55, 0.1, 0.9), (0.9, 0.9, 0.9, 0.9)
_WIDTH, _TEXT = 2.5, 12  # pixels at a scale of 1
_NAMED = 4  # selected targets at most that are named

_handles: list[Any] = []


def colour_of(joint: str) -> tuple[float, float, float, float]:
    """The colour of a joint's side."""
    return LEFT if joint.startswith("left") else RIGHT if joint.startswith("right") else MIDDLE


def _draw() -> None:
    context = bpy.context
    space = context.space_data
    view: Any = context.region_data
    region: Any = context.region
    if not isinstance(space, bpy.types.SpaceView3D) or not space.overlay.show_overlays:
        return
    if view is None or view.view_perspective != "CAMERA":
        return
    places: dict[tuple[str, str], Any] = {}
    selected = []
    for obj in context.view_layer.objects:
        if obj.type == "EMPTY" and "poise_picture_joint" in obj and obj.visible_in_viewport_get(space):
            at = location_3d_to_region_2d(region, view, obj.matrix_world.translation)
            if at is not None:
                joint = str(obj["poise_picture_joint"])
                places[str(obj.get("poise_rig", "")), joint] = at
                if obj.select_get():
                    selected.append((joint, at))
    _draw_lines(places)
    if len(selected) <= _NAMED:  # more would cover each other
        for joint, at in selected:
            _name(joint, at)


def _draw_lines(places: dict[tuple[str, str], Any]) -> None:
    """The figures of all bodies, from where their joints are in the region."""
    import gpu
    from gpu_extras.batch import batch_for_shader

    points, colours = [], []
    for rig in {rig for rig, _ in places}:
        for a, b in _LINES:
            if (rig, a) in places and (rig, b) in places:
                points += [(*places[rig, a], 0.0), (*places[rig, b], 0.0)]
                colours += [colour_of(a), colour_of(b)]
    if not points:
        return
    shader = gpu.shader.from_builtin("POLYLINE_SMOOTH_COLOR")
    viewport: Any = gpu.state.viewport_get()
    shader.uniform_float("viewportSize", viewport[2:])
    shader.uniform_float("lineWidth", _WIDTH * bpy.context.preferences.system.pixel_size)
    gpu.state.blend_set("ALPHA")
    batch_for_shader(shader, "LINES", {"pos": points, "color": colours}).draw(shader)
    gpu.state.blend_set("NONE")


def _name(joint: str, at: Any) -> None:
    import blf

    from ..texts import joint_text

    scale = bpy.context.preferences.system.ui_scale
    blf.size(0, _TEXT * scale)
    blf.enable(0, blf.SHADOW)
    blf.shadow(0, 3, 0.0, 0.0, 0.0, 0.9)
    blf.color(0, 1.0, 1.0, 1.0, 1.0)
    blf.position(0, at.x + 10 * scale, at.y + 6 * scale, 0)
    blf.draw(0, joint_text(joint))
    blf.disable(0, blf.SHADOW)


def register() -> None:
    if not bpy.app.background:
        _handles.append(bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL"))


def unregister() -> None:
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")
