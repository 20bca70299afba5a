# SPDX-License-Identifier: Apache-2.0
"""A stranger's shape and marker offsets from markers alone, and what bad data may not do to them."""

from dataclasses import replace

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.errors import TargetError
from vendor_core.ik import calibration
from vendor_core.ik.calibration import Shared, SharedPrior, calibrate
from vendor_core.ik.points import place
from vendor_core.ik.problem import Problem, Stage
from vendor_core.ik.residuals import Hearing, Position
from vendor_core.ik.state import PoseState, explained
from vendor_core.mocap.layouts import LAYOUTS
from vendor_core.mocap.marker_points import PlacedMarkers, place_markers
from vendor_core.mocap.subject import Subject, calibrate_subject
from vendor_core.prior import Prior, load_prior
from vendor_core.prior.interpolate import interpolate_poses
from vendor_core.skeleton import BODY_PARENTS

LABELS = LAYOUTS["CMU41"].markers
FIELDS = ("R_local", "trans", "z", "betas")


@pytest.fixture(scope="module")
def placed() -> PlacedMarkers:
    return place_markers(default_body(), LABELS)


@pytest.fixture(scope="module")
def prior() -> Prior:
    return load_prior()


@pytest.fixture(scope="module")
def stranger(placed: PlacedMarkers) -> Shared:
    """Half of the betas 2 away from the mean, markers 14 mm from the table's places."""
    rng = np.random.default_rng(3)
    betas = rng.permutation([2.0, -2.0, 2.0, -2.0, 2.0, 0.3, -0.3, 0.2, 0.0, -0.2])
    return Shared(betas, rng.normal(size=(len(placed.points), 3)) * 0.014 / np.sqrt(3))


@pytest.fixture(scope="module")
def markers(placed: PlacedMarkers, prior: Prior, stranger: Shared) -> np.ndarray:
    """121 frames on the way from pose to pose of the prior, 1 mm noise."""
    rng = np.random.default_rng(4)
    body_R = interpolate_poses(prior, prior.decode(prior.sample(13, seed=2)), [10] * 12)
    upright = np.broadcast_to(np.eye(3), (len(body_R), 1, 3, 3))
    state = PoseState(np.concatenate([upright, body_R], 1), np.zeros((len(body_R), 3)), *np.zeros((2, len(body_R), 0)))
    points = placed.points.with_offsets(stranger.offsets).with_betas(stranger.betas)
    truth = place(points, state.on(points.bones))[0]
    return truth + rng.normal(size=truth.shape) * 0.001


def _found(placed: PlacedMarkers, prior: Prior, markers: np.ndarray, betas: np.ndarray | None = None) -> Subject:
    seen = np.all(np.isfinite(markers), axis=-1)
    return calibrate_subject(placed, prior, markers, np.asarray(seen), betas, lambda fraction, text: None)


def _bone_errors(betas: np.ndarray, true_betas: np.ndarray) -> np.ndarray:
    """(21,) metres."""
    parents = list(BODY_PARENTS[1:])
    joints = (default_body().rest_joints(b)[:22] for b in (betas, true_betas))
    length, true_length = (np.linalg.norm(p[1:] - p[parents], axis=-1) for p in joints)
    return np.abs(length - true_length)


def _rms(offsets: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.sum(offsets**2, axis=-1))))


@pytest.fixture(scope="module")
def found(placed: PlacedMarkers, prior: Prior, markers: np.ndarray) -> Subject:
    return _found(placed, prior, markers)


def test_a_strangers_bones_and_offsets_are_found(found: Subject, stranger: Shared) -> None:
    errors = _bone_errors(found.betas, stranger.betas)
    assert np.array_equal(found.poses.betas, np.broadcast_to(found.betas, found.poses.betas.shape))
    assert len(found.poses) == len(found.frames)
    assert errors.max() < 0.006
    assert errors.mean() < 0.002
    assert _rms(found.offsets - stranger.offsets) < 0.6 * _rms(stranger.offsets)


def test_frames_of_garbage_do_not_spoil_it(
    placed: PlacedMarkers, prior: Prior, markers: np.ndarray, stranger: Shared
) -> None:
    bad = markers.copy()
    bad[[7, 60]] += np.random.default_rng(0).normal(size=(2, *markers.shape[1:])) * 0.5
    subject = _found(placed, prior, bad)
    assert _bone_errors(subject.betas, stranger.betas).max() < 0.008
    assert _rms(subject.offsets - stranger.offsets) < 0.65 * _rms(stranger.offsets)


