# SPDX-License-Identifier: Apache-2.0
"""Posing under an artist's hand: nothing moves unasked, nothing pops, and no input does harm."""

from itertools import pairwise

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.errors import TargetError
from vendor_core.ik import LivePose, LiveSolver
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3, rotation_angle

NAMES = ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
BODY = default_body()
COLUMNS = [BODY.joint_names.index(name) for name in NAMES]
CATCH_UP = 0.01  # metres an event that a joint may move even if no target does


def _pose(seed: int) -> np.ndarray:
    """(22, 3, 3) a pose of the prior itself, upright, so that these tests need no data."""
    prior = load_prior()
    return np.concatenate([np.eye(3)[None], prior.decode(prior.sample(1, seed=seed))[0]])


def _joints(R: np.ndarray, trans: np.ndarray) -> np.ndarray:
    """(22, 3) metres."""
    return BODY.pose(R[None], trans[None]).joints[0, :22]


def _solver(seed: int = 0, locked: tuple[str, ...] = ()) -> tuple[LiveSolver, np.ndarray]:
    """A solver at a pose, and its effectors (6, 3)."""
    R = _pose(seed)
    return LiveSolver(BODY, load_prior(), NAMES, R, np.zeros(3), locked), _joints(R, np.zeros(3))[COLUMNS]


def _dragged(solver: LiveSolver, targets: np.ndarray, name: str, path: np.ndarray) -> list[LivePose]:
    column, targets, poses = NAMES.index(name), targets.copy(), []
    for x in path:
        targets[column] = x
        poses.append(solver.solve(targets))
    return poses


def _settled(solver: LiveSolver, targets: np.ndarray) -> LivePose:
    for _ in range(300):
        if (pose := solver.solve(targets)).settled:
            return pose
    raise AssertionError("the pose is still on its way after 300 events")


def _line(start: np.ndarray, way: np.ndarray, step: float) -> np.ndarray:
    """There and back, (n, 3)."""
    t = np.linspace(0, 1, round(np.linalg.norm(way) / step) + 1)
    return start + np.concatenate([t, t[-2::-1]])[:, None] * way


def _circle(start: np.ndarray, rng: np.random.Generator, radius: float, step: float) -> np.ndarray:
    u, v = np.linalg.qr(rng.normal(size=(3, 2)))[0].T
    t = np.linspace(0, 2 * np.pi, round(2 * np.pi * radius / step) + 1)[:, None]
    return start + radius * ((np.cos(t) - 1) * u + np.sin(t) * v)


def _wander(start: np.ndarray, rng: np.random.Generator, step: float) -> np.ndarray:
    """A smooth closed path of three waves, in steps of the given length."""
    t = np.linspace(0, 2 * np.pi, 4000)[:, None]
    fine = np.sum([rng.normal(size=3) * 0.12 / k * np.sin(k * t) for k in (1, 2, 3)], axis=0)
    length = np.append(0, np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1)))
    at = np.linspace(0, length[-1], round(length[-1] / step) + 1)
    return start + np.stack([np.interp(at, length, fine[:, k]) for k in range(3)], axis=1)


def _largest_steps(poses: list[LivePose]) -> np.ndarray:
    """The largest step of any joint, for each event after the first, metres."""
    x = np.stack([_joints(pose.R_local, pose.trans) for pose in poses])
    return np.linalg.norm(np.diff(x, axis=0), axis=-1).max(1)


@pytest.mark.parametrize("far", [0.0, 0.6])
def test_nothing_moves_while_the_targets_are_where_the_points_are(rng: np.random.Generator, far: float) -> None:
    """Also from a pose that the prior would never make."""
    R = _pose(0) @ exp_so3(far * rng.normal(size=(22, 3)))
    trans = rng.normal(size=3)
    solver = LiveSolver(BODY, load_prior(), NAMES, R, trans)
    for _ in range(5):
        pose = solver.solve(_joints(R, trans)[COLUMNS])
        np.testing.assert_allclose(pose.R_local, R, atol=1e-9)
        np.testing.assert_allclose(pose.trans, trans, atol=1e-9)
        assert pose.settled


DRAGS = [
    (0, "left_wrist", "line", 0.01), (1, "right_ankle", "through", 0.01), (2, "pelvis", "beyond", 0.01),
    (0, "head", "through", 0.01), (3, "left_ankle", "wander", 0.01), (1, "right_wrist", "circle", 0.01),
    (2, "head", "circle", 0.01), (0, "left_ankle", "beyond", 0.01), (2, "right_wrist", "wander", 0.002),
    (3, "left_ankle", "line", 0.002),
]  # fmt: skip


