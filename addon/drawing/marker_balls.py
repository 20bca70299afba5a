# SPDX-License-Identifier: GPL-3.0-or-later
"""Markers as small lit balls, a point each: as large as real ones, but never too small to see nor in the way."""

from typing import Any

import bpy
from mathutils import Matrix

_DIAMETER = 0.018  # metres
_SMALLEST, _LARGEST = 8.0, 22.0  # pixels at a scale of 1
_BEHIND = 0.35  # how much shows of a marker behind the skin

_VERTEX = """
void main()
{
  vec4 at = matrix * vec4(pos, 1.0);
  gl_Position = at;
  float across = clamp(pixels.x / max(abs(at.w), 1e-6), pixels.y, pixels.z) * look.x;
  gl_PointSize = across + 2.0;
  ball_colour = colour;
  ball_look = vec2(across, look.y);
}
"""
_FRAGMENT = """
vec4 to_framebuffer(vec4 colour)  // Blender sets srgbTarget where the target encodes what it is given
{
  vec3 c = max(colour.rgb, vec3(0.0));
  vec3 linear = mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), step(vec3(0.04045), c));
  return vec4(srgbTarget ? linear : c, colour.a);
}

void main()
{
  vec2 p = (gl_PointCoord * 2.0 - 1.0) * (ball_look.x + 2.0) / ball_look.x;
  float r = length(p), pixel = 2.0 / ball_look.x;
  float cover = 1.0 - smoothstep(1.0 - 0.5 * pixel, 1.0 + 0.5 * pixel, r);
  if (cover <= 0.0) {
    discard;
  }
  float inner = ball_look.y > 0.5 ? 1.0 - 2.2 * pixel : 1.0;
  vec2 q = p / inner;
  vec3 n = vec3(q.x, -q.y, sqrt(max(0.0, 1.0 - dot(q, q))));
  float lit = dot(n, normalize(vec3(-0.45, 0.6, 0.66)));
  vec3 ball = ball_colour.rgb * (0.62 + 0.42 * max(lit, 0.0)) + vec3(0.45) * pow(max(lit, 0.0), 24.0);
  ball = mix(ball * 0.45, ball, smoothstep(0.0, 0.55, n.z));
  vec3 rim = vec3(1.0);
  vec3 seen = mix(ball, rim, smoothstep(inner - 0.5 * pixel, inner + 0.5 * pixel, r) * step(0.5, ball_look.y));
  out_colour = to_framebuffer(vec4(seen, ball_colour.a * cover * pixels.w));
}
"""

_shader: Any = None


def shader() -> Any:
    """The balls' shader, compiled at its first use."""
    global _shader
    if _shader is None:
        import gpu

        between = gpu.types.GPUStageInterfaceInfo("poise_ball")  # type: ignore[call-arg]
        between.smooth("VEC4", "ball_colour")
        between.smooth("VEC2", "ball_look")
        info = gpu.types.GPUShaderCreateInfo()
        info.push_constant("MAT4", "matrix")
        info.push_constant("VEC4", "pixels")
        info.push_constant("BOOL", "srgbTarget")
        for i, (kind, name) in enumerate((("VEC3", "pos"), ("VEC4", "colour"), ("VEC2", "look"))):
            info.vertex_in(i, kind, name)
        info.vertex_out(between)
        info.fragment_out(0, "VEC4", "out_colour")
        info.vertex_source(_VERTEX)
        info.fragment_source(_FRAGMENT)
        _shader = gpu.shader.create_from_info(info)
    return _shader


def forget() -> None:
    """Free the shader."""
    global _shader
    _shader = None


def batch_of(points: Any, colours: Any, looks: Any) -> Any:
    """What `draw` draws: N balls.

    Args:
        points: (N, 3) float32.
        colours: (N, 4) float32.
        looks: (N, 2) float32: times the usual size, and 1 for those with a white rim.
    """
    from gpu_extras.batch import batch_for_shader

    return batch_for_shader(shader(), "POINTS", {"pos": points, "colour": colours, "look": looks})


def draw(batch: Any, view: Any, matrix_world: Matrix) -> None:
    """Draw balls at places in an object's space, those behind the skin fainter.

    Args:
        batch: of `batch_of`.
        view: the 3D View's region data.
        matrix_world: of the object.
    """
    import gpu

    own, scale = shader(), bpy.context.preferences.system.ui_scale
    viewport: Any = gpu.state.viewport_get()
    across = _DIAMETER * matrix_world.median_scale * view.window_matrix[1][1] * viewport[3] / 2
    sizes = (across, _SMALLEST * scale, _LARGEST * scale)
    gpu.state.program_point_size_set(True)
    gpu.state.depth_mask_set(False)
    own.bind()
    own.uniform_float("matrix", view.perspective_matrix @ matrix_world)
    for test, strength in (("GREATER", _BEHIND), ("LESS_EQUAL", 1.0)):
        gpu.state.depth_test_set(test)
        own.uniform_float("pixels", (*sizes, strength))
        batch.draw(own)
    gpu.state.depth_test_set("NONE")
    gpu.state.program_point_size_set(False)
