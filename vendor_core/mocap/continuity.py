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
    home, current, at = np.arange(markers), np.arange(markers), 0
    carried = np.zeros((markers, markers), dtype=int)  # frames in which each way carried each label
    for f, alone in _jumps(points, seen):
        if alone and (current == home).all():
            continue  # nobody to have changed places with
        follows[at:f] = current
        carried[np.arange(markers), current] += f - at
        home = _at_home(carried, home, current)
        current, at = _next(points, seen, follows, home, f), f
        follows[f] = current
    follows[at:] = current
    return _named(follows, seen)


def _jumps(points: np.ndarray, seen: np.ndarray) -> list[tuple[int, bool]]:
    """The frames in which markers, under their labels, miss where they were heading or come back into sight.

    And whether fewer than two miss.
    """
    jumped = np.zeros(seen.shape, dtype=bool)
    step = np.linalg.norm(np.diff(points, axis=0), axis=-1)
    jumped[1:] = (step > _JUMP) & seen[1:] & seen[:-1]
    bend = np.linalg.norm(np.diff(points, 2, axis=0), axis=-1)
    three = seen[2:] & seen[1:-1] & seen[:-2]
    jumped[2:] = np.where(three, bend > _JUMP, jumped[2:])
    back = np.zeros(len(seen), dtype=bool)
    back[1:] = (seen[1:] & ~seen[:-1]).any(1)
    count = jumped.sum(1)
    return [(f, bool(count[f] < 2)) for f in np.flatnonzero((count > 0) | back).tolist()]


def _at_home(carried: np.ndarray, home: np.ndarray, current: np.ndarray) -> np.ndarray:
    """The label (M,) that each way carries as a rule: another one, where all of a circle carried that for longer."""
    ways, home = np.arange(len(home)), home.copy()
    longer = carried[ways, current] > carried[ways, home]
    for circle in _cycles(np.argsort(home)[current]):
        if longer[circle].all():
            home[circle] = current[circle]
    return home


def _next(points: np.ndarray, seen: np.ndarray, follows: np.ndarray, home: np.ndarray, f: int) -> np.ndarray:
    """The label that each way (M,) carries from frame f on."""
    current = follows[f - 1]
    known = seen[f - 1, current]
    heading = points[f - 1, current]
    if f > 1:
        earlier = follows[f - 2]
        both = known & seen[f - 2, earlier]
        heading = np.where(both[:, None], 2 * heading - points[f - 2, earlier], heading)
    current = _returned(points[f], seen[f], heading, known, current, home)
    missed = np.linalg.norm(points[f, current] - heading, axis=-1)
    doubtful = np.flatnonzero(known & seen[f, current] & (missed > _JUMP))
    if len(doubtful) < 2:
        return current
    cost = np.linalg.norm(points[f, current[doubtful]] - heading[doubtful][:, None], axis=-1)
    if (cost.argmin(1) == np.arange(len(cost))).all():
        return current
    ways, labels = pairs(cost)
    after = current.copy()
    for cycle in _cycles(labels):
        if cost[ways[cycle], labels[cycle]].sum() < _BETTER * cost[cycle, cycle].sum():
            after[doubtful[cycle]] = current[doubtful[labels[cycle]]]
    return after


def _returned(
    points: np.ndarray, seen: np.ndarray, heading: np.ndarray, known: np.ndarray, current: np.ndarray, home: np.ndarray
) -> np.ndarray:
    """The label that each way (M,) carries, if those that have changed places go back where they seem to.

    Labels are right as a rule, so that less need speak for it: where all of them were out of sight, nothing. Some of a
    circle may be unseen by then.

    Args:
        points: (M, 3) metres, by label; seen (M,) bool.
        heading: (M, 3) metres, of each way; known (M,) bool.
        current: (M,) the label that each way carries, and home (M,) the one that it carries as a rule.
    """
    missed = np.where(known & seen[current], np.linalg.norm(points[current] - heading, axis=-1), np.nan)
    at_home = np.where(known & seen[home], np.linalg.norm(points[home] - heading, axis=-1), np.nan)
    after = current.copy()
    for cycle in _cycles(np.argsort(home)[current]):
        away, back = missed[cycle], at_home[cycle]
        if not known[cycle].any():
            after[cycle] = home[cycle]
        elif np.isnan(away).all() or np.isnan(back).all() or np.nanmax(away) <= _JUMP:
            continue
        elif np.nanmean(back) < _BACK * np.nanmean(away):
            after[cycle] = home[cycle]
    return after


def _cycles(permutation: np.ndarray) -> list[np.ndarray]:
    """The cycles of a permutation, those of one alone left out."""
    left, cycles = set(np.flatnonzero(permutation != np.arange(len(permutation))).tolist()), []
    while left:
        cycle = [left.pop()]
        while (following := int(permutation[cycle[-1]])) != cycle[0]:
            cycle.append(following)
            left.remove(following)
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
