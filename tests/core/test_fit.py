# SPDX-License-Identifier: Apache-2.0
"""Fitting joints: exactness on unseen real poses, and what one bad frame may do to the others (nothing)."""

from pathlib import Path

import numpy as np
import pytest

from vendor_core.body import body_from_joints, default_body
from vendor_core.errors import TargetError
from vendor_core.ik import JointTargets, Solution, fit_joints
from vendor_core.ik.bones import bones_of
from vendor_core.ik.problem import Problem
from vendor_core.ik.starts import SeenJoints, first_states
from vendor_core.ik.state import PoseState
from vendor_core.motion import HELD, SOLVED
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import BODY_JOINTS

EFFECTORS = ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")


def _joints(split: Path, n: int) -> np.ndarray:
    """(n, 22, 3) joints of the default body in poses of a split, each turned about the vertical at random."""
    rng = np.random.default_rng(1234)
    poses = np.load(split)["poses"]
    R = exp_so3(poses[rng.choice(len(poses), n, replace=False)].astype(np.float64))
    R[:, 0] = exp_so3(rng.uniform(-np.pi, np.pi, (n, 1)) * [0, 1, 0]) @ R[:, 0]
    return default_body().pose(R, trans=rng.normal(size=(n, 3))).joints[:, :22]


def _placed(solution: Solution) -> np.ndarray:
    return default_body().pose(solution.R_local, solution.trans).joints[:, :22]


@pytest.fixture(scope="module")
def test_joints(shared_data: Path) -> np.ndarray:
    return _joints(shared_data / "motion" / "test.npz", 64)


@pytest.fixture(scope="module")
def joints() -> np.ndarray:
    """Poses of the prior itself, so that these tests need no data."""
    prior = load_prior()
    R = np.concatenate([np.broadcast_to(np.eye(3), (8, 1, 3, 3)), prior.decode(prior.sample(8, seed=3))], axis=1)
    return default_body().pose(R).joints[:, :22]


def test_all_joints_are_reached_on_the_test_split(test_joints: np.ndarray) -> None:
    solution = fit_joints(default_body(), load_prior(), BODY_JOINTS, test_joints)
    reached = default_body().pose(solution.R_local, solution.trans).joints[:, :22]
    assert np.linalg.norm(reached - test_joints, axis=-1).mean() < 0.002


def test_effectors_are_reached_on_the_test_split(test_joints: np.ndarray) -> None:
    columns = [BODY_JOINTS.index(name) for name in EFFECTORS]
    solution = fit_joints(default_body(), load_prior(), EFFECTORS, test_joints[:, columns])
    assert np.nanmax(solution.residual.mean(1)) < 0.005


def test_head_and_hands_alone_face_the_way_they_were_guessed(shared_data: Path) -> None:
    """Left to the least cost the hips turn anywhere: all joints were then more than 0.13 m off."""
    truth = _joints(shared_data / "motion" / "val.npz", 64)
    names = ["head", "left_wrist", "right_wrist"]
    solved = fit_joints(default_body(), load_prior(), names, truth[:, [BODY_JOINTS.index(name) for name in names]])
    assert np.linalg.norm(_placed(solved) - truth, axis=-1).mean() < 0.12


def test_a_rig_without_a_mesh_is_solved_like_its_body(joints: np.ndarray) -> None:
    rig = body_from_joints(default_body().joints_template[:22])
    on_body, on_rig = (fit_joints(body, load_prior(), BODY_JOINTS, joints[:2]) for body in (default_body(), rig))
    np.testing.assert_allclose(on_rig.R_local, on_body.R_local, atol=1e-9)


def test_bad_frames_change_no_other_frame(joints: np.ndarray) -> None:
    clean = fit_joints(default_body(), load_prior(), BODY_JOINTS, joints)
    dirty_joints = joints.copy()
    dirty_joints[1, 4] = np.nan
    dirty_joints[3] = 1e300  # squares overflow
    dirty_joints[5, 20] += 50.0
    dirty_joints[6] = np.inf
    dirty = fit_joints(default_body(), load_prior(), BODY_JOINTS, dirty_joints)
    good = [0, 2, 4, 7]
    np.testing.assert_allclose(dirty.R_local[good], clean.R_local[good], atol=1e-9)
    assert np.isfinite(dirty.R_local).all() and np.isfinite(dirty.trans).all()


def test_an_empty_frame_holds_the_nearest_pose_and_says_so(joints: np.ndarray) -> None:
    gappy = joints.copy()
    gappy[[0, 4, 5]] = np.nan
    solution = fit_joints(default_body(), load_prior(), BODY_JOINTS, gappy)
    np.testing.assert_array_equal(solution.R_local[0], solution.R_local[1])
    np.testing.assert_array_equal(solution.R_local[4], solution.R_local[3])
    np.testing.assert_array_equal(solution.R_local[5], solution.R_local[6])
    assert solution.status.tolist() == [HELD, SOLVED, SOLVED, SOLVED, HELD, HELD, SOLVED, SOLVED]


