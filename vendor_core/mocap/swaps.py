# SPDX-License-Identifier: Apache-2.0
"""Labels that were swapped within frames, and points that lost theirs: found by where a solved body has its markers."""

import numpy as np

from .assignment import pairs

_FAR, _NEAR = 0.05, 0.03  # metres: a marker this far off is in doubt; a point this near a marker may be it


def unswapped(places: np.ndarray, points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Which of a frame's points each marker is, (F, M): its own as a rule, another where labels were swapped or lost.

    Points that are far from their markers, and those without a label, are handed out among the markers that are without
    a point near them. A point that comes near none of those stays what it was, as far as that is free; a marker whose
    point was given away and for which no other is left has none, -1.

    Args:
        places: (F, M, 3) metres, where the solved body has its markers.
        points: (F, N, 3) metres: those of the M markers as labelled, then those without a label; any finite number
            where unseen.
        seen: (F, N) bool.
    """
    frames, markers = places.shape[:2]
    order = np.tile(np.arange(markers), (frames, 1))
    doubtful = seen[:, :markers] & (np.linalg.norm(points[:, :markers] - places, axis=-1) > _FAR)
    vacant, lost = doubtful | ~seen[:, :markers], np.concatenate([doubtful, seen[:, markers:]], axis=1)
    for f in np.flatnonzero(vacant.any(1) & lost.any(1)):
        order[f] = _handed_over(places[f], points[f], np.flatnonzero(lost[f]), np.flatnonzero(vacant[f]), order[f])
    return order


def _handed_over(
    places: np.ndarray, points: np.ndarray, lost: np.ndarray, vacant: np.ndarray, order: np.ndarray
) -> np.ndarray:
    """The order of one frame's points in which those that are lost belong to the vacant markers that they are near."""
    apart = np.linalg.norm(points[lost][:, None] - places[vacant], axis=-1)
    i, k = pairs(np.minimum(apart, 2 * _FAR))
    near = apart[i, k] < _NEAR
    given, to = lost[i[near]], vacant[k[near]]
    without = np.setdiff1d(order[np.isin(order, given)], to)  # markers that gave their point away and got none near
    over = np.setdiff1d(order[to], given)  # points of markers that got another's
    order[to] = given
    order[without] = -1
    n = min(len(without), len(over))
    order[without[:n]] = over[:n]
    return order
