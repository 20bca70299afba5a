# SPDX-License-Identifier: Apache-2.0
"""Labels that change hands from one frame to the next: a marker goes on where its own way leads, whatever it is called.

What the body makes of a swap that lasts cannot be told from its fit alone: a wrist turns, an offset grows. But at both
ends of it two markers jump, each to where the other one was heading.
"""

import numpy as np

from .assignment import pairs

_JUMP = 0.012  # metres by which a marker must miss its prediction to be in doubt
_BETTER, _BACK = 0.35, 0.9  # of what all together missed, below which they have changed places, or change back


def continued(points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Which of a frame's points each marker is (F, M), such that none jumps to where another was heading.

    Each marker gets the name that it carries most of the time.

    Args:
        points: (F, M, 3) metres, any finite number where unseen.
        seen: (F, M) bool.
    """
    frames, markers = seen.shape
    follows = np.tile(np.arange(markers), (frames, 1))  # (F, M) the label that each way carries
    current = np.arange(markers)
    at = 0
    for f in _jumps(points, seen).tolist():
        follows[at:f] = current
        current, at = _next(points, seen, follows, current, f), f
        follows[f] = current
    follows[at:] = current
    return _named(follows, seen)


def _jumps(points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The frames in which at least two markers, under their labels, miss where they were heading."""
    jumped = np.zeros(seen.shape, dtype=bool)
    step = np.linalg.norm(np.diff(points, axis=0), axis=-1)
    jumped[1:] = (step > _JUMP) & seen[1:] & seen[:-1]
    bend = np.linalg.norm(np.diff(points, 2, axis=0), axis=-1)
    three = seen[2:] & seen[1:-1] & seen[:-2]
    jumped[2:] = np.where(three, bend > _JUMP, jumped[2:])
    return np.flatnonzero(jumped.sum(1) > 1)


def _next(points: np.ndarray, seen: np.ndarray, follows: np.ndarray, current: np.ndarray, f: int) -> np.ndarray:
    """The label that each way (M,) carries from frame f on."""
    before = points[f - 1, current], seen[f - 1, current]
    heading, known = before[0], before[1] & seen[f, current]
    if f > 1:
        earlier = follows[f - 2]
        both = before[1] & seen[f - 2, earlier]
        heading = np.where(both[:, None], 2 * heading - points[f - 2, earlier], heading)
    missed = np.linalg.norm(points[f, current] - heading, axis=-1)
    doubtful = np.flatnonzero(known & (missed > _JUMP))
    if len(doubtful) < 2:
        return current
    cost = np.linalg.norm(points[f, current[doubtful]] - heading[doubtful][:, None], axis=-1)
    ways, labels = pairs(cost)
    after = current.copy()
    for cycle in _cycles(labels):
        own, exchanged = cost[cycle, cycle].sum(), cost[ways[cycle], labels[cycle]].sum()
        of, to = doubtful[cycle], current[doubtful[labels[cycle]]]
        if exchanged < (_BACK if (of == to).all() else _BETTER) * own:
            after[of] = to
    return after


def _cycles(permutation: np.ndarray) -> list[np.ndarray]:
    """The cycles of a permutation, those of one alone left out."""
    left, cycles = set(range(len(permutation))), []
    while left:
        cycle = [left.pop()]
        while (following := int(permutation[cycle[-1]])) != cycle[0]:
            cycle.append(following)
            left.remove(following)
        if len(cycle) > 1:
            cycles.append(np.array(cycle))
    return cycles


def _named(follows: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The order (F, M), from the label that each way carries: ways are named after what they carry most of the time."""
    markers = seen.shape[1]
    votes = np.zeros((markers, markers))
    carried = np.take_along_axis(seen, follows, axis=1)
    for way in range(markers):
        votes[way] = np.bincount(follows[carried[:, way], way], minlength=markers)
    _, name = pairs(-votes - 1e-6 * np.eye(markers))
    order = np.empty_like(follows)
    order[:, name] = follows
    return order
