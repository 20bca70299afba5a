# SPDX-License-Identifier: Apache-2.0
"""Fewer keys for a motion: cubic curves through some of its samples, nowhere further from it than is allowed.

Keys hold the values of their samples. Between keys every number follows a cubic in time: a Bezier curve whose handles
lie a third of the way to the next key. Keys are set greedily, each as late as the best cubic from the one before allows
(after Schneider, "An Algorithm for Automatically Fitting Digitized Curves", Graphics Gems, 1990). Then the slopes are
fitted anew, all together, so that they jump at keys as little as the allowed error permits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Errors = Callable[[int, np.ndarray], np.ndarray]
"""errors(first, x): how far values x (n, C) of the samples from the first on are off, (n,); up to 1 is allowed."""

_STIFF = 1e-6  # weight of the straight line between keys, against that of one sample: slopes that no sample decides
_EVEN = (1e3, 1.0, 1e-1, 1e-2, 0.0)
"""Weights of a jump of slope, against one sample's error: tried in turn, until nothing beside it is too far off."""


@dataclass(frozen=True)
class FewerKeys:
    """K keys among F samples of a motion of C numbers."""

    samples: np.ndarray  # (K,) their indices, ascending: the first and the last sample are among them
    before: np.ndarray  # (K, C) slopes of the curves that end at the keys, per unit of time
    after: np.ndarray  # (K, C) slopes of the curves that begin there; other ones at samples that must be keys


def reduce_keys(times: np.ndarray, x: np.ndarray, must: np.ndarray, errors: Errors) -> FewerKeys:
    """Choose keys so that no sample is off by more than is allowed.

    Args:
        times: (F,) ascending, of the samples; two or more.
        x: (F, C) the motion.
        must: (F,) true where a key has to be; slopes may jump there.
        errors: what is allowed. A sample's own values must have an error of no more than 1.
    """
    fixed = np.unique(np.concatenate([[0], np.flatnonzero(must), [len(times) - 1]]))
    keys = fixed[:1].tolist()
    for first, last in pairwise(fixed.tolist()):
        keys += _greedy(times, x, first, last, errors)[1:]
    before, after = _smooth(times, x, keys, np.isin(keys, fixed), errors)
    return FewerKeys(np.array(keys), before, after)


def cubic(times: np.ndarray, a: np.ndarray, b: np.ndarray, slope_a: np.ndarray, slope_b: np.ndarray) -> np.ndarray:
    """Values (n, C) at times (n,) of the cubic from a (C,) at the first to b (C,) at the last, with slopes (C,)."""
    t, length = _shares(times)
    return a + (3 * t**2 - 2 * t**3) * (b - a) + length * (t * (1 - t) ** 2 * slope_a - t**2 * (1 - t) * slope_b)


def _shares(times: np.ndarray) -> tuple[np.ndarray, float]:
    length = float(times[-1] - times[0])
    return ((times - times[0]) / length)[:, None], length


def _greedy(times: np.ndarray, x: np.ndarray, first: int, last: int, errors: Errors) -> list[int]:
    """Keys from the first sample to the last, each as late as the best cubic from the one before allows."""

    def fits(i: int, j: int) -> bool:
        before, after = _slopes(times, x, [i, j], np.zeros(2))
        return bool(np.all(errors(i, cubic(times[i : j + 1], x[i], x[j], after[0], before[1])) <= 1))

    keys, guess = [first], 2
    while (i := keys[-1]) < last:
        good, bad = 1, last - i + 1  # lengths; in the end the longest good one lies right below a bad one
        while bad - good > 1:
            trial = min(max(guess, good + 1), last - i) if bad > last - i else (good + bad) // 2
            if fits(i, i + trial):
                good, guess = trial, 2 * trial
            else:
                bad = trial
        keys.append(i + good)
        guess = good
    return keys


def _smooth(
    times: np.ndarray, x: np.ndarray, keys: Sequence[int], free: np.ndarray, errors: Errors
) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (K, C) before and after keys, as even as no sample's being too far off permits; at free ones (K,) they
    may jump.
    """
    level = np.where(free, len(_EVEN) - 1, 0)
    segment = np.repeat(np.arange(len(keys) - 1), np.diff(keys))
    while True:
        before, after = _slopes(times, x, keys, np.array(_EVEN)[level])
        off = errors(keys[0], _curve(times, x, keys, before, after))[1:]
        bad = np.unique(segment[~(off <= 1)])  # NaN too
        loosened = np.minimum(level + np.isin(np.arange(len(keys)), [bad, bad + 1]), len(_EVEN) - 1)
        if np.array_equal(loosened, level):  # without weights at both ends a segment is what the greedy search found
            return before, after
        level = loosened


def _curve(times: np.ndarray, x: np.ndarray, keys: Sequence[int], before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Values (n, C) of all samples from the first key to the last."""
    parts = [x[keys[0] : keys[0] + 1]]
    for k, (i, j) in enumerate(pairwise(keys)):
        parts.append(cubic(times[i : j + 1], x[i], x[j], after[k], before[k + 1])[1:])
    return np.concatenate(parts)


def _slopes(times: np.ndarray, x: np.ndarray, keys: Sequence[int], even: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (K, C) before and after keys that leave the least squared error, and squared jumps weighed by even (K,).

    One after the other, after the first key, before the second, after the second, ..., each slope depends on its two
    neighbours alone: a tridiagonal system, the same for all numbers.
    """
    n, C = 2 * (len(keys) - 1), x.shape[1]
    diagonal, off, right = np.zeros(n), np.zeros(n), np.zeros((n, C))
    lengths = np.diff(times[list(keys)])
    for k, (i, j) in enumerate(pairwise(keys)):
        t, length = _shares(times[i : j + 1])
        begin, end = length * t * (1 - t) ** 2, -length * t**2 * (1 - t)
        rest = x[i : j + 1] - x[i] - (3 * t**2 - 2 * t**3) * (x[j] - x[i])
        stiff = _STIFF * length**2
        straight = stiff * (x[j] - x[i]) / length
        diagonal[2 * k : 2 * k + 2] += np.sum(begin * begin) + stiff, np.sum(end * end) + stiff
        off[2 * k] = np.sum(begin * end)
        right[2 * k : 2 * k + 2] = begin[:, 0] @ rest + straight, end[:, 0] @ rest + straight
    weights = even[1:-1] * lengths[:-1] * lengths[1:]
    diagonal[1:-1] += np.repeat(weights, 2)
    off[1:-1:2] = -weights
    slopes = _tridiagonal(diagonal, off, right)
    return np.concatenate([slopes[:1], slopes[1::2]]), np.concatenate([slopes[::2], slopes[-1:]])


def _tridiagonal(diagonal: np.ndarray, off: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solutions (n, C) of a symmetric positive definite system: diagonal (n,), beside it off (n,), the last unused."""
    for k in range(1, len(diagonal)):
        share = off[k - 1] / diagonal[k - 1]
        diagonal[k] -= share * off[k - 1]
        right[k] -= share * right[k - 1]
    right[-1] /= diagonal[-1]
    for k in range(len(diagonal) - 2, -1, -1):
        right[k] = (right[k] - off[k] * right[k + 1]) / diagonal[k]
    return right
