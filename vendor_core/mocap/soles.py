# SPDX-License-Identifier: Apache-2.0
"""Feet on the floor: where their soles bear, that they stay there, how far they slip all the same, how high it is."""

from typing import Any

import numpy as np

from ..body import BodyModel
from ..body.placement import cast_to_skin
from ..ik.contacts import grounded
from ..ik.points import BodyPoints, place, surface_points
from ..ik.residuals import Position
from ..ik.state import PoseState

_SOLES = {"heel": ("ankle", (0.0, -1.0, -0.4)), "ball": ("foot", (0.0, -1.0, 0.1))}
"""Parts of a foot that bear: the joint from which a ray goes down to the skin, and its direction at rest."""
_MARKERS = {"heel": ("HEE",), "ball": ("TOE", "MT1", "MT5", "TIP")}
"""The markers that show how a part moves, without their side, the best first."""
SOLES = tuple(f"{side}_{part}" for side in ("left", "right") for part in _SOLES)
_SIGMA = 0.004  # metres that a sole slips by, at one unit of cost
_FLOOR = 0.1  # quantile of the heights of soles that bear
_SLIP = 0.95  # quantile


def sole_points(body: BodyModel) -> BodyPoints:
    """The heels and the balls of both feet, `SOLES`, on the skin below.

    Raises:
        BodyError: the body has no mesh, or it cannot be met.
    """
    joints, names = np.asarray(body.joints_template), body.joint_names
    origins = [joints[names.index(f"{name.split('_')[0]}_{_SOLES[name.split('_')[1]][0]}")] for name in SOLES]
    skin = cast_to_skin(body, np.array(origins), np.array([_SOLES[name.split("_")[1]][1] for name in SOLES]))
    return surface_points(body, SOLES, skin.vertices, skin.barycentric, np.zeros((len(SOLES), 3)))


def held_soles(soles: BodyPoints, state: PoseState, solved: np.ndarray, told: np.ndarray, rate: float) -> Position:
    """What keeps soles where they bear on something, in F frames.

    Args:
        soles: on the body of the subject.
        state: the poses of the solved frames, not smoothed yet.
        solved: their indices, sorted.
        told: (F, J) bool, of which joints markers tell.
        rate: Hz.
    """
    p = np.full((len(told), len(soles), 3), np.nan)
    p[solved] = place(soles, state.on(soles.bones))[0]
    p[~told[:, soles.influences[:, 0]]] = np.nan
    sure, places = grounded(p, rate)
    return Position(sure, _SIGMA, soles, np.where(sure[..., None] > 0, places, 0.0))


def feet_summary(
    soles: BodyPoints, state: PoseState, labels: tuple[str, ...], markers: np.ndarray, rate: float
) -> dict[str, Any]:
    """What a take's summary says of its feet.

    `foot_slip_mm` is the 95th percentile of how far, mm a frame, a heel or ball of a foot of the solved body moves
    horizontally while it stands; it stands where its marker as recorded does (`grounded`), so that what is solved has
    no say in it. None where no marker of a foot ever stands. `floor_m` is the height of the floor, metres: a low
    quantile of those of soles of the solved body while they bear; None where feet never do.

    Args:
        soles: on the body of the subject.
        state: the solved poses of F frames.
        labels: of M markers.
        markers: (F, M, 3) metres, Z up, NaN where unseen.
        rate: Hz.
    """
    p = place(soles, state.on(soles.bones))[0]
    steps, heights = [], []
    for k, name in enumerate(soles.names):
        marker = _marker_of(name, labels)
        if marker is not None:
            stands = grounded(markers[:, [marker]], rate)[0][:, 0] > 0
            steps.append(np.linalg.norm(np.diff(p[:, k, :2], axis=0), axis=-1)[stands[1:] & stands[:-1]])
            heights.append(p[stands, k, 2])
    slips, low = (np.concatenate(parts) if parts else np.zeros(0) for parts in (steps, heights))
    return {
        "foot_slip_mm": round(1e3 * float(np.quantile(slips, _SLIP)), 3) if len(slips) else None,
        "floor_m": round(float(np.quantile(low, _FLOOR)), 4) if len(low) else None,
    }


def _marker_of(sole: str, labels: tuple[str, ...]) -> int | None:
    """The column of the marker that shows how a sole moves."""
    side, part = sole.split("_")
    known = [side[0].upper() + marker for marker in _MARKERS[part]]
    return next((labels.index(label) for label in known if label in labels), None)
