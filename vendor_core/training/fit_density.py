# SPDX-License-Identifier: Apache-2.0
"""Fit a Gaussian mixture to the encodings of the training poses: weighted k-means, shrunk covariances."""

import numpy as np

from ..linalg import one_blas_thread
from ..prior.density import GaussianMixture

_ROUNDS = 12
_ROWS = 8192  # encodings at a time
_SHRINK = 8.0  # pseudo-observations of a tenth of the global covariance in each component
_LEAST_VARIANCE = 1e-4
_FEWEST = 4  # poses a component, on average
_SPREAD = 0.85  # of each component: Gaussians spill over their cells, into poses that nobody takes


@one_blas_thread
def fit_mixture(z: np.ndarray, weight: np.ndarray, components: int, seed: int) -> GaussianMixture:
    """Fit a mixture by weighted k-means.

    Args:
        z: encodings (N, L).
        weight: (N,) sums to 1.
        components: how many Gaussians at most; those that end with fewer than two poses are dropped.
        seed: decides the starting means.
    """
    z = np.asarray(z, dtype=np.float32)
    rng = np.random.default_rng(seed)
    p = weight / weight.sum()
    components = min(components, max(1, np.count_nonzero(p) // _FEWEST))
    means = z[np.sort(rng.choice(len(z), components, replace=False, p=p))]
    which = np.zeros(len(z), np.int64)
    for _ in range(_ROUNDS):
        which = _nearest(z, means)
        mass = np.bincount(which, p, len(means))
        total = np.stack([np.bincount(which, p * column, len(means)) for column in z.T], axis=1)
        means = np.where(mass[:, None] > 0, total / np.maximum(mass, 1e-12)[:, None], means).astype(np.float32)
    overall, counts = np.cov(z.T, aweights=p), np.bincount(which, minlength=len(means))
    members = np.split(np.argsort(which, kind="stable"), np.cumsum(counts)[:-1])
    kept = np.flatnonzero(counts >= 2)
    mass = np.array([p[members[k]].sum() for k in kept])
    factors = [_SPREAD * _factor(z[members[k]], p[members[k]], means[k], overall) for k in kept]
    return GaussianMixture(mass / mass.sum(), means[kept].astype(np.float64), np.stack(factors))


def _nearest(z: np.ndarray, means: np.ndarray) -> np.ndarray:
    """The number (N,) of the mean (K, L) nearest to each z (N, L)."""
    half = 0.5 * np.sum(means * means, axis=1)
    parts = [np.argmax(z[i : i + _ROWS] @ means.T - half, axis=1) for i in range(0, len(z), _ROWS)]
    return np.concatenate(parts)


def _factor(z: np.ndarray, p: np.ndarray, mean: np.ndarray, overall: np.ndarray) -> np.ndarray:
    """Lower Cholesky factor (L, L) of the covariance of one component's encodings, shrunk."""
    d = z.astype(np.float64) - mean
    scatter = len(z) * (d.T * (p / p.sum())) @ d
    C = (scatter + _SHRINK * 0.1 * overall) / (len(z) + _SHRINK)
    return np.linalg.cholesky(C + _LEAST_VARIANCE * np.eye(len(C)))
