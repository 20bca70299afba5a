# SPDX-License-Identifier: Apache-2.0
"""Markers as points on the skin of a body: where the placement table says, or where the user put them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..body import BodyModel
from ..body.placement import cast_to_skin, vertex_normals
from ..errors import BodyError, LayoutError, TargetError
from ..ik.points import BodyPoints, surface_points
from ..skeleton import N_BODY, joint_index
from .placement_table import MarkerPlacement, placement_table

_PUT_SIGMA = 0.015  # metres: how far a marker strays from where the user put it
_HIGHEST = 0.5  # metres above the skin
_ABOUT = 1e-3  # of barycentric weights that sum to one


@dataclass(frozen=True)
class SkinPlace:
    """A place on the skin of a body at rest, as a click on its mesh tells it."""

    vertices: tuple[int, int, int]  # of a triangle
    barycentric: tuple[float, float, float]  # weights of the three, which sum to one
    height: float = 0.0095  # metres from the skin to the marker's centre


@dataclass(frozen=True)
class PlacedMarkers:
    """M markers on a body at rest."""

    points: BodyPoints
    sigma: np.ndarray  # (M, 3) metres, how far real markers stray from there; zeros where one's place is known
    soles: BodyPoints | None = None  # of the body's feet; see `soles`

    def with_offsets(self, offsets: np.ndarray) -> "PlacedMarkers":
        """These markers with known offsets (M, 3), metres, from their places; NaN where they are not known."""
        known = np.all(np.isfinite(offsets), axis=1, keepdims=True)
        points = self.points.with_offsets(np.where(known, offsets, 0.0))
        return replace(self, points=points, sigma=np.where(known, 0.0, self.sigma))


def place_markers(
    body: BodyModel, labels: Sequence[str], places: Mapping[str, SkinPlace] | None = None
) -> PlacedMarkers:
    """Put markers on a body.

    Args:
        body: a body with a mesh.
        labels: canonical labels, or those of `places`.
        places: where markers sit that are not of the table, or not where the table says.

    Raises:
        BodyError: the body has no mesh or lacks a joint, or its skin cannot be met.
        TargetError: a place that is not on this body.
        LayoutError: a label that neither the placement table nor the places hold.
    """
    places = {label: place for label, place in (places or {}).items() if label in labels}
    if unknown := [label for label in labels if label not in places and label not in placement_table()]:
        known = ", ".join(placement_table())
        raise LayoutError(f'"{unknown[0]}" is no marker that can be placed; expected one of {known}')
    rows = {label: placement_table()[label] for label in labels if label not in places}
    n = len(labels)
    vertices, barycentric = np.zeros((n, 3), dtype=np.int64), np.zeros((n, 3))
    offsets, sigma, bound = np.zeros((n, 3)), np.full((n, 3), _PUT_SIGMA), np.full((n, N_BODY), np.nan)
    at = [i for i, label in enumerate(labels) if label in rows]
    skin = cast_to_skin(
        body,
        np.array([_origin(body, row) for row in rows.values()]).reshape(-1, 3),
        np.array([row.direction for row in rows.values()], dtype=float).reshape(-1, 3),
    )
    vertices[at], barycentric[at] = skin.vertices, skin.barycentric
    offsets[at] = skin.normals * np.array([row.height for row in rows.values()])[:, None]
    for i, row in zip(at, rows.values(), strict=True):
        sigma[i] = row.sigma
        if row.bone and joint_index(row.bone) < N_BODY:  # fingers are no part of the body's solve
            bound[i] = np.eye(N_BODY)[joint_index(row.bone)]
    if places:
        normals = vertex_normals(np.asarray(body.v_template), body.faces)
        for i, label in enumerate(labels):
            if label in places:
                place = _checked(body, label, places[label])
                vertices[i], barycentric[i] = place.vertices, place.barycentric
                normal = np.array(place.barycentric) @ normals[list(place.vertices)]
                offsets[i] = place.height * normal / max(float(np.linalg.norm(normal)), 1e-12)
    return PlacedMarkers(surface_points(body, labels, vertices, barycentric, offsets, bound), sigma)


def _origin(body: BodyModel, row: MarkerPlacement) -> np.ndarray:
    joints = np.asarray(body.joints_template)
    a, b = joints[_joint_of(body, row.from_joint)], joints[_joint_of(body, row.to_joint)]
    return a + row.t * (b - a)


def _checked(body: BodyModel, label: str, place: SkinPlace) -> SkinPlace:
    weights, n = np.array(place.barycentric, dtype=float), len(body.v_template)
    if not all(0 <= vertex < n for vertex in place.vertices):
        raise TargetError(
            f"{label} is placed at vertices {list(place.vertices)}; expected three of the {n} of {body.name}: "
            "place it anew on this body"
        )
    if not (np.isfinite(weights).all() and weights.min() > -_ABOUT and abs(weights.sum() - 1) < _ABOUT):
        raise TargetError(f"{label} is placed with weights {list(place.barycentric)}; expected three that sum to one")
    if not (np.isfinite(place.height) and abs(place.height) <= _HIGHEST):
        raise TargetError(f"{label} is placed {place.height} m above the skin; expected at most {_HIGHEST} m")
    return place


def _joint_of(body: BodyModel, name: str) -> int:
    """Index of a joint of the body; where a body has no fingers, as SMPL has none, its hand stands for them."""
    for known in (name, f"{name.partition('_')[0]}_hand"):
        if known in body.joint_names:
            return body.joint_names.index(known)
    raise BodyError(f'{body.name} has no joint "{name}" to place markers by; expected a SMPL, SMPL-H or SMPL-X body')
