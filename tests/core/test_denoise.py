# SPDX-License-Identifier: Apache-2.0
"""Denoising: noise is measured as it is, jitter and broken joints go, clean motion and what is no motion stay."""

from pathlib import Path

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.errors import MotionError
from vendor_core.evaluation.metrics import acceleration_error, joint_error
from vendor_core.ik.bones import bones_of
from vendor_core.ik.denoise import denoise, noise_of_travel, noise_of_turns
from vendor_core.ik.residuals.turn import Turn
from vendor_core.ik.state import PoseState
from vendor_core.prior import load_prior
from vendor_core.prior.plausibility import load_plausibility
from vendor_core.prior.repair import repair
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import BODY_JOINTS

N, RATE = 60, 30.0
KNEE = BODY_JOINTS.index("left_knee")


@pytest.fixture(scope="module")
def motion() -> tuple[np.ndarray, np.ndarray]:
    """Two seconds (60, 22, 3, 3) around and about in the latent space, and trans (60, 3): a walk upwards."""
    prior, t = load_prior(), np.linspace(0, 2 * np.pi, N)[:, None]
    a, b, c = prior.sample(3, seed=6)
    R = prior.decode(0.4 * a + 0.5 * np.sin(t) * b + 0.5 * np.cos(t) * c)
    root = exp_so3(np.concatenate([np.pi / 2 + 0 * t, 0.3 * np.sin(t), 0 * t], axis=1))
    return np.concatenate([root[:, None], R], axis=1), np.concatenate([t / 6, 0.1 * np.sin(2 * t), 0 * t + 1], axis=1)


def jittered(R: np.ndarray, degrees: float) -> np.ndarray:
    return R @ exp_so3(np.radians(degrees) * np.random.default_rng(1).normal(size=(*R.shape[:2], 3)))


