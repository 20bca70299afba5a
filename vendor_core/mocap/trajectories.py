# SPDX-License-Identifier: Apache-2.0
"""Trajectories without a name, of which several may be parts of one marker: who is who, and where to look at them."""

import numpy as np

from .assignment import pairs

_SAME = 0.002  # metres: trajectories that stay this near are one, written twice
_COMPARED = 60  # frames in which trajectories are compared


def first_of_each(p: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The first trajectory (P,) that each one repeats, itself as a rule: some files hold a trajectory twice.

    Args:
        p: (F, P, 3) metres, any finite number where unseen.
        seen: (F, P) bool.
    """
    n = p.shape[1]
    together, apart = np.zeros((n, n), dtype=int), np.zeros((n, n), dtype=int)
    for f in np.unique(np.linspace(0, len(p) - 1, _COMPARED).astype(int)):
        columns = np.flatnonzero(seen[f])
        far = np.abs(p[f, columns][:, None] - p[f, columns]).max(-1) > _SAME
        together[np.ix_(columns, columns)] += 1
        apart[np.ix_(columns, columns)] += far
    same = (together > 0) & (apart == 0) | np.eye(n, dtype=bool)
    first = same.argmax(1)
    while (first[first] != first).any():
        first = first[first]
    return first


def handed_out(votes: np.ndarray, least: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The marker of each trajectory (P,), -1 for none; those of one marker are never seen together.

    Args:
        votes: (P, M) what speaks for each trajectory's being each marker.
        least: (P,) what must speak for a trajectory, or it is none.
        seen: (F, P) bool.
    """
    votes = np.where(votes >= np.maximum(least, 1e-9)[:, None], votes, 0)
    marker_of = np.full(len(votes), -1)
    columns, markers = pairs(-votes)
    given = votes[columns, markers] > 0
    marker_of[columns[given]] = markers[given]
    taken = np.array([seen[:, marker_of == m].any(1) for m in range(votes.shape[1])])
    for column in np.argsort(-votes.max(1), kind="stable"):
        if marker_of[column] < 0:
            free = votes[column] * ~(taken & seen[:, column]).any(1)
            if free.max() > 0:
                marker_of[column] = free.argmax()
                taken[marker_of[column]] |= seen[:, column]
    return marker_of


def gathered(p: np.ndarray, seen: np.ndarray, marker_of: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """N markers (F, N, 3) and which are seen (F, N), of the trajectories (F, P, 3) that make them up."""
    labelled, there = np.zeros((len(p), n, 3)), np.zeros((len(p), n), dtype=bool)
    for column in np.flatnonzero(marker_of >= 0):
        new = seen[:, column] & ~there[:, marker_of[column]]
        labelled[new, marker_of[column]] = p[new, column]
        there[:, marker_of[column]] |= new
    return labelled, there


def frames_to_look_at(seen: np.ndarray, n: int) -> np.ndarray:
    """About n frames (K,) spread over a take, and further ones, so that each trajectory of seen (F, P) is in some."""
    busy = np.flatnonzero(seen.any(1))
    chosen = np.zeros(len(seen), dtype=bool)
    chosen[busy[np.unique(np.linspace(0, len(busy) - 1, n).astype(int))]] = True
    last = len(seen) - 1 - seen[::-1].argmax(0)
    for column in np.argsort(last, kind="stable"):  # those that end first, first: one frame may then serve many
        own = np.flatnonzero(seen[:, column])
        if len(own) and not chosen[own].any():
            chosen[own[(3 * len(own)) // 4]] = True
    return np.flatnonzero(chosen)
