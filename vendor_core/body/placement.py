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


@dataclass(frozen=True)
class SkinPlaces:
    """P places on the skin of a body at rest."""

    vertices: np.ndarray  # (P, 3) indices of the triangle's vertices
    barycentric: np.ndarray  # (P, 3)
    normals: np.ndarray  # (P, 3) unit, outwards


def cast_to_skin(body: BodyModel, origins: np.ndarray, directions: np.ndarray) -> SkinPlaces:
    """Where rays from inside leave the skin of the mean shape: the last hit within 0.3 m.

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
        _last_hit(o, d / np.linalg.norm(d), corners[:, 0], e1, e2) for o, d in zip(origins, directions, strict=True)
    ]
    if None in places:
        raise BodyError(f"{body.name}: a ray from inside finds no skin within 0.3 m; expected a closed body in metres")
    triangles = np.array([place[0] for place in places if place])
    barycentric = np.array([place[1] for place in places if place])
    smooth = np.sum(barycentric[..., None] * normals[faces[triangles]], axis=1)
    return SkinPlaces(faces[triangles], barycentric, smooth / np.linalg.norm(smooth, axis=1, keepdims=True))


def _last_hit(
    origin: np.ndarray, direction: np.ndarray, corner: np.ndarray, e1: np.ndarray, e2: np.ndarray
) -> tuple[int, np.ndarray] | None:
    h = np.cross(direction, e2)
    det = np.sum(e1 * h, axis=1)
    inverse = 1 / np.where(np.abs(det) > 1e-14, det, np.inf)
    s = origin - corner
    u = inverse * np.sum(s * h, axis=1)
    q = np.cross(s, e1)
    v = inverse * (q @ direction)
    distance = inverse * np.sum(e2 * q, axis=1)
    slack = 1e-9  # a ray along an edge must hit one of its two triangles
    hit = (inverse != 0) & (u >= -slack) & (v >= -slack) & (u + v <= 1 + slack) & (distance > 0) & (distance < _REACH)
    if not hit.any():
        return None
    at = int(np.argmax(np.where(hit, distance, -1)))
    return at, np.array([1 - u[at] - v[at], u[at], v[at]])


def vertex_normals(v: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted vertex normals (V, 3), unit length."""
    corners = v[faces]
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(v)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], face_normals)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
