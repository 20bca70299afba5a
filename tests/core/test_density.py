# SPDX-License-Identifier: Apache-2.0
"""The density of latents: against sums written out, its gradient, extremes, both array libraries, damaged arrays."""

import numpy as np
import pytest

from vendor_core.errors import PriorError
from vendor_core.prior import load_prior
from vendor_core.prior.density import GaussianMixture, mixture_from
from vendor_core.prior.latent_spaces import NORMAL


def _mixture(n_components: int = 5, n: int = 4) -> GaussianMixture:
    rng = np.random.default_rng(11)
    factors = np.tril(rng.normal(size=(n_components, n, n))) + 2 * np.eye(n)
    factors[:, range(n), range(n)] = np.abs(factors[:, range(n), range(n)])
    weights = rng.random(n_components)
    return GaussianMixture(weights / weights.sum(), rng.normal(size=(n_components, n)), factors)


def _written_out(mixture: GaussianMixture, z: np.ndarray) -> np.ndarray:
    """Log density of rows z (N, L) from covariances, their inverses and determinants."""
    total = np.zeros(len(z))
    for w, m, C in zip(mixture.weights, mixture.means, mixture.cholesky, strict=True):
        cov = C @ C.T
        d = z - m
        quadratic = np.einsum("ni,ij,nj->n", d, np.linalg.inv(cov), d)
        total += w * np.exp(-0.5 * quadratic) / np.sqrt(np.linalg.det(2 * np.pi * cov))
    return np.log(total)


@pytest.mark.parametrize("shape", [(), (7,), (2, 3), (0,), (1500,)])
def test_it_is_the_sum_of_its_gaussians(rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    mixture, z = _mixture(), rng.standard_normal((*shape, 4))
    found = mixture.log_density(z)
    assert found.shape == shape
    np.testing.assert_allclose(found, _written_out(mixture, z.reshape(-1, 4)).reshape(shape), rtol=1e-10)


def test_it_integrates_to_one(rng: np.random.Generator) -> None:
    mixture = _mixture(3, 2)
    side = np.linspace(-25, 25, 501)
    grid = np.stack(np.meshgrid(side, side), axis=-1)
    assert np.exp(mixture.log_density(grid)).sum() * (side[1] - side[0]) ** 2 == pytest.approx(1, abs=1e-6)


def test_far_away_it_stays_finite_and_follows_the_nearest() -> None:
    mixture, z = _mixture(), np.full((1, 4), 1e4)
    found = mixture.log_density(z)
    assert np.isfinite(found).all() and found[0] < -1e5  # the plain sum is zero here
    y = np.stack([np.linalg.solve(C, z[0] - m) for m, C in zip(mixture.means, mixture.cholesky, strict=True)])
    assert found[0] == pytest.approx(-0.5 * np.min(np.sum(y * y, 1)), rel=1e-4)


def test_a_component_without_weight_counts_for_nothing(rng: np.random.Generator) -> None:
    mixture, z = _mixture(), rng.standard_normal((6, 4))
    weights = mixture.weights.copy()
    weights[2] = 0
    without = np.arange(5) != 2
    fewer = GaussianMixture(weights[without], mixture.means[without], mixture.cholesky[without])
    found = GaussianMixture(weights, mixture.means, mixture.cholesky).log_density(z)
    np.testing.assert_allclose(found, fewer.log_density(z), rtol=1e-12)


def test_torch_agrees_and_its_gradient_is_that_of_finite_differences(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    prior, h = load_prior(), 1e-5
    z = prior.sample(3, seed=5) + 0.1 * rng.standard_normal((3, prior.latent_dim))
    x = torch.as_tensor(z).requires_grad_()
    found = prior.log_density(x)
    np.testing.assert_allclose(found.detach(), prior.log_density(z), rtol=1e-12)
    found.sum().backward()
    for k, e in enumerate(h * np.eye(prior.latent_dim)):
        numeric = (prior.log_density(z + e) - prior.log_density(z - e)) / (2 * h)
        np.testing.assert_allclose(x.grad[:, k], numeric, rtol=1e-5, atol=1e-5)
    assert torch.autograd.gradcheck(prior.log_density, x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_answer_has_the_dtype_of_the_question(dtype: type) -> None:
    prior = load_prior()
    z = prior.sample(200, seed=1)
    found = prior.log_density(z.astype(dtype))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, prior.log_density(z), rtol=1e-3 if dtype is np.float32 else 0, atol=2e-3)


def test_samples_are_denser_than_noise(rng: np.random.Generator) -> None:
    prior = load_prior()
    samples, noise = prior.sample(300, seed=2), 1.5 * rng.standard_normal((300, prior.latent_dim))
    assert prior.log_density(samples).mean() > prior.log_density(noise).mean() + 5


def test_the_standard_normal(rng: np.random.Generator) -> None:
    one = GaussianMixture(np.ones(1), np.zeros((1, 6)), np.eye(6)[None])
    z = rng.standard_normal((4, 6))
    np.testing.assert_allclose(NORMAL.log_density(z), one.log_density(z), rtol=1e-12)


def test_a_factor_that_is_none_is_refused() -> None:
    arrays = _mixture().to_arrays()
    arrays["density_cholesky"][1, 2] = 0  # a diagonal entry
    with pytest.raises(PriorError, match="positive diagonal"):
        mixture_from(arrays, 4, "mine")
