# SPDX-License-Identifier: Apache-2.0
"""Labels that were swapped within frames, found by where the solved body has its markers."""

import numpy as np

from .assignment import assigned

_FAR, _NEAR = 0.05, 0.03  # metres: a marker this far off is in doubt; a point this near a marker may be it


def unswapped(places: np.ndarray, points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Which of a frame's points each marker is, (F, M): its own number as a rule, another's where labels were swapped.

    Points that are far from their markers are handed out anew among the markers that are without a point then; one that
    comes near none of them stays where it was, and so does the marker that nothing comes near.

    Args:
        places: (F, M, 3) metres, where the solved body has its markers.
        points: (F, M, 3) metres, as labelled; any finite number where unseen.
        seen: (F, M) bool.
    """
    frames, markers = seen.shape
    order = np.tile(np.arange(markers), (frames, 1))
    doubtful = seen & (np.linalg.norm(points - places, axis=-1) > _FAR)
    for f in np.flatnonzero(doubtful.any(1)):
        lost, vacant = np.flatnonzero(doubtful[f]), np.flatnonzero(doubtful[f] | ~seen[f])
        apart = np.linalg.norm(points[f, lost][:, None] - places[f, vacant], axis=-1)
        given = vacant[assigned(np.minimum(apart, 2 * _FAR))]
        _hand_over(order[f], lost, given, apart[np.arange(len(lost)), np.searchsorted(vacant, given)] < _NEAR)
    return order


def _hand_over(order: np.ndarray, lost: np.ndarray, given: np.ndarray, near: np.ndarray) -> None:
    """Give points to the markers that they are near; what is left over of points and markers meets in order."""
    order[given[near]] = lost[near]
    touched = np.union1d(lost[near], given[near])
    pointless = np.setdiff1d(touched, given[near])
    order[pointless] = np.setdiff1d(touched, lost[near])
