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
        edges = np.flatnonzero(np.diff(np.concatenate([[False], speed[:, k] < _SLOW, [False]])))
        for first, end in edges.reshape(-1, 2):
            if (end - first) / rate >= _SHORTEST:
                run = slice(first, end)
                rests[run, k] = True
                mean = p[run, k].mean(0)
                still = np.linalg.norm(q[run, k] - mean, axis=-1).max() < _STILL
                places[run, k] = mean if still else _averaged(p[run, k : k + 1], round(_DRIFT * rate))[:, 0]
    return rests, places


def _averaged(p: np.ndarray, reach: int) -> np.ndarray:
    """Places (F, P, 3) each averaged with up to so many on both sides."""
    sums = np.concatenate([np.zeros((1, *p.shape[1:])), np.cumsum(p, axis=0)])
    at = np.arange(len(p))
    first, end = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(p))
    return (sums[end] - sums[first]) / (end - first)[:, None, None]