def test_a_batch_gives_what_its_frames_give_alone(joints: np.ndarray) -> None:
    together = fit_joints(default_body(), load_prior(), EFFECTORS, joints[:, [0, 15, 20, 21, 7, 8]])
    alone = fit_joints(default_body(), load_prior(), EFFECTORS, joints[5:6, [0, 15, 20, 21, 7, 8]])
    np.testing.assert_allclose(_placed(alone)[0], _placed(together)[5], atol=1e-6)


def test_a_doubted_pelvis_starts_no_other_frame_elsewhere(joints: np.ndarray) -> None:
    joints = joints[:3].copy()
    joints[0, 0] += [0.6, 0.3, -0.5]
    together, *alone = (_doubted_start(part) for part in (joints, joints[1:2], joints[2:]))
    for frame, one in enumerate(alone, start=1):
        np.testing.assert_array_equal(one.trans[0], together.trans[frame])
        np.testing.assert_allclose(one.R_local[0], together.R_local[frame], atol=1e-5)  # the guess is single precision


def _doubted_start(joints: np.ndarray) -> PoseState:
    bones = bones_of(default_body())
    problem = Problem(bones, load_prior(), (JointTargets(BODY_JOINTS, joints).on(default_body(), bones),))
    return first_states(problem, SeenJoints(joints, np.ones(joints.shape[:2], bool)), doubted=True)[0]


def test_the_answer_moves_with_the_world(joints: np.ndarray) -> None:
    turn, shift = exp_so3(np.array([0.3, -0.8, 1.1])), np.array([2.0, -1.0, 0.5])
    here = fit_joints(default_body(), load_prior(), BODY_JOINTS, joints[:2])
    there = fit_joints(default_body(), load_prior(), BODY_JOINTS, joints[:2] @ turn.T + shift)
    np.testing.assert_allclose(there.R_local[:, 1:], here.R_local[:, 1:], atol=1e-4)
    np.testing.assert_allclose(_placed(there), _placed(here) @ turn.T + shift, atol=1e-5)


def test_an_earlier_pose_is_a_start(joints: np.ndarray) -> None:
    first = fit_joints(default_body(), load_prior(), BODY_JOINTS, joints[:1])
    moved = joints[:1] + np.array([0, 0, 0.01])
    warm = fit_joints(default_body(), load_prior(), BODY_JOINTS, moved, start=first)
    assert np.nanmax(warm.residual) < 0.002


def test_weights_say_which_target_gives_way(joints: np.ndarray) -> None:
    targets = joints[:1, [20, 20]] + np.array([[0, 0, 0], [0, 0.2, 0]])
    weights = np.array([100.0, 1.0])
    solution = fit_joints(default_body(), load_prior(), ["left_wrist", "left_wrist"], targets, weights)
    assert solution.residual[0, 0] < 0.05 < solution.residual[0, 1]


def test_shape_is_found_where_it_is_asked_for(joints: np.ndarray) -> None:
    body, betas = default_body(), np.zeros(default_body().num_betas)
    betas[0] = 2.0  # height
    tall = body.pose(np.broadcast_to(np.eye(3), (1, 22, 3, 3)), betas=betas[None]).joints[:, :22]
    fixed, free = (fit_joints(body, load_prior(), BODY_JOINTS, tall, shape=shape) for shape in (False, True))
    assert free.residual.mean() < 0.2 * fixed.residual.mean()
    assert free.betas[0, 0] > 0.5


@pytest.mark.parametrize(
    ("names", "positions", "message"),
    [
        (["left_wing"], np.zeros((1, 1, 3)), "left_wing"),
        (["head"], np.zeros((1, 2, 3)), "expected"),
        (["head"], np.zeros((1, 3)), "expected"),
        (["head"], np.full((2, 1, 3), np.nan), "seen"),
        (["head"], np.array([[["a", "b", "c"]]]), "expected"),
    ],
)
def test_unusable_targets_are_named(names: list[str], positions: np.ndarray, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        fit_joints(default_body(), load_prior(), names, positions)


def test_only_the_first_betas_of_a_body_are_estimated(joints: np.ndarray) -> None:
    body = default_body().first_betas(3)
    assert body.beta_names == default_body().beta_names[:3]
    assert fit_joints(body, load_prior(), BODY_JOINTS, joints[:1], shape=True).betas.shape == (1, 3)
