# SPDX-License-Identifier: Apache-2.0
"""Limbs in the body: found where they are, moved out, and nothing else touched."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recipes.mesh_depth import deepest, parts_of_skin
from vendor_core.body import default_body
from vendor_core.cli import main
from vendor_core.errors import MotionError
from vendor_core.ik.balls import TOUCH, body_balls, default_balls
from vendor_core.ik.points import place
from vendor_core.ik.residuals import Hearing
from vendor_core.ik.residuals.apart import Apart
from vendor_core.ik.state import PoseState
from vendor_core.ik.untangle import DEEP, gaps_of, untangle
from vendor_core.motion import read_motion
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import BODY_JOINTS, BODY_PARENTS, N_BODY, joint_index

N = 300


@pytest.fixture(scope="module")
def poses() -> np.ndarray:
    """(N, 22, 3, 3) drawn from the prior, each root turned some way."""
    prior = load_prior()
    roots = exp_so3(np.random.default_rng(1).normal(size=(N, 1, 3)))
    return np.concatenate([roots, prior.decode(prior.sample(N, 0))], axis=1)


@pytest.fixture(scope="module")
def untangled(poses: np.ndarray) -> np.ndarray:
    return untangle(default_balls(), load_prior(), poses)


def resting() -> np.ndarray:
    return np.broadcast_to(np.eye(3), (1, N_BODY, 3, 3)).copy()


def test_balls_are_inside_the_skin_and_near_all_of_it() -> None:
    body, balls = default_body(), default_balls()
    apart = np.linalg.norm(np.asarray(body.v_template)[::7, None] - balls.points.rest, axis=-1) - balls.radii
    assert apart.min() > -0.015  # fingers are a centimetre thick
    assert np.quantile(apart.min(1), 0.95) < 0.02
    assert (gaps_of(balls, resting()) > 0).all()


def hand_in_the_belly() -> np.ndarray:
    R = resting()
    R[0, joint_index("left_shoulder")] = exp_so3(np.array([0.0, 0.0, -1.35]))
    R[0, joint_index("left_elbow")] = exp_so3(np.array([0.0, 0.0, -1.6]))
    return R


def test_a_hand_in_the_belly_is_found_as_deep_as_it_is() -> None:
    balls, R = default_balls(), hand_in_the_belly()
    x = place(balls.points, PoseState(R, np.zeros((1, 3)), np.zeros((1, 0)), np.zeros((1, 0))).on(balls.points.bones))
    gaps, (a, b) = gaps_of(balls, R)[0], balls.pairs.T
    by_hand = np.linalg.norm(x[0][0, a] - x[0][0, b], axis=-1) - balls.radii[a] - balls.radii[b] + TOUCH
    np.testing.assert_allclose(gaps, by_hand, atol=1e-9)
    meets = {BODY_JOINTS[j] for pair in balls.pairs[gaps < 0] for j in balls.owner[pair]}
    assert meets & {"left_elbow", "left_wrist"} and not any(name.startswith("right") for name in meets)


def test_the_skin_says_the_same_as_the_balls() -> None:
    body, R = default_body(), hand_in_the_belly()
    parts = parts_of_skin(body)

    def depth(R: np.ndarray) -> float:
        return deepest(parts, body.faces, np.asarray(body.pose(R[0], vertices=True).vertices))

    assert depth(resting()) == 0.0
    assert depth(R) > 0.03 and gaps_of(default_balls(), R).min() < 0
    out = untangle(default_balls(), load_prior(), R)
    assert depth(out) < 0.01 and gaps_of(default_balls(), out).min() > TOUCH - DEEP


def test_the_slope_of_the_depth_against_differences(poses: np.ndarray) -> None:
    balls = default_balls()
    gaps = gaps_of(balls, poses)
    worst = np.argsort(gaps.min(1))[:6]
    watched = np.argpartition(gaps[worst], 40, axis=1)[:, :40]
    apart = Apart(np.ones(watched.shape), 0.01, balls, watched)
    state = PoseState(poses[worst], np.zeros((6, 3)), np.zeros((6, 0)), np.zeros((6, 0)))
    pose = state.on(balls.points.bones)
    slope, h = 2 * apart.normal(pose, Hearing()).g, 1e-6
    assert np.abs(slope).max() > 1
    for column in range(0, slope.shape[1], 5):
        step = np.zeros_like(slope)
        step[:, column] = h
        ahead, behind = (apart.cost(state.moved(s, 0.0, pose).on(balls.points.bones), Hearing()) for s in (step, -step))
        np.testing.assert_allclose(slope[:, column], (ahead - behind) / (2 * h), atol=1e-4)


def test_nine_in_ten_are_moved_apart_and_the_others_stay_to_the_bit(poses: np.ndarray, untangled: np.ndarray) -> None:
    before, after = (gaps_of(default_balls(), R).min(1) for R in (poses, untangled))
    for gap in (0, TOUCH - DEEP):
        assert (before < gap).sum() > 20
        assert (after < gap).sum() <= 0.1 * (before < gap).sum()
    np.testing.assert_array_equal(untangled[before >= gap], poses[before >= gap])
    np.testing.assert_array_equal(untangled[:, 0], poses[:, 0])


def test_what_does_not_meet_hardly_moves(poses: np.ndarray, untangled: np.ndarray) -> None:
    changed = np.abs(untangled - poses).max((-1, -2)) > 0
    for joint in range(1, N_BODY):
        changed[:, joint] |= changed[:, BODY_PARENTS[joint]]
    moved = np.linalg.norm(
        np.diff([default_body().pose(R).joints[:, :N_BODY] for R in (poses, untangled)], axis=0)[0], axis=-1
    )
    assert moved[~changed].max() < 1e-6
    assert moved[changed.any(1)].mean() < 0.015
    trunk = [joint_index(name) for name in ("spine1", "spine2", "spine3")]
    np.testing.assert_array_equal(untangled[:, trunk], poses[:, trunk])


def test_balls_grow_with_their_body() -> None:
    body = default_body()
    tall = replace(body, v_template=1.5 * body.v_template, joints_template=1.5 * body.joints_template)
    balls = body_balls(tall)
    assert np.quantile(balls.radii, 0.9) > 1.3 * np.quantile(default_balls().radii, 0.9)
    assert (gaps_of(balls, resting()) > 0).all()


def test_no_rotations_are_refused() -> None:
    for wrong in (np.zeros((2, 21, 3, 3)), np.full((1, 22, 3, 3), np.nan)):
        with pytest.raises(MotionError, match="finite rotations"):
            untangle(default_balls(), load_prior(), wrong)


def test_the_command_line_untangles_samples_and_scores_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = ["sample", "-n", "40", "--seed", "3"]
    assert (
        main([*drawn, "-o", str(tmp_path / "a.npz")])
        == main([*drawn, "--untangle", "-o", str(tmp_path / "b.npz")])
        == 0
    )
    assert main(["score", str(tmp_path / "a.npz")]) == main(["score", str(tmp_path / "b.npz")]) == 0
    told = capsys.readouterr().out.splitlines()
    frames = [int(line.split(" in ")[-1].split()[0]) for line in told if "in one another" in line]
    assert frames[0] > 0 == frames[1]
    assert np.abs(read_motion(tmp_path / "a.npz").poses - read_motion(tmp_path / "b.npz").poses).max() > 0.01
