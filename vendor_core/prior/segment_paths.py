# SPDX-License-Identifier: Apache-2.0
"""The way from one key pose to the next, before it is timed."""

from collections.abc import Callable
from copy import copy

import numpy as np

from ..rotations import exp_so3, log_so3
from .base import Prior

SegmentPath = Callable[[np.ndarray], np.ndarray]
"""Poses (T, 21, 3, 3) at times (T,) from 0 to 1 within a segment."""


class LatentPath:
    """Decoded latents on the way from the encoding of one key to that of another, turned so that both keys are met.

    What the decoder misses at each key is a rotation a joint; on the way it turns evenly from the one to the other.

    Args:
        prior: encodes the keys and decodes the path.
        start: pose (21, 3, 3) at time 0.
        end: pose (21, 3, 3) at time 1.
    """

    def __init__(self, prior: Prior, start: np.ndarray, end: np.ndarray):
        self.prior = prior
        self.bends = np.zeros((0, prior.latent_dim))
        """(K, L): what sin(k pi t), k = 1..K, adds to the way between the latents."""
        keys = np.stack([start, end])
        self._z = prior.encode(keys)
        self._missed, missed_at_end = np.swapaxes(prior.decode(self._z), -1, -2) @ keys
        self._turn = log_so3(np.swapaxes(self._missed, -1, -2) @ missed_at_end)

    def __call__(self, t: np.ndarray) -> np.ndarray:
        return self.prior.decode(self.latents(t)) @ self.residual(t)

    def latents(self, t: np.ndarray) -> np.ndarray:
        """Latents (T, L) at times (T,)."""
        way = self.prior.space.between(self._z[0], self._z[1], t)
        return self.prior.space.nearest(way + sines(t, len(self.bends)) @ self.bends)

    def residual(self, t: np.ndarray) -> np.ndarray:
        """Rotations (T, 21, 3, 3) that follow the decoded ones."""
        return self._missed @ exp_so3(t[:, None, None] * self._turn)

    def bent(self, bends: np.ndarray) -> "LatentPath":
        """The same keys, other bends (K, L)."""
        other = copy(self)
        other.bends = bends
        return other


def sines(t: np.ndarray, n: int) -> np.ndarray:
    """sin(k pi t), (T, n), for k = 1..n: smooth, and zero at both ends."""
    return np.sin(np.pi * t[:, None] * np.arange(1, n + 1))


def slerp_path(start: np.ndarray, end: np.ndarray) -> SegmentPath:
    """Each joint turned evenly about one axis, on its own."""
    w = log_so3(np.swapaxes(start, -1, -2) @ end)
    return lambda t: start @ exp_so3(t[:, None, None] * w)
