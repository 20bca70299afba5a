# SPDX-License-Identifier: Apache-2.0
"""Frames in a row: smoothing takes noise and leaves motion, gaps are bridged, no frame is harmed by another."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.ik import gaps, smoothing
from vendor_core.ik.block_banded import solve_block_banded
from vendor_core.ik.gaps import smoothed_with_gaps
from vendor_core.ik.noise import noise_of
from vendor_core.ik.points import BodyPoints, place
from vendor_core.ik.problem import Problem, Stage
from vendor_core.ik.residuals import Hearing, Position
from vendor_core.ik.sequence import between
from vendor_core.ik.smoothing import Smoothing, smoothed
from vendor_core.ik.smoothness import Smoothness, usual_acceleration
from vendor_core.ik.solver import minimise_in_chunks
from vendor_core.ik.state import PoseState, explained
from vendor_core.mocap.layouts import LAYOUTS
from vendor_core.mocap.marker_points import place_markers
from vendor_core.motion import BRIDGED, HELD, SOLVED
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3, rotation_angle

RATE, N, SIGMA = 60.0, 181, 0.003
ONE_BY_ONE = Stage(iterations=10, damping=1e-3, tolerance=1e-3)
ROBUST = replace(ONE_BY_ONE, hearing=Hearing(robust=5.0))


@cache
def _points() -> BodyPoints:
    return place_markers(default_body().first_betas(10), LAYOUTS["CMU41"].markers).points


@cache
def _motion() -> PoseState:
    """N frames of a body that turns, walks and goes from pose to pose, starting and stopping softly."""
    prior, t = load_prior(), np.arange(N) / RATE
    keys, at = prior.sample(4, seed=11), np.asarray(np.minimum(t, 2.999))
    share = 0.5 - 0.5 * np.cos(np.pi * np.mod(at, 1)).reshape(-1, 1)
    z = keys[at.astype(int)] * (1 - share) + keys[at.astype(int) + 1] * share
    state = explained(prior, z, exp_so3(np.outer(np.sin(t), [0.1, 0.8, 0.2])))
    return state.changed(trans=np.stack([0.6 * t, 0.02 * np.sin(6 * t), 0.3 * np.sin(t)], axis=1))


def _problem(markers: np.ndarray) -> Problem:
    """The problem of markers (F, M, 3), NaN where unseen."""
    seen = np.asarray(np.isfinite(markers).all(-1))
    position = Position(seen.astype(float), SIGMA, _points(), np.where(seen[..., None], markers, 0.0))
    return Problem(_points().bones, load_prior(), (position,))


def _markers(noise: float = 0.0, frames: slice = slice(None)) -> np.ndarray:
    markers = np.asarray(place(_points(), _motion().on(_points().bones))[0])
    return (markers + np.random.default_rng(1).normal(size=markers.shape) * noise)[frames]


def _one_by_one(
    markers: np.ndarray, stage: Stage = ONE_BY_ONE, frames: slice = slice(None)
) -> tuple[Problem, PoseState]:
    problem = _problem(markers)
    return problem, minimise_in_chunks(problem, _motion().take(np.arange(N)[frames]), stage)[0]


@cache
def _noisy(noise: float) -> tuple[Problem, PoseState]:
    return _one_by_one(_markers(noise))


def _joints(state: PoseState) -> np.ndarray:
    """(F, 22, 3) metres."""
    return state.on(_points().bones).p


def _off(state: PoseState, frames: Any = slice(None)) -> np.ndarray:
    """(F, 22) metres from the truth."""
    return np.linalg.norm(_joints(state) - _joints(_motion())[frames], axis=-1)


def _shake(state: PoseState) -> float:
    """Mean error of the joints' accelerations, metres per frame squared."""
    return float(np.linalg.norm(np.diff(_joints(state) - _joints(_motion()), n=2, axis=0), axis=-1).mean())


def _smoothing(noise: float) -> Smoothing:
    return Smoothing(RATE, noise / SIGMA)


# The cost of accelerations


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


# What smoothing does


@pytest.mark.parametrize("noise", [0.003, 0.005])
def test_smoothing_takes_noise(noise: float) -> None:
    problem, state = _noisy(noise)
    smooth = smoothed(problem, state, ONE_BY_ONE, _smoothing(noise))
    assert _shake(smooth) < 0.25 * _shake(state)
    assert _off(smooth).mean() < 0.85 * _off(state).mean()


