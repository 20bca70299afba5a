# SPDX-License-Identifier: Apache-2.0
"""Frames in a row: smoothing takes noise and leaves motion, no frame is harmed by another."""

import numpy as np
import pytest

from tests.core.moving_person import (
    ONE_BY_ONE,
    ROBUST,
    SIGMA,
    N,
    joints_of,
    marker_points,
    noisy,
    off,
    one_by_one,
    shake,
    smoothing_of,
    true_markers,
)
from vendor_core.body import default_body
from vendor_core.ik import smoothing
from vendor_core.ik.gaps import smoothed_with_gaps
from vendor_core.ik.noise import noise_of
from vendor_core.ik.smoothing import smoothed
from vendor_core.motion import SOLVED


@pytest.mark.parametrize("noise", [0.003, 0.005])
def test_smoothing_takes_noise(noise: float) -> None:
    problem, state = noisy(noise)
    smooth = smoothed(problem, state, ONE_BY_ONE, smoothing_of(noise))
    assert shake(smooth) < 0.25 * shake(state)
    assert off(smooth).mean() < 0.85 * off(state).mean()


def test_smoothing_leaves_clean_motion() -> None:
    problem, state = noisy(0.0)
    noise = SIGMA * noise_of(problem, state)
    assert noise < 0.0005
    smooth = smoothed(problem, state, ONE_BY_ONE, smoothing_of(noise))
    moved = np.linalg.norm(joints_of(smooth) - joints_of(state), axis=-1)
    assert moved.mean() < 0.0005


@pytest.mark.parametrize("noise", [0.001, 0.003, 0.005])
def test_noise_is_measured(noise: float) -> None:
    assert abs(SIGMA * noise_of(*noisy(noise)) / noise - 1) < 0.25


def test_noise_is_measured_beside_outliers() -> None:
    markers, rng = true_markers(0.003), np.random.default_rng(3)
    bad = rng.random(markers.shape[:2]) < 0.3
    markers[bad] += rng.normal(size=(int(bad.sum()), 3)) * 0.3
    problem, state = one_by_one(markers, ROBUST)
    assert abs(SIGMA * noise_of(problem, state) / 0.003 - 1) < 0.5


def test_how_a_take_is_cut_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    problem, state = noisy(0.003)
    results = []
    for window in (192, 64, 37):
        monkeypatch.setattr(smoothing, "WINDOW", window)
        results.append(joints_of(smoothed(problem, state, ONE_BY_ONE, smoothing_of(0.003))))
    for other in results[1:]:
        apart = np.linalg.norm(other - results[0], axis=-1)
        assert apart.mean() < 2e-4 and apart.max() < 2e-3


def test_a_part_is_smoothed_as_in_the_whole() -> None:
    problem, state = noisy(0.003)
    whole = joints_of(smoothed(problem, state, ONE_BY_ONE, smoothing_of(0.003)))
    rows = np.arange(40, 140)
    part = joints_of(smoothed(problem.take(rows), state.take(rows), ONE_BY_ONE, smoothing_of(0.003)))
    apart = np.linalg.norm(part - whole[rows], axis=-1)[32:-32]
    assert apart.mean() < 2e-4


def test_a_limb_without_markers_is_carried_over_the_gap() -> None:
    markers, arm = true_markers(0.001), [default_body().joint_names.index(n) for n in ("left_elbow", "left_wrist")]
    carried = marker_points().weights[:, arm].sum(1) > 0.5
    assert carried.sum() >= 2
    markers[80:95, carried] = np.nan
    problem, state = one_by_one(markers)
    smooth, status = smoothed_with_gaps(problem, state, np.arange(N), ONE_BY_ONE, smoothing_of(0.001))
    assert (status == SOLVED).all()
    assert off(smooth)[80:95].max() < 0.09 and off(smooth)[80:95, arm[1]].mean() < 0.06
    assert off(state)[80:95].max() > 0.1  # on their own these frames know nothing of the arm
    assert off(smooth)[:70].mean() < 0.003


def test_a_run_of_outliers_stays_where_it_is() -> None:
    clean, dirty = true_markers(0.001), true_markers(0.001)
    dirty[90:98, :12] += [0.4, 0.2, -0.3]
    joints = []
    for markers in (clean, dirty):
        problem, state = one_by_one(markers, ROBUST)
        joints.append(joints_of(smoothed(problem, state, ROBUST, smoothing_of(0.001))))
    apart = np.linalg.norm(joints[0] - joints[1], axis=-1).mean(1)
    assert np.delete(apart, np.arange(75, 113)).max() < 5e-4
    assert apart.max() < 0.15


@pytest.mark.parametrize("bad", ["unseen", "far"])
def test_one_bad_frame_harms_no_other(bad: str) -> None:
    clean, dirty = true_markers(0.001), true_markers(0.001)
    dirty[60] = np.nan if bad == "unseen" else dirty[60] + 50.0
    joints = []
    for markers in (clean, dirty):
        problem, state = one_by_one(markers, ROBUST)
        joints.append(joints_of(smoothed(problem, state, ROBUST, smoothing_of(0.001))))
    assert np.isfinite(joints[1]).all()
    apart = np.linalg.norm(joints[0] - joints[1], axis=-1).mean(1)
    assert np.delete(apart, np.arange(55, 66)).max() < 1e-3
    assert np.delete(apart, 60).max() < 0.01


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1e-6), ("float32", 1e-4)])
def test_torch_smooths_alike(dtype: str, limit: float) -> None:
    torch = pytest.importorskip("torch")
    problem, state = noisy(0.003)
    like = torch.zeros(1, dtype=getattr(torch, dtype))
    mine = smoothed(problem, state, ONE_BY_ONE, smoothing_of(0.003))
    theirs = smoothed(problem.like(like), state.like(like), ONE_BY_ONE, smoothing_of(0.003)).like(np.zeros(1))
    assert np.linalg.norm(joints_of(theirs) - joints_of(mine), axis=-1).max() < limit


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_short_takes(n: int) -> None:
    problem, state = one_by_one(true_markers(0.003, slice(n)), frames=slice(n))
    smooth = smoothed(problem, state, ONE_BY_ONE, smoothing_of(0.003))
    assert len(smooth) == n and off(smooth, slice(n)).mean() < 0.01


def test_smoothed_rotations_are_rotations() -> None:
    problem, state = noisy(0.005)
    R = smoothed(problem, state, ONE_BY_ONE, smoothing_of(0.005)).R_local
    np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), R.shape), atol=1e-9)
