# SPDX-License-Identifier: Apache-2.0
"""Markers of the placement table as points on the skin of a body."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..body import BodyModel
from ..body.placement import cast_to_skin
from ..errors import BodyError
from ..ik.points import BodyPoints, surface_points
from ..skeleton import N_BODY, joint_index
from .placement_table import MarkerPlacement, placement_table


@dataclass(frozen=True)
class PlacedMarkers:
    """M markers on a body at rest."""

    points: BodyPoints
    sigma: np.ndarray  # (M, 3) metres, how far real markers stray from there


def place_markers(body: BodyModel, labels: Sequence[str]) -> PlacedMarkers:
    """Put markers of canonical labels on a body.

    Raises:
        BodyError: the body has no mesh or lacks a joint, or its skin cannot be met.
        KeyError: a label that the placement table does not hold.
    """
    rows = [placement_table()[label] for label in labels]
    joints = np.asarray(body.joints_template)

    def origin(row: MarkerPlacement) -> np.ndarray:
        a, b = joints[_joint_of(body, row.from_joint)], joints[_joint_of(body, row.to_joint)]
        return a + row.t * (b - a)

    places = cast_to_skin(body, np.array([origin(r) for r in rows]), np.array([r.direction for r in rows], float))
    bound = np.full((len(rows), N_BODY), np.nan)
    for i, row in enumerate(rows):
        if row.bone:
            bound[i] = np.eye(N_BODY)[joint_index(row.bone)]
    offsets = places.normals * np.array([row.height for row in rows])[:, None]
    points = surface_points(body, labels, places.vertices, places.barycentric, offsets, bound)
    return PlacedMarkers(points, np.array([row.sigma for row in rows]))


def _joint_of(body: BodyModel, name: str) -> int:
    """Index of a joint of the body; where a body has no fingers, as SMPL has none, its hand stands for them."""
    for known in (name, f"{name.partition('_')[0]}_hand"):
        if known in body.joint_names:
            return body.joint_names.index(known)
    raise BodyError(f'{body.name} has no joint "{name}" to place markers by; expected a SMPL, SMPL-H or SMPL-X body')
