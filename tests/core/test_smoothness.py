# SPDX-License-Identifier: Apache-2.0
"""The cost of accelerations: its gradient and curvature, what costs nothing, and the systems it leads to."""

import numpy as np
import pytest

from vendor_core.ik.block_banded import solve_block_banded
from vendor_core.ik.smoothness import Smoothness, usual_acceleration
from vendor_core.ik.state import PoseState
from vendor_core.rotations import exp_so3


def _any_motion(rng: np.random.Generator, n: int, speed: float = 0.2) -> PoseState:
    """Every joint turns about so many radians from frame to frame, each time about another axis."""
    R = exp_so3(np.cumsum(rng.normal(size=(n, 22, 3)) * speed, axis=0))
    return PoseState(R, rng.normal(size=(n, 3)), np.zeros((n, 32)), np.zeros((n, 0)))


def _stepped(state: PoseState, x: np.ndarray) -> PoseState:
    """After steps (F, T) in parent frames."""
    n = state.R_local.shape[1]
    R = exp_so3(x[:, : 3 * n].reshape(len(x), n, 3)) @ state.R_local
    return state.changed(R_local=R, trans=state.trans + x[:, 3 * n :])


def test_gradient_of_smoothness(rng: np.random.Generator) -> None:
    state, weight = _any_motion(rng, 6), rng.random(69) + 0.1
    gradient = Smoothness.at(state, weight).gradient()
    for _ in range(20):
        x = np.zeros((6, 69))
        x[rng.integers(6), rng.integers(69)] = 1e-6
        ahead, behind = (Smoothness.at(_stepped(state, s), weight).cost() for s in (x, -x))
        np.testing.assert_allclose(2 * np.sum(gradient * x) / 1e-6, (ahead - behind) / 2e-6, rtol=1e-3, atol=1e-4)


def _dense(smoothness: Smoothness, n: int, n_tangent: int) -> np.ndarray:
    columns = [smoothness.curvature(e.reshape(n, n_tangent)).reshape(-1) for e in np.eye(n * n_tangent)]
    return np.stack(columns, axis=1)


def test_curvature_of_smoothness(rng: np.random.Generator) -> None:
    """Symmetric, never negative, banded, and blind to a step that all frames share."""
    n, state = 6, _any_motion(rng, 6)
    smoothness = Smoothness.at(state, rng.random(69) + 0.1)
    K = _dense(smoothness, n, 69)
    np.testing.assert_allclose(K, K.T, atol=1e-12)
    assert np.linalg.eigvalsh(K).min() > -1e-10
    blocks = np.abs(K.reshape(n, 69, n, 69)).max((1, 3))
    far = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) > 2
    assert blocks[far].max() == 0 < blocks[~far].min()
    shared = np.repeat(rng.normal(size=(1, 69)), n, axis=0)
    np.testing.assert_allclose(smoothness.curvature(shared), 0, atol=1e-12)
    np.testing.assert_allclose(np.sum(smoothness.gradient(), axis=0), 0, atol=1e-9)


def test_a_turn_of_the_whole_take_costs_nothing(rng: np.random.Generator) -> None:
    state, weight, turn = _any_motion(rng, 8), np.ones(69), exp_so3(rng.normal(size=3))
    turned = state.changed(R_local=turn @ state.R_local, trans=state.trans + rng.normal(size=3))
    np.testing.assert_allclose(Smoothness.at(turned, weight).cost(), Smoothness.at(state, weight).cost(), rtol=1e-9)


def test_even_motion_costs_nothing(rng: np.random.Generator) -> None:
    w, t = rng.normal(size=(22, 3)), np.arange(9.0)
    R = exp_so3(t[:, None, None] * 0.1 * w)
    even = PoseState(R, np.outer(t, [1, 2, 3]), np.zeros((9, 32)), np.zeros((9, 0)))
    assert Smoothness.at(even, np.ones(69)).cost() < 1e-20


@pytest.mark.parametrize("spread", [0.0, 0.5])
@pytest.mark.parametrize("weight", [0.1, 1.0, 300.0])
def test_banded_systems_are_solved_as_dense_ones(rng: np.random.Generator, weight: float, spread: float) -> None:
    """Blocks that are alike, as a body's are, heard more in some frames than in others, in some not at all."""
    n, n_tangent, smoothness = 12, 69, Smoothness.at(_any_motion(rng, 12, 0.03), weight * (rng.random(69) + 0.5))
    A = rng.normal(size=(n_tangent, 200)) + spread / 10 * rng.normal(size=(n, n_tangent, 200))
    heard = np.exp(spread * rng.normal(size=(n, 1, 1)))
    if spread:
        heard[4:7] = 0
    H = heard * (A @ np.swapaxes(A, -1, -2)) / 200 + 1e-2 * np.eye(n_tangent)
    b = rng.normal(size=(n, n_tangent))
    whole = _dense(smoothness, n, n_tangent)
    for f in range(n):
        rows = slice(f * n_tangent, (f + 1) * n_tangent)
        whole[rows, rows] += H[f]
    exact = np.linalg.solve(whole, b.reshape(-1))
    x = solve_block_banded(H, smoothness, b).reshape(-1)
    off = x - exact
    assert off @ whole @ off < 0.05**2 * (exact @ whole @ exact)


def test_weights_grow_with_the_rate() -> None:
    """The same motion at twice the rate accelerates a quarter as much from frame to frame."""
    slow, fast = usual_acceleration(52, 30.0), usual_acceleration(52, 60.0)
    assert slow.shape == (3 * 52 + 3,)
    np.testing.assert_allclose(slow, 4 * fast)