def test_smoothing_leaves_clean_motion() -> None:
    problem, state = _noisy(0.0)
    noise = SIGMA * noise_of(problem, state)
    assert noise < 0.0005
    smooth = smoothed(problem, state, ONE_BY_ONE, _smoothing(noise))
    moved = np.linalg.norm(_joints(smooth) - _joints(state), axis=-1)
    assert moved.mean() < 0.0005


@pytest.mark.parametrize("noise", [0.001, 0.003, 0.005])
def test_noise_is_measured(noise: float) -> None:
    assert abs(SIGMA * noise_of(*_noisy(noise)) / noise - 1) < 0.25


def test_noise_is_measured_beside_outliers() -> None:
    markers, rng = _markers(0.003), np.random.default_rng(3)
    bad = rng.random(markers.shape[:2]) < 0.3
    markers[bad] += rng.normal(size=(int(bad.sum()), 3)) * 0.3
    problem, state = _one_by_one(markers, ROBUST)
    assert abs(SIGMA * noise_of(problem, state) / 0.003 - 1) < 0.5


def test_how_a_take_is_cut_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, state = _noisy(0.003)
    results = []
    for window in (192, 64, 37):
        monkeypatch.setattr(smoothing, "_WINDOW", window)
        results.append(_joints(smoothed(problem, state, ONE_BY_ONE, _smoothing(0.003))))
    for other in results[1:]:
        apart = np.linalg.norm(other - results[0], axis=-1)
        assert apart.mean() < 2e-4 and apart.max() < 2e-3


def test_a_part_is_smoothed_as_in_the_whole() -> None:
    problem, state = _noisy(0.003)
    whole = _joints(smoothed(problem, state, ONE_BY_ONE, _smoothing(0.003)))
    rows = np.arange(40, 140)
    part = _joints(smoothed(problem.take(rows), state.take(rows), ONE_BY_ONE, _smoothing(0.003)))
    apart = np.linalg.norm(part - whole[rows], axis=-1)[32:-32]
    assert apart.mean() < 2e-4


def test_a_limb_without_markers_is_carried_over_the_gap() -> None:
    markers, arm = _markers(0.001), [default_body().joint_names.index(n) for n in ("left_elbow", "left_wrist")]
    carried = _points().weights[:, arm].sum(1) > 0.5
    assert carried.sum() >= 2
    markers[80:95, carried] = np.nan
    problem, state = _one_by_one(markers)
    smooth, status = smoothed_with_gaps(problem, state, np.arange(N), ONE_BY_ONE, _smoothing(0.001))
    assert (status == SOLVED).all()
    assert _off(smooth)[80:95].max() < 0.09 and _off(smooth)[80:95, arm[1]].mean() < 0.06
    assert _off(state)[80:95].max() > 0.1  # on their own these frames know nothing of the arm
    assert _off(smooth)[:70].mean() < 0.003


def test_a_run_of_outliers_stays_where_it_is() -> None:
    clean, dirty = _markers(0.001), _markers(0.001)
    dirty[90:98, :12] += [0.4, 0.2, -0.3]
    joints = []
    for markers in (clean, dirty):
        problem, state = _one_by_one(markers, ROBUST)
        joints.append(_joints(smoothed(problem, state, ROBUST, _smoothing(0.001))))
    apart = np.linalg.norm(joints[0] - joints[1], axis=-1).mean(1)
    assert np.delete(apart, np.arange(75, 113)).max() < 5e-4
    assert apart.max() < 0.15


@pytest.mark.parametrize("bad", ["unseen", "far"])
def test_one_bad_frame_harms_no_other(bad: str) -> None:
    clean, dirty = _markers(0.001), _markers(0.001)
    dirty[60] = np.nan if bad == "unseen" else dirty[60] + 50.0
    joints = []
    for markers in (clean, dirty):
        problem, state = _one_by_one(markers, ROBUST)
        joints.append(_joints(smoothed(problem, state, ROBUST, _smoothing(0.001))))
    assert np.isfinite(joints[1]).all()
    apart = np.linalg.norm(joints[0] - joints[1], axis=-1).mean(1)
    assert np.delete(apart, np.arange(55, 66)).max() < 1e-3
    assert np.delete(apart, 60).max() < 0.01


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-6), ("float32", 1e-4)])
def test_torch_smooths_alike(dtype: str, limit: float) -> None:
    torch = pytest.importorskip("torch")
    problem, state = _noisy(0.003)
    like = torch.zeros(1, dtype=getattr(torch, dtype))
    mine = smoothed(problem, state, ONE_BY_ONE, _smoothing(0.003))
    theirs = smoothed(problem.like(like), state.like(like), ONE_BY_ONE, _smoothing(0.003)).like(np.zeros(1))
    assert np.linalg.norm(_joints(theirs) - _joints(mine), axis=-1).max() < limit


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_short_takes(n: int) -> None:
    problem, state = _one_by_one(_markers(0.003, slice(n)), frames=slice(n))
    smooth = smoothed(problem, state, ONE_BY_ONE, _smoothing(0.003))
    assert len(smooth) == n and _off(smooth, slice(n)).mean() < 0.01


