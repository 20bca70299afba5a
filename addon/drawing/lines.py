# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines over the 3D View, some pixels wide on any graphics card."""

from typing import Any

import bpy


def draw_lines(points: Any, colours: Any, width: float) -> None:
    """Draw straight lines between pairs of points of the space that is drawn in.

    Args:
        points: (2 N, 3), two of each line.
        colours: (2 N, 4) of them.
        width: pixels at a scale of 1.
    """
    import gpu
    from gpu_extras.batch import batch_for_shader

    shader = gpu.shader.from_builtin("POLYLINE_SMOOTH_COLOR")
    viewport: Any = gpu.state.viewport_get()
    shader.uniform_float("viewportSize", viewport[2:])
    shader.uniform_float("lineWidth", width * bpy.context.preferences.system.pixel_size)
    batch_for_shader(shader, "LINES", {"pos": points, "color": colours}).draw(shader)
