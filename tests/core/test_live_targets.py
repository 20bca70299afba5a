# SPDX-License-Identifier: Apache-2.0
"""What an artist may ask for beside places: turns, a gaze, feet on the ground; and feet that hold under any pull."""

import numpy as np
import pytest
from test_live import BODY, COLUMNS, NAMES, _joints, _pose, _settled, _solver

from vendor_core.errors import TargetError
from vendor_core.ik import Ground, LivePose, LiveSolver
from vendor_core.ik.bones import posed
from vendor_core.ik.live_targets import soles_of
from vendor_core.ik.points import place
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3, rotation_angle

NOTHING = np.full((6, 3, 3), np.nan)
UP = (0.0, 1.0, 0.0)  # of these bodies, which stand in SMPL's axes
FEET = slice(4, 6)


def _at_rest(solver: LiveSolver, targets: np.ndarray, **more: np.ndarray) -> LivePose:
    for _ in range(300):
        if (pose := solver.solve(targets, **more)).settled:
            return pose
    raise AssertionError("the pose is still on its way after 300 events")


def _asked(name: str, R: np.ndarray) -> np.ndarray:
    rotations = NOTHING.copy()
    rotations[NAMES.index(name)] = R
    return rotations


@pytest.mark.parametrize("name", ["head", "left_wrist", "right_ankle", "pelvis"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_joint_turns_as_asked_and_the_places_hold(name: str, axis: int) -> None:
    solver, targets = _solver(1)
    before = solver.solve(targets)
    turned = exp_so3(0.3 * np.eye(3)[axis]) @ before.rotations[NAMES.index(name)]
    pose = _at_rest(solver, targets, rotations=_asked(name, turned))
    row = NAMES.index(name)
    assert rotation_angle(pose.rotations[row].T @ turned) < 0.05
    np.testing.assert_allclose(rotation_angle(pose.rotations[row].T @ turned), pose.angle[row], atol=1e-6)
    assert np.isnan(np.delete(pose.angle, row)).all() and pose.residual.max() < 0.005
    back = _at_rest(solver, targets)
    np.testing.assert_allclose(_joints(back.R_local, back.trans), _joints(_pose(1), np.zeros(3)), atol=0.003)


def test_the_turn_that_a_joint_has_already_moves_nothing() -> None:
    solver, targets = _solver(2)
    rotations = solver.solve(targets).rotations
    pose = solver.solve(targets, rotations=rotations)
    np.testing.assert_allclose(pose.R_local, _pose(2), atol=1e-9)
    np.testing.assert_allclose(pose.angle, 0, atol=1e-6)


@pytest.mark.parametrize("side", [-0.6, 0.6])
def test_the_face_looks_at_a_place(side: float) -> None:
    solver, targets = _solver(0)
    targets[1] = np.nan  # the head is free to go where the gaze takes it
    first = solver.solve(targets)
    assert np.isnan(first.gaze_angle)
    place_ = first.eyes + first.gaze + np.array([side, 0.1, 0.0])
    pose = _at_rest(solver, targets, gaze=place_)
    v = place_ - pose.eyes
    angle = np.arccos(np.clip(pose.gaze @ v / np.linalg.norm(v), -1, 1))
    assert angle < 0.05 and pose.gaze_angle < 0.06 and np.nanmax(pose.residual) < 0.005


def test_a_gaze_behind_the_back_turns_the_head_as_far_as_is_plausible_and_says_so() -> None:
    solver, targets = _solver(0)
    first = solver.solve(targets)
    pose = _at_rest(solver, targets, gaze=first.eyes - first.gaze)
    assert pose.gaze_angle > 0.1 and pose.residual.max() < 0.05 and np.isfinite(pose.R_local).all()


def _lowest(pose: LivePose) -> float:
    soles = soles_of(BODY)
    return float(place(soles, posed(soles.bones, pose.R_local[None], pose.trans[None]))[0][0, :, 1].min())


@pytest.mark.parametrize(("name", "way"), [("left_ankle", (0.0, -0.3, 0.0)), ("pelvis", (0.0, -0.4, 0.1))])
def test_feet_stay_above_the_ground(name: str, way: tuple[float, float, float]) -> None:
    """A foot is pushed into the floor, or comes down with the hips when nothing holds it."""
    R = np.broadcast_to(np.eye(3), (22, 3, 3))
    targets = _joints(R, np.zeros(3))[COLUMNS]
    floor = float(place(soles_of(BODY), posed(soles_of(BODY).bones, R[None], np.zeros((1, 3))))[0][..., 1].min())
    lowest = {}
    for ground in (None, Ground(floor, UP)):
        solver, now = LiveSolver(BODY, load_prior(), NAMES, R, np.zeros(3), ground=ground), targets.copy()
        if name == "pelvis":
            now[FEET] = np.nan
        for share in np.linspace(0, 1, 21):
            now[NAMES.index(name)] = targets[NAMES.index(name)] + share * np.array(way)
            solver.solve(now)
        lowest[ground is None] = _lowest(_at_rest(solver, now)) - floor
    assert lowest[True] < -0.05
    assert lowest[False] > -0.005


def test_a_foot_may_leave_the_ground() -> None:
    R = np.broadcast_to(np.eye(3), (22, 3, 3))
    targets = _joints(R, np.zeros(3))[COLUMNS]
    solver = LiveSolver(BODY, load_prior(), NAMES, R, np.zeros(3), ground=Ground(-1.3267, UP))
    targets[4] += [0, 0.2, 0.1]
    assert _at_rest(solver, targets).residual.max() < 0.01


WAYS = [(0, 0.9, 0), (0.1, 0.8, -0.5), (0, 0, -0.8), (0, 0.2, 0.6), (-0.4, 0.3, 0), (0, 0, 2.0)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", [None, 0, 5])
def test_feet_that_are_held_do_not_slip_however_far_a_hand_is_dragged(way: tuple[float, ...], seed: int | None) -> None:
    """Overhead, behind, and two metres out of reach."""
    R = np.broadcast_to(np.eye(3), (22, 3, 3)) if seed is None else _pose(seed)
    targets = _joints(R, np.zeros(3))[COLUMNS]
    solver, now, start = LiveSolver(BODY, load_prior(), NAMES, R, np.zeros(3)), targets.copy(), targets[3].copy()
    for share in np.linspace(0, 1, 41):
        now[3] = start + share * np.array(way)
        assert np.linalg.norm(solver.solve(now).points[FEET] - targets[FEET], axis=1).max() < 0.005
    pose = _settled(solver, now)
    assert np.linalg.norm(pose.points[FEET] - targets[FEET], axis=1).max() < 0.005


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"rotations": np.zeros((6, 3, 3))}, "rotation"), ({"rotations": np.zeros((5, 3, 3))}, "rotations have shape"),
        ({"gaze": np.zeros(2)}, "gaze have shape"),
    ],
)  # fmt: skip
def test_what_is_no_turn_and_no_place_is_refused(more: dict[str, np.ndarray], match: str) -> None:
    solver, targets = _solver(0)
    with pytest.raises(TargetError, match=match):
        solver.solve(targets, **more)
    np.testing.assert_allclose(solver.solve(targets).R_local, _pose(0), atol=1e-9)


def test_a_gaze_of_nan_is_none_and_a_floor_needs_a_direction() -> None:
    solver, targets = _solver(0)
    assert np.isnan(solver.solve(targets, gaze=np.full(3, np.nan)).gaze_angle)
    with pytest.raises(TargetError, match="directions"):
        Ground(0.0, (0.0, 0.0, 0.0))
