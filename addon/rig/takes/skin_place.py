# SPDX-License-Identifier: GPL-3.0-or-later
"""Places of markers on a body's skin: from the mesh as it is seen to the body at rest, and back.

A body's mesh has the vertices of its body in their order, so a triangle and three weights on the one are those on the
other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ....vendor_core.body import BodyModel
from ....vendor_core.errors import PoiseError
from ....vendor_core.mocap.marker_points import SkinPlace, place_markers
from ....vendor_core.mocap.placement_table import placement_table
from ..pose import meshes_of

_HEIGHT = SkinPlace.height  # metres, of markers that the table does not know


@dataclass(frozen=True)
class Hit:
    """A point of a mesh that is seen."""

    place: Vector  # in the world
    normal: Vector
    vertices: tuple[int, int, int]
    barycentric: tuple[float, float, float]


def skin_of(context: bpy.types.Context, rig: bpy.types.Object, body: BodyModel) -> bpy.types.Object:
    """The mesh of a body on which markers can be placed.

    Args:
        context: the scene.
        rig: the armature.
        body: from which it was made.

    Raises:
        PoiseError: there is none, or it is not what Poise made of the body.
    """
    if "poise_body" not in rig:
        raise PoiseError(f'"{rig.name}" was not made by Poise; expected a body of Add Body or Add Body from File')
    n = len(body.v_template)
    skins = [mesh for mesh in meshes_of(context, rig) if len(mesh.data.vertices) == n]  # type: ignore[union-attr]
    if not skins:
        raise PoiseError(
            f'No mesh of "{rig.name}" has the {n} vertices of its body; expected the skin as Poise made it'
        )
    shown = [mesh for mesh in skins if mesh.visible_get()]
    if not shown:
        raise PoiseError(f'The skin of "{rig.name}" is hidden: unhide it first')
    _evaluated(context, shown[0])
    return shown[0]


def shown_skin(context: bpy.types.Context, rig: bpy.types.Object) -> bpy.types.Object | None:
    """The mesh of a body that a 3D View shows; None where there is none. Cheap: it is asked at every drawing."""
    if "poise_body" not in rig:
        return None
    space: Any = context.space_data
    return next((mesh for mesh in meshes_of(context, rig) if mesh.visible_in_viewport_get(space)), None)


def check_place(body: BodyModel, vertices: Sequence[int], barycentric: Sequence[float]) -> None:
    """Refuse a place that is not on a body.

    Raises:
        TargetError: so it is.
    """
    place = SkinPlace((vertices[0], vertices[1], vertices[2]), (barycentric[0], barycentric[1], barycentric[2]))
    place_markers(body, ["marker"], {"marker": place})


def seen_along(context: bpy.types.Context, skin: bpy.types.Object, origin: Vector, direction: Vector) -> Hit | None:
    """What a ray of the world first meets of a skin."""
    evaluated = _evaluated(context, skin)
    to_local = evaluated.matrix_world.inverted_safe()
    begin = to_local @ origin
    found, at, normal, polygon = evaluated.ray_cast(begin, to_local @ (origin + direction) - begin)
    return _hit(evaluated, at, normal, polygon) if found else None


def nearest_to(context: bpy.types.Context, skin: bpy.types.Object, place: Vector) -> Hit:
    """The point of a skin that is nearest to a place of the world.

    Raises:
        PoiseError: the skin has no polygons.
    """
    evaluated = _evaluated(context, skin)
    found, at, normal, polygon = evaluated.closest_point_on_mesh(evaluated.matrix_world.inverted_safe() @ place)
    if not found:
        raise PoiseError(f'"{skin.name}" has no polygons; expected the skin of a body')
    return _hit(evaluated, at, normal, polygon)


def at_place(skin: bpy.types.Object, vertices: Any, barycentric: Any) -> tuple[Vector, Vector] | None:
    """Where a place on an evaluated skin is now, and the skin's normal there, in the world; None where it has none.

    Cheap: it is asked at every drawing.
    """
    mesh: Any = skin.data
    if not all(0 <= v < len(mesh.vertices) for v in vertices):
        return None
    a, b, c = (skin.matrix_world @ mesh.vertices[v].co for v in vertices)
    u, v, w = barycentric
    return u * a + v * b + w * c, (b - a).cross(c - a).normalized()


def is_own(marker: str) -> bool:
    """Whether a marker is one of the user's own: the table of places does not know it."""
    return marker not in placement_table()


def usual_height(marker: str) -> float:
    """Metres from the skin to the centre of a marker."""
    row = placement_table().get(marker)
    return _HEIGHT if row is None else row.height


def _evaluated(context: bpy.types.Context, skin: bpy.types.Object) -> bpy.types.Object:
    evaluated = skin.evaluated_get(context.evaluated_depsgraph_get())
    n, shown = len(skin.data.vertices), len(evaluated.data.vertices)  # type: ignore[union-attr]
    if shown != n:
        raise PoiseError(
            f'"{skin.name}" has {n} vertices, but its modifiers show {shown}: turn those that change the mesh, such as '
            "Subdivision, off in the viewport while you place markers"
        )
    return evaluated


def _hit(evaluated: bpy.types.Object, at: Vector, normal: Vector, polygon: int) -> Hit:
    mesh: Any = evaluated.data
    vertices, barycentric = corners_of(mesh, polygon, np.array(at))
    M = evaluated.matrix_world
    return Hit(M @ at, (M.to_3x3().inverted_safe().transposed() @ normal).normalized(), vertices, barycentric)


def corners_of(
    mesh: bpy.types.Mesh, polygon: int, at: np.ndarray
) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """The triangle of a polygon in which a point (3,) of it lies: its vertices and the point's barycentric weights."""
    corners = np.array(mesh.polygons[polygon].vertices)
    triangles = np.array([[corners[0], corners[k], corners[k + 1]] for k in range(1, len(corners) - 1)])
    best = max(((triangle, _weights(mesh, triangle, at)) for triangle in triangles), key=lambda pair: pair[1].min())
    weights = np.clip(best[1], 0, None)
    a, b, c = (weights / weights.sum()).tolist()
    i, j, k = best[0].tolist()
    return (i, j, k), (a, b, c)


def _weights(mesh: bpy.types.Mesh, triangle: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Barycentric weights (3,) of a point, projected onto the plane of a triangle's vertices (3,)."""
    a, b, c = (np.array(mesh.vertices[v].co) for v in triangle.tolist())
    edges = np.stack([b - a, c - a], axis=1)
    v, w = np.linalg.lstsq(edges, at - a, rcond=None)[0]
    return np.array([1 - v - w, v, w])