def run(R: np.ndarray, trans: np.ndarray, amount: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    return denoise(default_body(), load_prior(), load_plausibility(), R, trans, RATE, amount)


def joints(motion: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return default_body().pose(*motion).joints[:, :22]


@pytest.mark.parametrize("degrees", [0.5, 4.0, 10.0])
def test_noise_is_measured_as_it_is(motion: tuple[np.ndarray, np.ndarray], degrees: float) -> None:
    R, trans = motion
    noisy = jittered(R, degrees)
    noisy[::9, 4] = exp_so3(np.ones(3))  # outliers do not count
    assert np.degrees(np.median(noise_of_turns(noisy))) == pytest.approx(degrees, rel=0.1)
    shaken = trans + np.random.default_rng(0).normal(scale=0.01, size=trans.shape)
    assert noise_of_travel(shaken) == pytest.approx(0.01, rel=0.2)
    assert np.degrees(noise_of_turns(R).max()) < 0.2 and noise_of_travel(trans) < 5e-4


@pytest.mark.parametrize("degrees", [2.0, 5.0])
def test_jitter_goes(motion: tuple[np.ndarray, np.ndarray], degrees: float) -> None:
    noisy = jittered(motion[0], degrees), motion[1] + np.random.default_rng(2).normal(scale=0.01, size=(N, 3))
    clean, truth = joints(run(*noisy)), joints(motion)
    assert joint_error(clean, truth) < 0.6 * joint_error(joints(noisy), truth)
    assert acceleration_error(clean, truth) < 0.1 * acceleration_error(joints(noisy), truth)


@pytest.mark.parametrize("frames", [slice(20, 21), slice(30, 36)])
def test_a_broken_joint_is_filled_in_from_around_it(motion: tuple[np.ndarray, np.ndarray], frames: slice) -> None:
    R = motion[0].copy()
    R[frames, KNEE] = exp_so3(np.array([-0.9, 0.0, 0.5]))
    broken, fixed, truth = joints((R, motion[1])), joints(run(R, motion[1])), joints(motion)
    assert joint_error(fixed[frames], truth[frames]) < 0.15 * joint_error(broken[frames], truth[frames])
    assert joint_error(fixed, truth) < 2


def test_clean_motion_and_its_feet_hardly_change(motion: tuple[np.ndarray, np.ndarray]) -> None:
    clean = joints(run(*motion))
    assert joint_error(clean, joints(motion)) < 1
    assert np.abs(clean - joints(motion)).max() < 0.01


def test_the_amount_goes_from_nothing_to_all(motion: tuple[np.ndarray, np.ndarray]) -> None:
    noisy = jittered(motion[0], 3), motion[1]
    for given, same in zip(noisy, run(*noisy, amount=0), strict=True):
        np.testing.assert_array_equal(same, given)
    half, full = (joints(run(*noisy, amount=amount)) for amount in (0.5, 1.0))
    assert joint_error(half, 0.5 * (full + joints(noisy))) < 0.05 * joint_error(full, joints(noisy))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
def test_a_few_frames_will_do(motion: tuple[np.ndarray, np.ndarray], n: int) -> None:
    R, trans = run(motion[0][:n], motion[1][:n])
    assert joint_error(joints((R, trans)), joints((motion[0][:n], motion[1][:n]))) < 2


def test_poses_that_are_no_motion_are_repaired_one_by_one() -> None:
    prior, plausibility = load_prior(), load_plausibility()
    R = prior.decode(prior.sample(20, seed=3))
    R[7, KNEE - 1] = exp_so3(np.array([-0.9, 0.0, 0.5]))
    whole = np.concatenate([np.broadcast_to(exp_so3(np.array([np.pi / 2, 0, 0])), (20, 1, 3, 3)), R], axis=1)
    fixed, _ = run(whole, np.zeros((20, 3)))
    np.testing.assert_allclose(fixed[:, 1:], repair(prior, plausibility, R), atol=1e-9)


def test_motion_of_unseen_subjects_hardly_changes(shared_data: Path) -> None:
    from vendor_core.training.data import load_clips

    for clip in [c for c in load_clips([shared_data / "motion" / "val.npz"]) if len(c) >= 60][::6]:
        given = clip[:60].astype(np.float64), np.zeros((60, 3))
        assert joint_error(joints(run(*given)), joints(given)) < 5


@pytest.mark.parametrize("n_betas", [0, 10])
def test_turns_have_the_jacobian_that_differences_show(rng: np.random.Generator, n_betas: int) -> None:
    bones = bones_of(default_body())
    turn = Turn(np.ones((3, 22)), 0.1, exp_so3(rng.normal(size=(3, 22, 3))))
    state = PoseState(
        exp_so3(rng.normal(size=(3, 22, 3)) * 0.7), rng.normal(size=(3, 3)), np.zeros((3, 32)), np.zeros((3, n_betas))
    )
    pose, h = state.on(bones), 1e-6
    J = turn.jacobian(pose)
    for column in range(J.shape[-1]):
        step = np.zeros((3, J.shape[-1]))
        step[:, column] = h
        a, b = (state.moved(s * step, np.zeros((3, 32)), pose).on(bones) for s in (1, -1))
        np.testing.assert_allclose(J[..., column], (turn.error(a) - turn.error(b)) / (2 * h), atol=1e-6)


@pytest.mark.parametrize(
    ("R", "trans", "rate"),
    [
        (np.zeros((0, 22, 3, 3)), np.zeros((0, 3)), 30.0),
        (np.tile(np.eye(3), (5, 21, 1, 1)), np.zeros((5, 3)), 30.0),
        (np.tile(np.eye(3), (5, 22, 1, 1)), np.zeros((4, 3)), 30.0),
        (np.full((5, 22, 3, 3), np.nan), np.zeros((5, 3)), 30.0),
        (np.tile(np.eye(3), (5, 22, 1, 1)), np.full((5, 3), 1e200), 30.0),
        (np.tile(np.eye(3), (5, 22, 1, 1)), np.zeros((5, 3)), 0.0),
        (np.tile(np.eye(3), (5, 22, 1, 1)), np.zeros((5, 3)), np.nan),
    ],
)
def test_what_is_no_motion_is_refused_in_one_line(R: np.ndarray, trans: np.ndarray, rate: float) -> None:
    with pytest.raises(MotionError, match="expected") as error:
        denoise(default_body(), load_prior(), load_plausibility(), R, trans, rate)
    assert "\n" not in str(error.value)
