# SPDX-License-Identifier: Apache-2.0
"""Interpolation: keys exact, speed even, frames counted, quaternions without jumps."""

from collections.abc import Callable
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vendor_core.body import default_body
from vendor_core.body.patches import default_patches
from vendor_core.errors import MotionError
from vendor_core.prior import VaePrior, continuous_quaternions, interpolate_poses, load_prior, segment_counts
from vendor_core.prior.geodesic import energy, features, geodesic, jacobian, normal_equations
from vendor_core.prior.interpolate import PathKind, Timing, inbetweens
from vendor_core.prior.segment_paths import LatentPath, sines
from vendor_core.rotations import exp_so3, quaternion_to_matrix, rotation_angle

PATHS: list[PathKind] = ["latent", "slerp", "geodesic"]


@pytest.fixture(scope="module")
def prior() -> VaePrior:
    return load_prior("vae")


@pytest.fixture
def keys(prior: VaePrior, rng: np.random.Generator) -> np.ndarray:
    """Four keys that the decoder alone cannot give: samples with small rotations added."""
    return prior.decode(prior.sample(4, seed=1)) @ exp_so3(0.1 * rng.standard_normal((4, 21, 3)))


def steps(R: np.ndarray) -> np.ndarray:
    """Mean movement (N - 1,), metres, of every vertex of the default body."""
    root = np.broadcast_to(np.eye(3), (len(R), 1, 3, 3))
    body = default_body().like(np.zeros(1, np.float32))
    vertices = np.asarray(body.pose(np.concatenate([root, R], axis=1).astype(np.float32), vertices=True).vertices)
    return np.linalg.norm(np.diff(vertices, axis=0), axis=-1).mean(-1)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("timing", get_args(Timing))
def test_every_key_is_hit_exactly(prior: VaePrior, keys: np.ndarray, path: PathKind, timing: Timing) -> None:
    counts = [7, 1, 12]
    R = interpolate_poses(prior, keys, counts, path=path, timing=timing)
    assert R.shape == (21, 21, 3, 3)
    at_keys = R[[0, 7, 8, 20]]
    assert rotation_angle(np.swapaxes(at_keys, -1, -2) @ keys).max() < 1e-6
    np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), R.shape), atol=1e-9)


@pytest.mark.parametrize("path", PATHS)
def test_constant_timing_moves_the_skin_evenly_within_each_segment(
    prior: VaePrior, keys: np.ndarray, path: PathKind
) -> None:
    counts = [30, 10, 17]
    even = steps(interpolate_poses(prior, keys, counts, path=path))
    for segment in np.split(even, np.cumsum(counts)[:-1]):
        assert segment.max() / segment.min() <= 1.01


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("timing", "way"),
    [("ease", lambda t: 3 * t**2 - 2 * t**3), ("ease_in", lambda t: t**2), ("ease_out", lambda t: 1 - (1 - t) ** 2)],
)
def test_eased_timing_shares_the_way_as_said(
    prior: VaePrior, keys: np.ndarray, path: PathKind, timing: Timing, way: Callable[[np.ndarray], np.ndarray]
) -> None:
    counts = [30, 10]
    moved = steps(interpolate_poses(prior, keys[:3], counts, path, timing))
    for segment in np.split(moved, [30]):
        expected = np.diff(way(np.linspace(0, 1, len(segment) + 1)))
        np.testing.assert_allclose(segment / segment.sum(), expected, atol=0.02 * expected.max())


def test_what_the_body_does_not_do_is_eased_too(prior: VaePrior, keys: np.ndarray) -> None:
    """A root that glides while the body holds its pose."""
    times = inbetweens(prior, keys[[0, 0]], [4], timing="ease").times
    np.testing.assert_allclose(times, [0, 0.15625, 0.5, 0.84375, 1])


def test_the_geodesic_moves_the_skin_less_than_the_straight_latent_line(prior: VaePrior, keys: np.ndarray) -> None:
    """Energy is the sum of squared steps at even times: it may never be higher, and is lower between distant poses."""
    skin, rest = default_patches(), default_body().joints_template[:22]
    t = np.linspace(0, 1, 100)
    for start, end in pairwise([*keys, keys[3]]):
        line = LatentPath(prior, start, end)
        energy = [
            np.sum(skin.share @ np.sum(np.diff(skin.points(path(t), rest), axis=1) ** 2, axis=-1))
            for path in (line, geodesic(line, skin, rest))
        ]
        assert energy[1] <= energy[0]
        assert energy[1] < 0.99 * energy[0] or energy[0] < 1e-12


def test_the_energy_of_a_path_has_the_gradient_that_is_said(prior: VaePrior, keys: np.ndarray) -> None:
    skin, rest = default_patches(), default_body().joints_template[:22]
    t, rng = np.linspace(0, 1, 13), np.random.default_rng(0)
    path = LatentPath(prior, keys[0], keys[1]).bent(0.1 * rng.standard_normal((4, prior.latent_dim)))
    X, D = features(path, t, skin, rest), jacobian(path, t[1:-1], skin, rest)
    g, _ = normal_equations(X, D, sines(t[1:-1], 4))
    h, way = 1e-5, rng.standard_normal(path.bends.shape)
    up, down = (energy(features(path.bent(path.bends + s * h * way), t, skin, rest)) for s in (1, -1))
    assert (up - down) / (4 * h) == pytest.approx(g @ way.reshape(-1), rel=1e-4)  # D is in single precision


