# SPDX-License-Identifier: Apache-2.0
"""Interpolation: keys exact, speed even, frames counted, quaternions without jumps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vendor_core.errors import MotionError
from vendor_core.prior import VaePrior, continuous_quaternions, interpolate_poses, load_prior, segment_counts
from vendor_core.prior.interpolate import pose_points
from vendor_core.rotations import exp_so3, quaternion_to_matrix, rotation_angle


@pytest.fixture(scope="module")
def prior() -> VaePrior:
    return load_prior("vae")


@pytest.fixture
def keys(prior: VaePrior, rng: np.random.Generator) -> np.ndarray:
    """Four keys that the decoder alone cannot give: samples with small rotations added."""
    return prior.decode(prior.sample(4, seed=1)) @ exp_so3(0.1 * rng.standard_normal((4, 21, 3)))


def steps(R: np.ndarray, prior: VaePrior) -> np.ndarray:
    return np.linalg.norm(np.diff(pose_points(R, prior.rest_joints), axis=0), axis=-1).mean(-1)


@pytest.mark.parametrize("path", ["latent", "slerp"])
@pytest.mark.parametrize("timing", ["constant", "linear"])
def test_every_key_is_hit_exactly(prior: VaePrior, keys: np.ndarray, path: str, timing: str) -> None:
    counts = [7, 1, 12]
    R = interpolate_poses(prior, keys, counts, path=path, timing=timing)
    assert R.shape == (21, 21, 3, 3)
    at_keys = R[[0, 7, 8, 20]]
    assert rotation_angle(np.swapaxes(at_keys, -1, -2) @ keys).max() < 1e-6
    np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), R.shape), atol=1e-9)


@pytest.mark.parametrize("path", ["latent", "slerp"])
def test_constant_timing_moves_evenly_within_each_segment(prior: VaePrior, keys: np.ndarray, path: str) -> None:
    counts = [30, 10, 17]
    even = steps(interpolate_poses(prior, keys, counts, path=path), prior)
    for segment in np.split(even, np.cumsum(counts)[:-1]):
        assert segment.max() / segment.min() <= 1.02


def test_linear_timing_is_not_re_timed(prior: VaePrior, keys: np.ndarray) -> None:
    linear = steps(interpolate_poses(prior, keys[:2], [30], timing="linear"), prior)
    assert linear.max() / linear.min() > 1.02


def test_the_latent_path_leaves_the_key_as_smoothly_as_it_runs(prior: VaePrior, keys: np.ndarray) -> None:
    """The blended residual must not show as a jump beside a key."""
    R = interpolate_poses(prior, keys[:2], [60], timing="linear")
    moved = steps(R, prior)
    assert max(moved[0], moved[-1]) < 2 * moved[1:-1].max()


@pytest.mark.parametrize("path", ["latent", "slerp"])
def test_two_equal_keys_stand_still(prior: VaePrior, keys: np.ndarray, path: str) -> None:
    R = interpolate_poses(prior, keys[[0, 0]], [5], path=path)
    np.testing.assert_allclose(R, np.broadcast_to(keys[0], R.shape), atol=1e-9)


def test_speed_follows_the_body_that_is_asked_about(prior: VaePrior, keys: np.ndarray) -> None:
    long_arms = prior.rest_joints.copy()
    long_arms[[18, 19, 20, 21], 0] *= 3
    own = interpolate_poses(prior, keys[:2], [20])
    other = interpolate_poses(prior, keys[:2], [20], rest_joints=long_arms)
    assert not np.allclose(own, other)


@settings(max_examples=100, deadline=None)
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
    for n_keys, n_frames in [(1, 10), (5, 4)]:
        with pytest.raises(MotionError):
            segment_counts(n_keys, n_frames)


def test_quaternions_never_jump(rng: np.random.Generator) -> None:
    turn = np.linspace(0, 4 * np.pi, 200)[:, None, None] * np.array([[0, 0.6, 0.8], [1, 0, 0]])
    q = continuous_quaternions(exp_so3(turn))
    assert np.linalg.norm(np.diff(q, axis=0), axis=-1).max() < 0.05
    np.testing.assert_allclose(quaternion_to_matrix(q), exp_so3(turn), atol=1e-9)