@pytest.mark.parametrize(("seed", "name", "kind", "step"), DRAGS)
def test_no_joint_pops_under_a_drag(seed: int, name: str, kind: str, step: float) -> None:
    """To full extension and beyond, through the body, round and round; and the way back ends where it began."""
    solver, targets = _solver(seed)
    rng = np.random.default_rng(seed)
    start = targets[NAMES.index(name)]
    away = rng.normal(size=3) / 3
    path = {
        "line": lambda: _line(start, away * 0.5, step), "beyond": lambda: _line(start, away * 3, step),
        "through": lambda: _line(start, 2 * (targets[0] + [0, 0.1, 0] - start), step),
        "circle": lambda: _circle(start, rng, 0.15, step), "wander": lambda: _wander(start, rng, step),
    }[kind]()  # fmt: skip
    poses = _dragged(solver, targets, name, path)
    moved = _largest_steps(poses)
    inputs = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert (moved <= 3 * inputs + CATCH_UP + 1e-6).all()
    assert np.median(moved / inputs) < 2
    back = _settled(solver, targets)
    np.testing.assert_allclose(_joints(back.R_local, back.trans), _joints(_pose(seed), np.zeros(3)), atol=0.003)


def test_what_can_be_reached_is_reached_all_along(rng: np.random.Generator) -> None:
    solver, targets = _solver(1)
    poses = _dragged(solver, targets, "left_wrist", _circle(targets[2], rng, 0.06, 0.01))
    assert np.median([pose.residual.max() for pose in poses]) < 0.003
    assert max(pose.residual.max() for pose in poses) < 0.02


def test_points_are_where_the_pose_has_them_even_on_the_way() -> None:
    solver, targets = _solver(0)
    targets[4] += [0.3, 0.6, -0.3]  # a leap: far more than one event's motion
    pose = solver.solve(targets)
    np.testing.assert_allclose(_joints(pose.R_local, pose.trans)[COLUMNS], pose.points, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(pose.points - targets, axis=1), pose.residual, atol=1e-9)


def test_a_target_that_appears_far_away_is_followed_at_once() -> None:
    """A new target's distance counts as motion of the input."""
    solver, targets = _solver(2)
    alone = np.full_like(targets, np.nan)
    alone[2] = targets[2] + [0, 0.3, 0]
    assert solver.solve(alone).residual[2] < 0.03
    assert solver.solve(alone).residual[2] < 0.005


def test_locked_joints_keep_their_rotation(rng: np.random.Generator) -> None:
    locked = ("left_elbow", "spine2", "head")
    solver, targets = _solver(0, locked)
    poses = _dragged(solver, targets, "left_wrist", _wander(targets[2], rng, 0.02))
    columns = [BODY.joint_names.index(name) for name in locked]
    for pose in poses:
        np.testing.assert_allclose(pose.R_local[columns], _pose(0)[columns], atol=1e-12)
    assert rotation_angle(np.swapaxes(poses[len(poses) // 3].R_local, 1, 2) @ _pose(0)).max() > 0.1


def test_a_target_that_drops_out_no_longer_pulls() -> None:
    solver, targets = _solver(1)
    targets[2] += [0, 0.2, 0]
    held = _settled(solver, targets)
    without = targets.copy()
    without[2] = np.nan
    free = _settled(solver, without)
    assert np.isnan(free.residual[2]) and np.isfinite(np.delete(free.residual, 2)).all()
    assert np.linalg.norm(free.points[2] - held.points[2]) > 0.05  # back towards where it was
    assert np.delete(free.residual, 2).max() < 0.003


def test_without_any_target_the_pose_stays() -> None:
    solver, targets = _solver(1)
    targets[3] += [0.1, 0, 0]
    last = _settled(solver, targets)
    none = solver.solve(np.full_like(targets, np.nan))
    np.testing.assert_array_equal(none.R_local, last.R_local)
    np.testing.assert_array_equal(none.trans, last.trans)
    assert np.isnan(none.residual).all()
    zero = solver.solve(targets + 0.3, weights=np.zeros(len(NAMES)))
    np.testing.assert_array_equal(zero.R_local, last.R_local)
    _dragged(solver, targets, "right_ankle", _line(targets[5], 2 * (targets[0] - targets[5]), 0.05)[:18])
    held = solver.solve(np.full_like(targets, np.nan))  # even on the way to a far one
    np.testing.assert_array_equal(solver.solve(np.full_like(targets, np.nan)).R_local, held.R_local)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 1e300])
def test_a_number_that_is_no_place_counts_as_unseen(value: float) -> None:
    poses = []
    for bad in (np.nan, value):
        solver, targets = _solver(2)
        targets[0] += [0.05, 0, 0]
        targets[3, 1] = bad
        poses.append(solver.solve(targets))
    np.testing.assert_array_equal(poses[0].R_local, poses[1].R_local)
    assert np.isfinite(poses[1].R_local).all() and np.isnan(poses[1].residual[3])


@pytest.mark.parametrize(
    ("positions", "weights"),
    [
        (np.zeros((5, 3)), None), (np.zeros((6, 2)), None), (np.zeros((1, 6, 3)), None), (np.zeros(18), None),
        (np.full((6, 3), "x"), None), (np.zeros((6, 3)), -np.ones(6)), (np.zeros((6, 3)), np.ones(5)),
    ],
)  # fmt: skip
def test_what_is_no_target_is_refused_and_changes_nothing(positions: np.ndarray, weights: np.ndarray | None) -> None:
    solver, targets = _solver(2)
    with pytest.raises(TargetError, match="expected") as caught:
        solver.solve(positions, weights)
    assert "\n" not in str(caught.value)
    np.testing.assert_allclose(solver.solve(targets).R_local, _pose(2), atol=1e-9)


def test_unknown_joints_are_named() -> None:
    with pytest.raises(TargetError, match="left_wing"):
        LiveSolver(BODY, load_prior(), ["left_wing"], _pose(0), np.zeros(3))
    with pytest.raises(TargetError, match="left_wing"):
        LiveSolver(BODY, load_prior(), NAMES, _pose(0), np.zeros(3), locked=["left_wing"])


def test_rotations_stay_rotations_in_long_drags() -> None:
    solver, targets = _solver(3)
    rng, pose = np.random.default_rng(0), None
    way = np.cumsum(rng.normal(size=(1000, 3)) * 0.02, axis=0)
    for shift in np.sin(way) * 0.4:
        targets_now = targets.copy()
        targets_now[3] += shift
        pose = solver.solve(targets_now)
    assert pose is not None
    R = pose.R_local
    np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), R.shape), atol=1e-10)


