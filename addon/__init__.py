# SPDX-License-Identifier: GPL-3.0-or-later
"""All of Poise that touches Blender. Knows no mathematics: operators read the scene, call the core, write the scene.

Registering imports neither NumPy nor the core's rooms: each operator imports what it needs when it runs.
"""

from . import (
    keymaps,
    menus,
    preferences,
    prior_choice,
    properties,
    sliders,
    take_lookup,
    take_properties,
    timeline_options,
)
from .drawing import heat_map, picture_draw, place_draw, take_draw
from .operators import (
    asset,
    body,
    camera,
    choose,
    denoise,
    generate,
    guide,
    interpolate,
    job,
    live,
    mirror,
    mocap,
    moments,
    motion_files,
    pins,
    place_marker,
    plausible,
    reduce,
    resolve_range,
    slide,
    solve,
    solve_take,
    stored,
    take_labels,
    take_markers,
    take_subject,
    tracks,
    vary,
    worker_test,
)
from .panels import PARTS as PANELS

_PARTS = (
    properties,
    take_properties,
    take_lookup,
    timeline_options,
    preferences,
    prior_choice,
    job,
    worker_test,
    body,
    generate,
    vary,
    choose,
    sliders,
    slide,
    stored,
    asset,
    mirror,
    plausible,
    interpolate,
    reduce,
    denoise,
    solve,
    solve_take,
    mocap,
    motion_files,
    resolve_range,
    moments,
    take_labels,
    take_subject,
    take_markers,
    pins,
    place_marker,
    live,
    heat_map,
    picture_draw,
    take_draw,
    place_draw,
    camera,
    tracks,
    guide,
    *PANELS,
    menus,
    keymaps,
)


def register() -> None:
    for part in _PARTS:
        part.register()


def unregister() -> None:
    for part in reversed(_PARTS):
        part.unregister()