def test_linear_timing_is_not_re_timed(prior: VaePrior, keys: np.ndarray) -> None:
    linear = steps(interpolate_poses(prior, keys[:2], [30], timing="linear"))
    assert linear.max() / linear.min() > 1.02


def test_the_latent_path_leaves_the_key_as_smoothly_as_it_runs(prior: VaePrior, keys: np.ndarray) -> None:
    """The blended residual must not show as a jump beside a key."""
    R = interpolate_poses(prior, keys[:2], [60], timing="linear")
    moved = steps(R)
    assert max(moved[0], moved[-1]) < 2 * moved[1:-1].max()


@pytest.mark.parametrize("path", PATHS)
def test_two_equal_keys_stand_still_and_their_times_go_on(prior: VaePrior, keys: np.ndarray, path: PathKind) -> None:
    found = inbetweens(prior, keys[[0, 0]], [5], path=path)
    np.testing.assert_allclose(found.R, np.broadcast_to(keys[0], found.R.shape), atol=1e-9)
    np.testing.assert_allclose(found.times, np.linspace(0, 1, 6))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("joint", [3, 15])
def test_a_joint_turned_half_round_gets_there_without_a_jump(
    prior: VaePrior, keys: np.ndarray, path: PathKind, joint: int
) -> None:
    ends = keys[[0, 0]].copy()
    ends[1, joint] = ends[0, joint] @ exp_so3(np.array([0, np.pi, 0]))
    R = interpolate_poses(prior, ends, [60], path=path)
    turned = rotation_angle(np.swapaxes(R[:-1], -1, -2) @ R[1:])
    assert turned.max() < 4 * np.pi / 60
    moved = steps(R)
    assert moved.max() / moved.min() <= 1.1  # where a foot alone moves, it is measured by its few patches


def test_near_keys_far_from_what_the_prior_knows_have_a_short_path(prior: VaePrior, rng: np.random.Generator) -> None:
    """What the decoder misses is nearly half a turn at both keys: it must not be unwound in between."""
    start = exp_so3(2.5 * rng.standard_normal((21, 3)))
    end = start @ exp_so3(0.02 * rng.standard_normal((21, 3)))
    moved = steps(interpolate_poses(prior, np.stack([start, end]), [20]))
    assert moved.sum() < 2 * steps(np.stack([start, end]))[0]


def test_a_loop_ends_where_it_began_and_leaves_as_evenly_as_it_returns(prior: VaePrior, keys: np.ndarray) -> None:
    found = inbetweens(prior, keys[[0, 1, 2, 0]], [10, 10, 10])
    np.testing.assert_array_equal(found.R[-1], found.R[0])
    assert np.all(np.diff(found.times) > 0)
    np.testing.assert_allclose(found.times[::10], [0, 1, 2, 3])


def test_speed_follows_the_body_that_is_asked_about(prior: VaePrior, keys: np.ndarray) -> None:
    long_arms = prior.rest_joints.copy()
    long_arms[[18, 19, 20, 21], 0] *= 3
    own = interpolate_poses(prior, keys[:2], [20])
    other = interpolate_poses(prior, keys[:2], [20], rest_joints=long_arms)
    assert not np.allclose(own, other)


@settings(max_examples=100)
@given(st.integers(2, 40), st.integers(0, 300))
def test_segments_share_the_frames_evenly(n_keys: int, spare: int) -> None:
    counts = segment_counts(n_keys, n_keys + spare)
    assert len(counts) == n_keys - 1
    assert sum(counts) + 1 == n_keys + spare
    assert min(counts) >= 1
    assert max(counts) - min(counts) <= 1


def test_keys_that_do_not_fit_are_refused(prior: VaePrior, keys: np.ndarray) -> None:
    for bad_keys, counts in [(keys, [3, 3]), (keys, [3, 0, 3]), (keys[:1], []), (keys[:, :5], [1, 1, 1])]:
        with pytest.raises(MotionError):
            interpolate_poses(prior, bad_keys, counts)
    with pytest.raises(MotionError, match="key 2"):
        interpolate_poses(prior, np.concatenate([keys[:2], np.full_like(keys[:1], np.nan)]), [3, 3])
    for n_keys, n_frames in [(1, 10), (5, 4)]:
        with pytest.raises(MotionError):
            segment_counts(n_keys, n_frames)


def test_quaternions_never_jump(rng: np.random.Generator) -> None:
    turn = np.linspace(0, 4 * np.pi, 200)[:, None, None] * np.array([[0, 0.6, 0.8], [1, 0, 0]])
    q = continuous_quaternions(exp_so3(turn))
    assert np.linalg.norm(np.diff(q, axis=0), axis=-1).max() < 0.05
    np.testing.assert_allclose(quaternion_to_matrix(q), exp_so3(turn), atol=1e-9)