def test_smoothed_rotations_are_rotations() -> None:
    problem, state = _noisy(0.005)
    R = smoothed(problem, state, ONE_BY_ONE, _smoothing(0.005)).R_local
    np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), R.shape), atol=1e-9)


# Gaps


def _with_gaps(missing: np.ndarray) -> tuple[PoseState, np.ndarray]:
    markers = _markers(0.001)
    markers[missing] = np.nan
    problem, solved = _problem(markers), np.setdiff1d(np.arange(N), missing)
    state = minimise_in_chunks(problem.take(solved), _motion().take(solved), ONE_BY_ONE)[0]
    return smoothed_with_gaps(problem, state, solved, ONE_BY_ONE, _smoothing(0.001))


def test_short_gaps_are_bridged_near_the_truth() -> None:
    state, status = _with_gaps(np.r_[40:50, 100, 120:140])
    bridged = np.r_[40:50, 100, 120:140]
    assert np.flatnonzero(status == BRIDGED).tolist() == bridged.tolist()
    assert (np.delete(status, bridged) == SOLVED).all()
    assert _off(state)[40:50].max() < 0.022 and _off(state)[100].max() < 0.01
    assert _off(state)[120:140].mean() < 0.03
    turn = rotation_angle(np.swapaxes(state.R_local[:-1], -1, -2) @ state.R_local[1:])
    assert turn.max() < 0.2  # no jump at the edges


def test_long_gaps_and_ends_hold_the_nearest_pose() -> None:
    state, status = _with_gaps(np.r_[0:5, 50:125, 170:181])
    held = np.r_[0:5, 50:125, 170:181]
    assert np.flatnonzero(status == HELD).tolist() == held.tolist()
    for rows, at in ((slice(0, 5), 5), (slice(50, 87), 49), (slice(88, 125), 125), (slice(170, 181), 169)):
        np.testing.assert_array_equal(
            state.R_local[rows], np.broadcast_to(state.R_local[at], state.R_local[rows].shape)
        )
        np.testing.assert_array_equal(state.trans[rows], np.broadcast_to(state.trans[at], state.trans[rows].shape))


def test_a_gap_of_a_second_is_the_longest_that_is_bridged() -> None:
    for length, wanted in ((60, BRIDGED), (61, HELD)):
        missing = np.arange(50, 50 + length)
        assert set(_with_gaps(missing)[1][missing].tolist()) == {wanted}
    assert gaps.nearest_of(np.array([2, 7]), 9).tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1]


def test_a_single_solved_frame_is_held_throughout() -> None:
    state, status = _with_gaps(np.setdiff1d(np.arange(N), [90]))
    assert status[90] == SOLVED and (np.delete(status, 90) == HELD).all()
    np.testing.assert_array_equal(state.trans, np.broadcast_to(state.trans[90], state.trans.shape))


def test_between_is_exact_at_its_ends_and_turns_evenly() -> None:
    at = np.array([0, 30, 90])
    ends = _motion().take(at)
    middle = between(ends, at, np.arange(120))
    np.testing.assert_allclose(middle.R_local[at], ends.R_local, atol=1e-12)
    np.testing.assert_allclose(middle.trans[at], ends.trans, atol=1e-12)
    np.testing.assert_array_equal(middle.trans[90:], np.broadcast_to(middle.trans[90], (30, 3)))
    turn = rotation_angle(np.swapaxes(middle.R_local[:-1], -1, -2) @ middle.R_local[1:])
    np.testing.assert_allclose(turn[:30], np.broadcast_to(turn[0], (30, 22)), atol=1e-6)


def test_weights_grow_with_the_rate() -> None:
    """The same motion at twice the rate accelerates a quarter as much from frame to frame."""
    slow, fast = usual_acceleration(52, 30.0), usual_acceleration(52, 60.0)
    assert slow.shape == (3 * 52 + 3,)
    np.testing.assert_allclose(slow, 4 * fast)