def test_contradictory_targets_are_met_half_way() -> None:
    x, up = _joints(_pose(0), np.zeros(3))[20], np.array([0, 0.05, 0])
    solver = LiveSolver(BODY, load_prior(), ["left_wrist", "left_wrist", "pelvis"], _pose(0), np.zeros(3))
    pelvis = _joints(_pose(0), np.zeros(3))[0]
    pose = _settled(solver, np.stack([x + up, x - up, pelvis]))
    np.testing.assert_allclose(pose.residual[:2], 0.05, atol=0.005)
    weighted = np.array([9.0, 1.0, 1.0])
    for _ in range(10):
        pose = solver.solve(np.stack([x + up, x - up, pelvis]), weighted)
    np.testing.assert_allclose(pose.residual[:2], [0.01, 0.09], atol=0.003)


def test_one_event_or_many_come_to_the_same_pose() -> None:
    """The way that a target took does not show once it rests."""
    way = np.array([0.1, 0.12, 0.1])
    ends = []
    for n_events in (1, 4, 20):
        solver, targets = _solver(0)
        for share in np.linspace(0, 1, n_events + 1)[1:]:
            now = targets.copy()
            now[2] += share * way
            solver.solve(now)
        pose = _settled(solver, now)
        ends.append(_joints(pose.R_local, pose.trans))
    for a, b in pairwise(ends):
        assert np.linalg.norm(a - b, axis=1).max() < 0.01


def test_reset_forgets_the_drag() -> None:
    solver, targets = _solver(1)
    first = solver.solve(targets + np.array([0.1, 0, 0]))
    _dragged(solver, targets, "head", _line(targets[1], np.array([0.3, 0.2, 0.1]), 0.02))
    solver.reset()
    np.testing.assert_allclose(solver.solve(targets + np.array([0.1, 0, 0])).R_local, first.R_local, atol=1e-3)
    solver.reset()
    kept = solver.solve(np.full_like(targets, np.nan))
    np.testing.assert_array_equal(kept.R_local, _pose(1))


def test_arrays_of_the_caller_and_of_answers_are_not_the_solvers() -> None:
    R, trans = _pose(0), np.zeros(3)
    solver = LiveSolver(BODY, load_prior(), NAMES, R, trans)
    unasked = np.full((6, 3), np.nan)
    first = solver.solve(unasked)
    kept = first.R_local.copy(), first.trans.copy(), first.points.copy()
    for array in (R, trans, first.R_local, first.trans, first.points):
        array[:] = 7.0
    solver.reset()
    again = solver.solve(unasked)
    for array, expected in zip((again.R_local, again.trans, again.points), kept, strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(
    ("R", "trans"),
    [
        (np.full((22, 3, 3), np.nan), np.zeros(3)),
        (np.zeros((22, 3, 3)), np.zeros(3)),
        (_pose(0)[:21], np.zeros(3)),
        (_pose(0), np.array([0.0, np.inf, 0.0])),
        (_pose(0), np.zeros(2)),
    ],
)
def test_a_start_that_is_no_pose_is_refused(R: np.ndarray, trans: np.ndarray) -> None:
    with pytest.raises(TargetError, match="the start"):
        LiveSolver(BODY, load_prior(), NAMES, R, trans)
