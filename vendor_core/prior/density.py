# SPDX-License-Identifier: Apache-2.0
"""A Gaussian mixture over latents, fitted after training: the encodings of real poses are not N(0, I)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import PriorError


@dataclass(frozen=True)
class GaussianMixture:
    """Weights (K,), means (K, L) and lower Cholesky factors (K, L, L) of the covariances."""

    weights: np.ndarray
    means: np.ndarray
    cholesky: np.ndarray

    def sample(self, n: int, seed: int) -> np.ndarray:
        """n latents (n, L), float64; the same seed gives the same latents."""
        rng = np.random.default_rng(seed)
        which = rng.choice(len(self.weights), size=n, p=self.weights)
        noise = rng.standard_normal((n, self.means.shape[1]))
        return self.means[which] + (self.cholesky[which] @ noise[..., None])[..., 0]

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
    return GaussianMixture(weights / weights.sum(), means, cholesky)
