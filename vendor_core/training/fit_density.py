# SPDX-License-Identifier: Apache-2.0
"""Fit a Gaussian mixture to the encodings of the training poses: weighted k-means, shrunk covariances."""

from typing import TYPE_CHECKING

from ..prior.density import GaussianMixture

if TYPE_CHECKING:
    from torch import Generator, Tensor

_ROUNDS = 12
_SHRINK = 8.0  # pseudo-observations of a tenth of the global covariance in each component
_OWN_NOISE = 0.3  # share of the encoder's own variance that widens a component


def fit_mixture(
    z: "Tensor", variance: "Tensor", weight: "Tensor", components: int, draw: "Generator"
) -> GaussianMixture:
    """Fit a mixture by weighted k-means.

    Args:
        z: mean encodings (N, L).
        variance: the encoder's variances (N, L).
        weight: (N,) sums to 1.
        components: how many Gaussians at most; those that end with fewer than two poses are dropped.
        draw: source of the starting means.
    """
    import torch

    z, variance, weight = z.cpu(), variance.cpu(), weight.float().cpu()
    means = z[torch.multinomial(weight, min(components, len(z)), generator=draw)]
    which = torch.zeros(len(z), dtype=torch.int64)
    for _ in range(_ROUNDS):
        which = torch.cat([torch.cdist(part, means).argmin(1) for part in z.split(8192)])
        mass = torch.zeros(len(means), dtype=z.dtype).index_add_(0, which, weight)
        total = torch.zeros_like(means).index_add_(0, which, weight[:, None] * z)
        means = torch.where(mass[:, None] > 0, total / mass[:, None].clamp(min=1e-12), means)
    z, means, variance, weight = z.double(), means.double(), variance.double(), weight.double()
    overall = torch.cov(z.T, aweights=weight)
    rows = []
    for k in range(len(means)):
        inside = which == k
        count = int(inside.sum())
        if count < 2:
            continue
        share = weight[inside] / weight[inside].sum()
        d = z[inside] - means[k]
        scatter = count * (share[:, None] * d).T @ d
        C = (scatter + _SHRINK * 0.1 * overall) / (count + _SHRINK)
        C += torch.diag(_OWN_NOISE * (share[:, None] * variance[inside]).sum(0) + 1e-4)
        rows.append((weight[inside].sum(), means[k], torch.linalg.cholesky(C)))
    masses, centres, factors = (torch.stack(column).numpy() for column in zip(*rows, strict=True))
    return GaussianMixture(masses / masses.sum(), centres, factors)
