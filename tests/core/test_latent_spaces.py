# SPDX-License-Identifier: Apache-2.0
"""Where latents lie: draws, projections, derivatives, and the way between two."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendor_core.prior.latent_spaces import SPACES, LatentSpace

L = 6
every_space = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)


@every_space
def test_draws_have_a_spread_of_one_and_lie_in_the_space(space: LatentSpace) -> None:
    z = space.sample(20_000, L, seed=3)
    np.testing.assert_allclose(z.std(0), 1, atol=0.02)
    np.testing.assert_allclose(space.nearest(z), z, atol=1e-12)
    np.testing.assert_allclose(space.off(z), z if space.name == "normal" else 0, atol=1e-12)
    np.testing.assert_array_equal(z, space.sample(20_000, L, seed=3))


@every_space
def test_derivatives_by_the_latent_are_those_of_what_the_decoder_takes(space: LatentSpace) -> None:
    rng = np.random.default_rng(1)
    z, J, dz, h = rng.normal(size=(4, L)), rng.normal(size=(4, 3, L)), rng.normal(size=(4, L)), 1e-6
    change = (space.to_network(z + h * dz) - space.to_network(z - h * dz)) / (2 * h)
    expected = np.einsum("nil,nl->ni", J, change)
    np.testing.assert_allclose(np.einsum("nil,nl->ni", space.by_latent(z, J), dz), expected, atol=1e-8)


@every_space
def test_ways_begin_and_end_at_their_ends_and_stay_in_the_space(space: LatentSpace) -> None:
    a, b = space.sample(2, L, seed=5)
    way = space.between(a, b, np.linspace(0, 1, 11))
    np.testing.assert_allclose(way[[0, -1]], [a, b], atol=1e-12)
    np.testing.assert_allclose(space.nearest(way), way, atol=1e-12)


def test_the_networks_see_the_authors_spaces() -> None:
    z = {name: space.to_network(space.sample(5000, L, 0)) for name, space in SPACES.items()}
    np.testing.assert_allclose(np.linalg.norm(z["sphere"], axis=1), 1, atol=1e-12)
    assert 0.99 < np.abs(z["box"]).max() <= 1
    assert np.abs(z["normal"]).max() > 3


@given(st.floats(0, np.pi), st.integers(0, 99))
def test_slerp_goes_evenly_at_any_angle_between_the_ends(theta: float, seed: int) -> None:
    """At 0 and pi too, where sin theta is no divisor."""
    sphere = SPACES["sphere"]
    a, u = np.linalg.qr(np.random.default_rng(seed).normal(size=(L, 2)))[0].T
    ends = np.sqrt(L) * np.array([a, np.cos(theta) * a + np.sin(theta) * u])
    way = sphere.between(*ends, np.linspace(0, 1, 9))
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    np.testing.assert_allclose(steps, 2 * np.sqrt(L) * np.sin(theta / 16), atol=1e-6)
    np.testing.assert_allclose(way[[0, -1]], ends, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), np.sqrt(L), atol=1e-9)


def test_slerp_between_equal_and_opposite_latents_is_finite() -> None:
    sphere, t = SPACES["sphere"], np.linspace(0, 1, 5)
    z = sphere.sample(1, L, 0)[0]
    np.testing.assert_allclose(sphere.between(z, z.copy(), t), np.tile(z, (5, 1)), atol=1e-12)
    opposite = sphere.between(z, -z, t)
    np.testing.assert_allclose(opposite[[0, 4]], [z, -z], atol=1e-9)
    assert abs(opposite[2] @ z) < 1e-9


def test_a_zero_counts_as_some_latent_of_the_sphere() -> None:
    sphere = SPACES["sphere"]
    np.testing.assert_allclose(np.linalg.norm(sphere.nearest(np.zeros((3, L))), axis=1), np.sqrt(L))


def test_the_density_of_the_sphere_is_one_by_its_area() -> None:
    """Of a circle of radius sqrt 2, and the sphere of radius sqrt 3."""
    for n, area in ((2, 2 * np.pi * np.sqrt(2)), (3, 4 * np.pi * 3)):
        assert SPACES["sphere"].log_density(np.ones((1, n)))[0] == pytest.approx(-np.log(area))
