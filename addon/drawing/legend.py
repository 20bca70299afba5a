# SPDX-License-Identifier: GPL-3.0-or-later
"""A scale of colours with its captions, in the lower right corner of the 3D View."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    import numpy as np

_BAR, _MARGIN, _TEXT = (150, 10), 18, 11  # pixels at a scale of 1
_APART = 1.6  # of a legend's height, from one to the next
_UNDER, _GREY = (0.0, 0.0, 0.0, 0.45), (0.6, 0.6, 0.6, 1.0)


def draw_legend(
    context: bpy.types.Context, colours: "np.ndarray", captions: Sequence[tuple[float, str]], above: int = 0
) -> None:
    """Draw a scale, in POST_PIXEL.

    Args:
        context: of the region.
        colours: (N, 4) from its left end to its right one, on grey as the skin may be.
        captions: where along it, 0 to 1, and what they say.
        above: how many other legends are below it.
    """
    import blf

    scale = context.preferences.system.ui_scale
    width, height = (scale * pixels for pixels in _BAR)
    line, pad = 1.5 * _TEXT * scale, 6 * scale
    right, y = _free_corner(context, scale)
    y += above * _APART * (height + line + pad)
    x = right - width
    _strip((x - pad, y - pad), (right + pad, y + height + line + pad), [_UNDER, _UNDER])
    _strip((x, y), (right, y + height), [_GREY, _GREY])
    _strip((x, y), (right, y + height), colours.tolist())
    blf.size(0, _TEXT * scale)
    blf.color(0, 1.0, 1.0, 1.0, 0.9)
    for at, text in captions:
        blf.position(0, x + at * (width - blf.dimensions(0, text)[0]), y + height + 0.4 * line, 0)
        blf.draw(0, text)


def _free_corner(context: bpy.types.Context, scale: float) -> tuple[float, float]:
    """The lower right corner of what the sidebar leaves free of the region, less a margin."""
    sidebars = [r for r in context.area.regions if r.type == "UI" and r.width > 1 and r.alignment == "RIGHT"]
    covered = sum(r.width for r in sidebars) if context.preferences.system.use_region_overlap else 0
    return context.region.width - covered - _MARGIN * scale, _MARGIN * scale


def _strip(low: Any, high: Any, colours: Sequence[Any]) -> None:
    """A rectangle between two corners, through two or more colours from its left to its right."""
    import gpu
    from gpu_extras.batch import batch_for_shader

    shader = gpu.shader.from_builtin("SMOOTH_COLOR")
    (x0, y0), (x1, y1) = low, high
    step = (x1 - x0) / (len(colours) - 1)
    corners = [(x0 + i * step, y, 0) for i in range(len(colours)) for y in (y0, y1)]
    twice = [colour for colour in colours for _ in range(2)]
    batch = batch_for_shader(shader, "TRI_STRIP", {"pos": corners, "color": twice})
    gpu.state.blend_set("ALPHA")
    batch.draw(shader)
    gpu.state.blend_set("NONE")