def test_betas_that_are_given_stay_exactly(
    placed: PlacedMarkers, prior: Prior, markers: np.ndarray, stranger: Shared
) -> None:
    subject = _found(placed, prior, markers[::5], stranger.betas)
    assert np.array_equal(subject.betas, stranger.betas)
    assert _rms(subject.offsets - stranger.offsets) < 0.6 * _rms(stranger.offsets)


def test_betas_that_are_not_numbers_are_refused(placed: PlacedMarkers, prior: Prior, markers: np.ndarray) -> None:
    with pytest.raises(TargetError, match="betas"):
        _found(placed, prior, markers, np.array([0.0, np.nan]))


def test_frames_without_enough_markers_are_left_out(placed: PlacedMarkers, prior: Prior, markers: np.ndarray) -> None:
    few = markers[:24].copy()
    few[::2, 3:] = np.nan
    assert set(_found(placed, prior, few).frames.tolist()) <= set(range(1, 24, 2))
    with pytest.raises(TargetError, match="no frame"):
        _found(placed, prior, few[::2])


@pytest.mark.parametrize("spoil", [0.0, 1e6, 1e200], ids=["all markers in one place", "far away", "beyond all bounds"])
def test_whatever_the_data_the_result_is_finite(
    placed: PlacedMarkers, prior: Prior, markers: np.ndarray, spoil: float
) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        subject = _found(placed, prior, markers[:6] * spoil)
    for array in (subject.betas, subject.offsets, *(getattr(subject.poses, name) for name in FIELDS)):
        assert np.isfinite(array).all()


def test_one_frame_is_enough_for_an_answer(placed: PlacedMarkers, prior: Prior, markers: np.ndarray) -> None:
    subject = _found(placed, prior, markers[:1])
    assert np.isfinite(subject.betas).all() and subject.frames.tolist() == [0]


@pytest.fixture
def small(placed: PlacedMarkers, prior: Prior, markers: np.ndarray) -> tuple[Problem, PoseState]:
    """Three frames away from their solution."""
    rows = np.array([0, 50, 100])
    position = Position(np.ones((3, len(LABELS))), 0.01, placed.points, markers[rows])
    state = explained(prior, prior.sample(3, seed=5), np.broadcast_to(np.eye(3), (3, 3, 3)))
    return Problem(placed.points.bones, prior, (position,)), state


def test_the_gradient_by_shared_unknowns_is_that_of_the_summed_cost(
    small: tuple[Problem, PoseState], placed: PlacedMarkers, stranger: Shared
) -> None:
    problem, state = small
    expected, stage = SharedPrior(1.5, placed.sigma, 2.0), Stage(hearing=Hearing(robust=20.0))
    stage = replace(stage, weights=replace(stage.weights, betas=0.0))

    def cost(step: np.ndarray) -> float:
        return calibration._evaluated([problem], [state], expected.moved(stranger, step), expected, stage)[1]

    at, _ = calibration._evaluated([problem], [state], stranger, expected, stage)
    (model,) = calibration._models([problem], at, stranger, expected, stage, [None])
    gradient = 2 * (model.g_s + expected.ridge(stranger) * expected.values(stranger))
    for i in (0, 4, 9, 10, 50, 132):
        step = 1e-5 * np.eye(len(gradient))[i]
        assert np.isclose((cost(step) - cost(-step)) / 2e-5, gradient[i], rtol=1e-5, atol=1e-5 * np.abs(gradient).max())


def test_all_frames_get_the_same_betas_and_the_cost_falls(
    small: tuple[Problem, PoseState], placed: PlacedMarkers, stranger: Shared
) -> None:
    problem, state = small
    start = Shared(np.zeros(10), np.zeros((len(LABELS), 3)))
    expected = SharedPrior(1.0, placed.sigma)
    costs = [calibrate(problem, state, start, expected, Stage(iterations=n))[2] for n in (0, 3, 12)]
    assert costs[0] > costs[1] > costs[2]
    after, shared, _ = calibrate(problem, state, start, expected, Stage(iterations=3))
    assert np.array_equal(after.betas, np.broadcast_to(shared.betas, (3, 10)))
    kept = calibrate(problem, state, stranger, SharedPrior(None, None), Stage(iterations=2))[1]
    assert np.array_equal(kept.betas, stranger.betas) and np.array_equal(kept.offsets, stranger.offsets)
