# SPDX-License-Identifier: Apache-2.0
"""Anatomical places on the skin: where a ray from inside the body leaves it.

A place is said by a point inside (between two joints) and a direction in the rest frame, so one definition serves every
body model. Ray and triangle: Moller and Trumbore 1997.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import BodyError
from .model import BodyModel

_REACH = 0.30  # metres: skin farther from the origin of a ray belongs to another limb
_SAME_HIT = 1e-7  # metres


@dataclass(frozen=True)
class SkinPlaces:
    """P places on the skin of a body at rest."""

    vertices: np.ndarray  # (P, 3) indices of the triangle's vertices
    barycentric: np.ndarray  # (P, 3)
    normals: np.ndarray  # (P, 3) unit, outwards


def cast_to_skin(body: BodyModel, origins: np.ndarray, directions: np.ndarray) -> SkinPlaces:
    """Where rays from inside a limb leave the skin of the mean shape, at most 0.3 m on; not what they meet later.

    Args:
        body: a body with a mesh.
        origins: (P, 3) metres, rest frame.
        directions: (P, 3), any length but zero.

    Raises:
        BodyError: the body has no mesh, or a ray does not meet it.
    """
    v, faces = np.asarray(body.v_template), body.faces
    if len(faces) == 0:
        raise BodyError(f"{body.name} has no mesh; expected a body with a skin to place markers on")
    corners = v[faces]
    e1, e2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normals = vertex_normals(v, faces)
    places = [
        _way_out(o, d / np.linalg.norm(d), corners[:, 0], e1, e2) for o, d in zip(origins, directions, strict=True)
    ]
    if None in places:
        raise BodyError(f"{body.name}: a ray from inside finds no skin within 0.3 m; expected a closed body in metres")
    triangles = np.array([place[0] for place in places if place], dtype=np.int64)
    barycentric = np.array([place[1] for place in places if place]).reshape(-1, 3)
    smooth = np.sum(barycentric[..., None] * normals[faces[triangles]], axis=1)
    return SkinPlaces(faces[triangles], barycentric, smooth / np.linalg.norm(smooth, axis=1, keepdims=True))


def _way_out(
    origin: np.ndarray, direction: np.ndarray, corner: np.ndarray, e1: np.ndarray, e2: np.ndarray
) -> tuple[int, np.ndarray] | None:
    """The triangle through which a ray gets outside, and where in it."""
    h = np.cross(direction, e2)
    det = np.sum(e1 * h, axis=1)
    inverse = 1 / np.where(np.abs(det) > 1e-14, det, np.inf)
    s = origin - corner
    u = inverse * np.sum(s * h, axis=1)
    q = np.cross(s, e1)
    v = inverse * (q @ direction)
    distance = inverse * np.sum(e2 * q, axis=1)
    slack = 1e-9  # a ray along an edge must hit one of its two triangles
    hit = (inverse != 0) & (u >= -slack) & (v >= -slack) & (u + v <= 1 + slack) & (distance > 0)
    at = _outermost(np.flatnonzero(hit), distance, leaves=det < 0)
    return None if at is None else (at, np.array([1 - u[at] - v[at], u[at], v[at]]))


def _outermost(hits: np.ndarray, distance: np.ndarray, leaves: np.ndarray) -> int | None:
    """Of the triangles that a ray hits, the first after which it is in nothing any more: an eyeball or a fold of skin
    within a body lies in two things at once. The last one within reach where the ray starts outside.
    """
    hits = hits[np.argsort(distance[hits], kind="stable")]
    once = np.ones(len(hits), dtype=bool)  # two triangles along an edge are one hit
    once[1:] = (np.diff(distance[hits]) > _SAME_HIT) | (np.diff(leaves[hits].astype(int)) != 0)
    hits = hits[once]
    step = np.where(leaves[hits], -1, 1)
    out = hits[np.cumsum(step) - step.sum() <= 0]
    near = distance < _REACH
    chosen = out[:1] if step.sum() < 0 else hits[near[hits]][-1:]
    return int(chosen[0]) if len(chosen) and near[chosen[0]] else None


def vertex_normals(v: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted vertex normals (V, 3), unit length."""
    corners = v[faces]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(v)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], face_normals)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
