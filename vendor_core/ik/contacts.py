# SPDX-License-Identifier: Apache-2.0
"""Where feet rest: stretches of time in which a point hardly moves, and the place where it then is.

A foot that stands shows its noise plainly, for it should not move at all. No ground is asked for: a foot may rest on a
stair, or in the air.
"""

import numpy as np

_AROUND = 0.3  # seconds that a place is averaged over before its speed is taken
_SLOW = 0.4  # m/s: a point that rests, after averaging
_SHORTEST = 0.15  # seconds
_STILL = 0.03  # metres from its mean place, within which a resting point stays all along
_DRIFT = 0.5  # seconds on both sides that the place of a point that creeps is averaged over

# Of motion that is nearly clean:
_MOMENT = 0.1  # seconds that speed is taken over, and that a rest lasts at least
_TREADING = 0.12  # m/s: the fastest that a foot's point moves which bears; heels that leave the floor begin so slowly
_ALOFT = 0.03  # m/s: the same of one that is not low
_LOWEST, _LOW = 0.05, 0.05  # quantile of the heights of slow points, and metres above it that count as low
_STANCE = 0.4  # seconds on both sides that a place is averaged over, within a stance


def resting(p: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """When points rest, and where.

    Args:
        p: (F, P, 3) metres, not very noisy.
        rate: Hz.

    Returns:
        (F, P) bool, and places (F, P, 3) metres; where a point does not rest, what it is given.
    """
    places, rests = p.copy(), np.zeros(p.shape[:2], bool)
    reach = max(1, round(0.5 * _AROUND * rate))
    if len(p) < 2 * reach + 1:
        return rests, places
    q = _averaged(p, reach)
    speed = np.linalg.norm(np.gradient(q, axis=0), axis=-1) * rate
    for k in range(p.shape[1]):
        for run in _stretches(speed[:, k] < _SLOW):
            if (run.stop - run.start) / rate >= _SHORTEST:
                rests[run, k] = True
                mean = p[run, k].mean(0)
                still = np.linalg.norm(q[run, k] - mean, axis=-1).max() < _STILL
                places[run, k] = mean if still else _averaged(p[run, k : k + 1], round(_DRIFT * rate))[:, 0]
    return rests, places


def grounded(p: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """How surely points of feet bear on something, and where: asked of nearly clean motion, point by point.

    A point that hardly moves bears on something where it is low, as low as it gets when it is slow. Higher up it may
    stand on a stair or hang in the air, so there it must be stiller than a foot in the air ever is. One that goes
    along evenly, as on a treadmill, is never that slow for long and so bears on nothing that stands in the world.

    Args:
        p: (F, P, 3) metres, Z up; NaN where unknown.
        rate: Hz.

    Returns:
        (F, P) from 0 to 1, growing from the moment that a point is slow enough to the moment that it does not move, and
        places (F, P, 3) metres; where a point bears on nothing, what it is given. Small changes of the motion change
        both little, and what is more than a second away does not change them.
    """
    sure, places = np.zeros(p.shape[:2]), p.copy()
    for k in range(p.shape[1]):
        q, speed = _evenly_known(p[:, k], max(1, round(0.5 * _MOMENT * rate)))
        speed *= rate
        slow = speed < _TREADING
        if not slow.any():
            continue
        low = q[:, 2] < np.quantile(q[slow, 2], _LOWEST) + _LOW
        limit = np.where(low, _TREADING, _ALOFT)
        for run in _stretches(_without_moments(speed < limit, _MOMENT * rate)):
            if (run.stop - run.start) / rate >= _MOMENT:
                sure[run, k] = np.maximum(1 - (speed[run] / limit[run]) ** 2, 0.0) ** 2
                places[run, k] = _averaged(q[run, None], round(_STANCE * rate))[:, 0]
    return sure, places


def _without_moments(held: np.ndarray, longest: float) -> np.ndarray:
    """What holds (F,), with breaks of fewer frames than the longest filled: they begin and end by chance."""
    held = held.copy()
    breaks = _stretches(~held)
    for run in breaks:
        if run.start > 0 and run.stop < len(held) and run.stop - run.start < longest:
            held[run] = True
    return held


def _evenly_known(p: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Places (F, 3) averaged over neighbours, and how far they move a frame (F,), infinite where that is not known.

    Args:
        p: (F, 3) metres, NaN where unknown.
        reach: frames on both sides; stretches of known places that are not longer tell nothing.
    """
    q, speed = p.copy(), np.full(len(p), np.inf)
    for run in _stretches(np.asarray(np.isfinite(p).all(-1))):
        at = np.arange(run.stop - run.start)
        if len(at) > 2 * reach:
            q[run] = _averaged(p[run, None], reach)[:, 0]
            after, before = np.minimum(at + reach, len(at) - 1), np.maximum(at - reach, 0)
            speed[run] = np.linalg.norm(q[run][after] - q[run][before], axis=-1) / (after - before)
    return q, speed


def _stretches(held: np.ndarray) -> list[slice]:
    """The stretches of frames (F,) in which something holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], held, [False]])))
    return [slice(first, end) for first, end in edges.reshape(-1, 2).tolist()]


def _averaged(p: np.ndarray, reach: int) -> np.ndarray:
    """Places (F, P, 3) each averaged with up to so many on both sides."""
    sums = np.concatenate([np.zeros((1, *p.shape[1:])), np.cumsum(p, axis=0)])
    at = np.arange(len(p))
    first, end = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(p))
    return (sums[end] - sums[first]) / (end - first)[:, None, None]
