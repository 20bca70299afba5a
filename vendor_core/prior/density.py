# SPDX-License-Identifier: Apache-2.0
"""A Gaussian mixture over latents, fitted after training: the encodings of real poses are not N(0, I)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log, pi

import numpy as np

from ..arrays import Array, Constant, namespace
from ..errors import PriorError

_LOG_2PI = log(2 * pi)
_ROWS = 256  # latents at a time: each meets every component, 67 MB for 1,024 of 32 numbers


@dataclass(frozen=True)
class GaussianMixture:
    """Weights (K,), means (K, L) and lower Cholesky factors (K, L, L) of the covariances."""

    weights: np.ndarray
    means: np.ndarray
    cholesky: np.ndarray

    def sample(self, n: int, seed: int) -> np.ndarray:
        """n latents (n, L), float64; the same seed gives the same latents."""
        which, noise = self.draw(n, seed)
        z = self.means[which]
        for rows in np.array_split(np.arange(n), n // _ROWS + 1):
            z[rows] += (self.cholesky[which[rows]] @ noise[rows, :, None])[..., 0]
        return z

    def draw(self, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Which component (n,) each of n latents comes from, and from which N(0, I) (n, L) in it."""
        rng = np.random.default_rng(seed)
        which = rng.choice(len(self.weights), size=n, p=self.weights)
        return which, rng.standard_normal((n, self.means.shape[1]))

    def log_density(self, z: Array) -> Array:
        """Log densities (...), nats, of latents z (..., L), NumPy or torch: `log sum_k w_k N(z; m_k, C_k C_k^T)`."""
        xp = namespace(z)
        flat = xp.reshape(z, (-1, z.shape[-1]))
        parts = [self._log_density(flat[i : i + _ROWS]) for i in range(0, max(len(flat), 1), _ROWS)]
        return xp.reshape(xp.concat(parts), tuple(z.shape[:-1]))

    def _log_density(self, z: Array) -> Array:
        xp = namespace(z)
        whiten, centres, heights = (constant.like(z) for constant in self._whitening)
        y = xp.reshape(z @ whiten.T - centres, (len(z), *self.means.shape))
        logs = heights - 0.5 * xp.sum(y * y, axis=-1)  # (N, K)
        highest = xp.max(logs, axis=-1)
        return highest + xp.log(xp.sum(xp.exp(logs - highest[:, None]), axis=-1))

    @cached_property
    def _whitening(self) -> tuple[Constant, Constant, Constant]:
        """What each component takes from z: `C_k^-1` as rows (K L, L), `C_k^-1 m_k` (K L,), and its log peak (K,)."""
        n = self.means.shape[1]
        C, inverse = self.cholesky, np.zeros_like(self.cholesky)
        for i in range(n):  # forward substitution, row by row
            inverse[:, i] = (np.eye(n)[i] - (C[:, i, None, :i] @ inverse[:, :i])[:, 0]) / C[:, i, i, None]
        weights = np.maximum(self.weights, np.finfo(np.float64).tiny)
        volume = np.sum(np.log(np.diagonal(C, axis1=1, axis2=2)), axis=-1)
        centres = (inverse @ self.means[..., None]).reshape(-1)
        return (
            Constant(inverse.reshape(-1, n)),
            Constant(centres),
            Constant(np.log(weights) - volume - n / 2 * _LOG_2PI),
        )

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The mixture as arrays of a prior file: half precision, lower triangles row by row."""
        row, column = np.tril_indices(self.means.shape[1])
        return {
            "density_weights": self.weights.astype(np.float32),
            "density_means": self.means.astype(np.float16),
            "density_cholesky": self.cholesky[:, row, column].astype(np.float16),
        }


def mixture_from(arrays: Mapping[str, np.ndarray], latent_dim: int, name: str) -> GaussianMixture:
    """The mixture that `GaussianMixture.to_arrays` made.

    Raises:
        PriorError: arrays are missing or do not fit each other.
    """
    missing = [key for key in ("density_weights", "density_means", "density_cholesky") if key not in arrays]
    if missing:
        raise PriorError(f'{name} has no "{missing[0]}"; expected a prior written by `train`')
    weights, means, packed = (arrays[f"density_{key}"].astype(np.float64) for key in ("weights", "means", "cholesky"))
    row, column = np.tril_indices(latent_dim)
    expected = (len(weights), latent_dim), (len(weights), len(row))
    if weights.ndim != 1 or (means.shape, packed.shape) != expected:
        raise PriorError(f"{name}: the density has means {means.shape} and factors {packed.shape}; expected {expected}")
    if len(weights) == 0 or (weights < 0).any() or weights.sum() <= 0:
        raise PriorError(f"{name}: the density's weights are no probabilities; get the file anew")
    cholesky = np.zeros((len(weights), latent_dim, latent_dim))
    cholesky[:, row, column] = packed
    if (np.diagonal(cholesky, axis1=1, axis2=2) <= 0).any():
        raise PriorError(f"{name}: a factor of the density has no positive diagonal; get the file anew")
    return GaussianMixture(weights / weights.sum(), means, cholesky)
