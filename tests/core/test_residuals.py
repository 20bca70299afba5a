# SPDX-License-Identifier: Apache-2.0
"""Every kind of keypoint: its Jacobian against central differences, NumPy against torch, and what must not break it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.synthetic_bodies import body_arrays
from tests.core.synthetic_prior import random_prior
from vendor_core.arrays import Array, namespace
from vendor_core.body import BodyModel, default_body
from vendor_core.body.formats import body_from_arrays
from vendor_core.errors import TargetError
from vendor_core.ik.bones import Kinematics, bones_of
from vendor_core.ik.camera import NEAR, Camera
from vendor_core.ik.initialiser import moved_rigidly
from vendor_core.ik.kinematic_jacobian import point_jacobian
from vendor_core.ik.points import BodyPoints, joint_points, place, surface_points
from vendor_core.ik.problem import Problem, Stage
from vendor_core.ik.residuals import (
    AbovePlane,
    Facing,
    Hearing,
    LookAt,
    OnPlane,
    Orientation,
    Pinhole,
    Position,
    Residual,
)
from vendor_core.ik.solver import minimise
from vendor_core.ik.state import PoseState, explained, rest_state
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import joint_index

KINDS = ("position", "joints", "orientation", "facing", "look_at", "on_plane", "above_plane", "pinhole")
N = 3  # frames
BODY = body_from_arrays(body_arrays("smplx"), "random")


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def _surface(body: BodyModel, n_joints: int) -> BodyPoints:
    rng = np.random.default_rng(3)
    vertices, barycentric = rng.integers(1000, size=(7, 3)), rng.dirichlet((1, 1, 1), size=7)
    names, offsets = [str(i) for i in range(7)], rng.normal(size=(7, 3)) * 0.02
    return surface_points(body, names, vertices, barycentric, offsets, bones=bones_of(body, n_joints))


def _residual(kind: str, rng: np.random.Generator, n_joints: int = 22) -> Residual:
    """A residual of random targets on the random body, whose joints are metres from the origin."""
    skin, bones = _surface(BODY, n_joints), bones_of(BODY, n_joints)
    joints = joint_points(BODY, [0, 7, 15, 20, 24, 31], bones)
    turned = (0, 5, 15, n_joints - 1)
    up, forward = _unit(rng.normal(size=3)), _unit(rng.normal(size=(6, 3)))
    camera = Camera(
        np.array([900.0, 1100.0]), np.array([500.0, 400.0]), exp_so3(rng.normal(size=(N, 3))), rng.normal(size=(N, 3))
    )
    known = rng.random((N, 7)) * (rng.random((N, 7)) > 0.2)
    return {
        "position": lambda: Position(known, 0.4, skin, rng.normal(size=(N, 7, 3))),
        "joints": lambda: Position(known[:, :6], 0.4, joints, rng.normal(size=(N, 6, 3))),
        "orientation": lambda: Orientation(known[:, :4], 0.2, turned, exp_so3(rng.normal(size=(N, 4, 3)) * 2)),
        "facing": lambda: Facing(known[:, :4], 0.2, turned, forward[:4], _unit(rng.normal(size=(N, 4, 3)))),
        "look_at": lambda: LookAt(known[:, :6], 0.2, joints, forward, rng.normal(size=(N, 6, 3))),
        "on_plane": lambda: OnPlane(known, 0.02, skin, up, 0.3),
        "above_plane": lambda: AbovePlane(known, 0.02, skin, up, 0.3),
        "pinhole": lambda: Pinhole(known, 5.0, skin, camera, rng.random((N, 7, 2)) * 1000),
    }[kind]()


def _state(rng: np.random.Generator, n_betas: int, n_joints: int = 22) -> PoseState:
    R, trans = exp_so3(rng.normal(size=(N, n_joints, 3)) * 0.7), rng.normal(size=(N, 3))
    return PoseState(R, trans, rng.normal(size=(N, 32)), rng.normal(size=(N, n_betas)))


def _differences(residual: Residual, state: PoseState, pose: Kinematics) -> np.ndarray:
    """The Jacobian by central differences, (F, K, d, T)."""
    columns, h = [], 1e-6
    for column in range(pose.bones.n_tangent + state.betas.shape[1]):
        step = np.zeros((len(state), pose.bones.n_tangent + state.betas.shape[1]))
        step[:, column] = h
        ahead, behind = (residual.error(state.moved(s, 0.0, pose).on(pose.bones)) for s in (step, -step))
        columns.append((ahead - behind) / (2 * h))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize(("n_joints", "n_betas"), [(22, 0), (22, 10), (55, 10)])
@pytest.mark.parametrize("kind", KINDS)
def test_jacobian(rng: np.random.Generator, kind: str, n_joints: int, n_betas: int) -> None:
    residual, state = _residual(kind, rng, n_joints), _state(rng, n_betas, n_joints)
    pose = state.on(bones_of(BODY, n_joints))
    if isinstance(residual, AbovePlane):  # some points above, some below
        residual = replace(residual, offset=float(np.median(residual.heights(pose)) + residual.offset) + 1e-3)
    numbers = _differences(residual, state, pose)
    scale = max(1.0, np.abs(numbers).max())
    np.testing.assert_allclose(residual.jacobian(pose) / scale, numbers / scale, atol=1e-6)
    if isinstance(residual, Pinhole):
        behind = residual.error(pose)[..., 2] > 0
        assert behind.any() and not behind.all()  # both sides of the camera were compared


@pytest.mark.parametrize("angle", [0.0, 1e-7, 1e-3, 0.0999, 0.1001, 3.0, np.pi - 1e-5])
def test_jacobian_of_orientations_at_every_angle(rng: np.random.Generator, angle: float) -> None:
    state = _state(rng, 0)
    pose = state.on(bones_of(BODY))
    away = exp_so3(angle * _unit(rng.normal(size=(N, 1, 3))))
    residual = Orientation(np.ones((N, 1)), 0.1, (20,), np.swapaxes(away, -1, -2) @ pose.G[:, [20]])
    np.testing.assert_allclose(np.linalg.norm(residual.error(pose), axis=-1), angle, atol=1e-9)
    np.testing.assert_allclose(residual.jacobian(pose), _differences(residual, state, pose), atol=1e-6)


@pytest.mark.parametrize("robust", [None, 0.7])
@pytest.mark.parametrize("n_betas", [0, 10])
def test_levers_give_the_model_that_the_jacobian_gives(
    rng: np.random.Generator, n_betas: int, robust: float | None
) -> None:
    position = _residual("position", rng)
    assert isinstance(position, Position)
    position = replace(position, points=replace(position.points, pose_dirs=None))
    pose, hearing = _state(rng, n_betas).on(position.points.bones), Hearing(1.3, robust)
    by_levers, by_jacobian = position.normal(pose, hearing), Residual.normal(position, pose, hearing)
    np.testing.assert_allclose(by_levers.g, by_jacobian.g, atol=1e-9)
    np.testing.assert_allclose(by_levers.H, by_jacobian.H, atol=1e-9)


@pytest.mark.parametrize("n_betas", [0, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_torch_and_single_precision(rng: np.random.Generator, kind: str, n_betas: int) -> None:
    torch = pytest.importorskip("torch")
    residual, state, hearing = _residual(kind, rng), _state(rng, n_betas), Hearing(1.2, 0.8)
    bones = bones_of(BODY)
    mine = _numbers(residual, state.on(bones), hearing)
    for like, tolerance in (
        (torch.zeros(1, dtype=torch.float64), 1e-9),
        (torch.zeros(1, dtype=torch.float32), 1e-3),
        (np.zeros(1, np.float32), 1e-3),
    ):
        theirs = _numbers(residual.like(like), state.like(like).on(bones.like(like)), hearing)
        for a, b in zip(mine, theirs, strict=True):
            assert b.dtype == like.dtype
            scale = max(1.0, np.abs(a).max())
            np.testing.assert_allclose(np.asarray(b) / scale, a / scale, atol=tolerance)


def _numbers(residual: Residual, pose: Kinematics, hearing: Hearing) -> list[Array]:
    """All that the solver asks of a residual."""
    normal = residual.normal(pose, hearing)
    return [residual.error(pose), residual.jacobian(pose), residual.cost(pose, hearing), normal.g, normal.H]


@pytest.mark.parametrize("kind", KINDS)
def test_frames_do_not_meet(rng: np.random.Generator, kind: str) -> None:
    residual, pose, rows = _residual(kind, rng), _state(rng, 0).on(bones_of(BODY)), np.array([2, 0])
    np.testing.assert_array_equal(residual.take(rows).error(pose.take(rows)), residual.error(pose)[rows])
    np.testing.assert_allclose(residual.take(rows).jacobian(pose.take(rows)), residual.jacobian(pose)[rows], atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.lists(st.floats(-3, 3), min_size=3, max_size=3).map(np.array),
    st.lists(st.floats(-10, 10), min_size=3, max_size=3).map(np.array),
)
def test_moving_body_and_targets_together_changes_no_error(kind: str, turn: np.ndarray, t: np.ndarray) -> None:
    rng, R = np.random.default_rng(5), exp_so3(turn)
    residual, state, bones = _residual(kind, rng), _state(rng, 0), bones_of(BODY)
    moved = moved_rigidly(bones, state, np.broadcast_to(R, (N, 3, 3)), np.broadcast_to(t, (N, 3)))
    before = np.linalg.norm(residual.error(state.on(bones)), axis=-1)
    after = np.linalg.norm(_moved_target(residual, R, t).error(moved.on(bones)), axis=-1)
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-8)


def _moved_target(residual: Residual, R: np.ndarray, t: np.ndarray) -> Residual:
    match residual:
        case Orientation():
            return replace(residual, targets=R @ residual.targets)
        case Facing():
            return replace(residual, targets=residual.targets @ R.T)
        case Position() | LookAt():
            return replace(residual, targets=residual.targets @ R.T + t)
        case OnPlane():
            up = R @ residual.up
            return replace(residual, up=up, offset=residual.offset + float(up @ t))
        case Pinhole(camera=camera):
            R_camera = camera.R_camera_world @ R.T
            moved = replace(camera, R_camera_world=R_camera, t_camera_world=camera.t_camera_world - R_camera @ t)
            return replace(residual, camera=moved)
    raise AssertionError(residual)


def _all_finite(residual: Residual, pose: Kinematics) -> bool:
    numbers = _numbers(residual, pose, Hearing()) + _numbers(residual, pose, Hearing(robust=1.0))
    return all(np.isfinite(x).all() for x in numbers)


def test_half_a_turn_from_the_target(rng: np.random.Generator) -> None:
    pose = _state(rng, 0).on(bones_of(BODY))
    for axis in (*np.eye(3), _unit(rng.normal(size=3))):
        residual = Orientation(np.ones((N, 1)), 0.1, (15,), exp_so3(np.pi * axis) @ pose.G[:, [15]])
        np.testing.assert_allclose(np.linalg.norm(residual.error(pose), axis=-1), np.pi, atol=1e-6)
        assert _all_finite(residual, pose)
    assert _all_finite(replace(residual, targets=np.zeros((N, 1, 3, 3)), confidence=np.zeros((N, 1))), pose)


def test_a_target_on_the_eye(rng: np.random.Generator) -> None:
    bones = bones_of(BODY)
    pose, eyes = _state(rng, 0).on(bones), joint_points(BODY, [15], bones)
    for apart in (0.0, 1e-12, 1e-3):
        residual = LookAt(np.ones((N, 1)), 0.1, eyes, np.eye(3)[:1], place(eyes, pose)[0] + apart)
        assert _all_finite(residual, pose)
        assert (np.linalg.norm(residual.error(pose), axis=-1) <= 2).all()


@pytest.mark.parametrize("depth", [-1e4, -1.0, -1e-9, 0.0, NEAR])
def test_a_point_at_or_behind_the_camera(rng: np.random.Generator, depth: float) -> None:
    bones, single = bones_of(BODY), np.zeros(1, np.float32)
    state, head = _state(rng, 0), joint_points(BODY, [15], bones)
    pose, rounded = state.on(bones), state.like(single).on(bones.like(single))
    lens = np.array([800.0, 800.0]), np.zeros(2)
    for sideways in (0.0, 0.3):
        camera = Camera(*lens, np.eye(3), np.array([sideways, 0, depth]) - place(head, pose)[0][:, 0])
        residual = Pinhole(np.ones((N, 1)), 5.0, head, camera, np.zeros((N, 1, 2)))
        assert _all_finite(residual, pose)
        assert _all_finite(residual.like(single), rounded)
        further = replace(camera, t_camera_world=camera.t_camera_world + np.array([0, 0, 0.01]))
        if depth < NEAR:  # forward is down the slope
            assert (replace(residual, camera=further).cost(pose, Hearing()) < residual.cost(pose, Hearing())).all()


@pytest.mark.parametrize("up", [np.zeros(3), np.array([0, 2.0, 0]), np.full(3, np.nan), np.ones(2)])
def test_a_plane_without_a_direction(up: np.ndarray) -> None:
    with pytest.raises(TargetError, match="unit vector"):
        OnPlane(np.ones((1, 7)), 0.01, _surface(BODY, 22), up)


@dataclass(frozen=True)
class Apart(Residual):
    """A kind of one's own: two points a given distance apart."""

    points: BodyPoints  # two
    distance: Array  # (F,) metres

    def per_frame(self) -> tuple[str, ...]:
        return ("confidence", "distance")

    def error(self, pose: Kinematics) -> Array:
        return self._between(pose)[0] - self.distance[:, None, None]

    def jacobian(self, pose: Kinematics) -> Array:
        _, direction = self._between(pose)
        J = point_jacobian(self.points, pose, place(self.points, pose)[1])
        return direction @ (J[:, :1] - J[:, 1:])

    def _between(self, pose: Kinematics) -> tuple[Array, Array]:
        xp, x = namespace(pose.G), place(self.points, pose)[0]
        v = x[:, :1] - x[:, 1:]
        length = xp.sqrt(xp.sum(v * v, axis=-1) + 1e-12)[..., None]
        return length, (v / length)[..., None, :]


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_a_kind_of_ones_own(rng: np.random.Generator, kind: str) -> None:
    bones, prior = bones_of(BODY), random_prior()
    like = np.zeros(0) if kind == "numpy" else pytest.importorskip("torch").zeros(0, dtype=float)
    hands = joint_points(BODY, [joint_index("left_wrist"), joint_index("right_wrist")], bones)
    apart = Apart(np.ones((N, 1)), 0.001, hands, np.array([0.1, 0.5, 1.0]))
    state = _state(rng, 0)
    pose = state.on(bones)
    np.testing.assert_allclose(apart.jacobian(pose), _differences(apart, state, pose), atol=1e-6)
    stay = Position(np.ones((N, 1)), 0.01, joint_points(BODY, [0], bones), np.zeros((N, 1, 3)))
    problem = Problem(bones, prior, (stay, apart)).like(like)
    solved, _ = minimise(problem, state.like(like), Stage(iterations=50))
    assert np.abs(np.asarray(problem.residuals[1].error(solved.on(problem.bones)))).max() < 0.003


def test_all_kinds_in_one_problem(rng: np.random.Generator) -> None:
    """Half the joints in 3D, the rest in two cameras, orientations of hands, the gaze, the feet on the ground."""
    body, prior = default_body(), load_prior()
    bones = bones_of(body)
    true = explained(prior, rng.normal(size=(N, 32)) * 0.7, exp_so3(rng.normal(size=(N, 3)) * 0.3))
    pose = true.on(bones)
    here = joint_points(body, [0, 1, 2, 4, 5, 7, 8], bones)
    feet = joint_points(body, [joint_index("left_foot")], bones)
    seen = joint_points(body, [12, 15, 16, 17, 18, 19, 20, 21], bones)
    head = joint_points(body, [joint_index("head")], bones)
    forward = np.array([[0.0, 0, 1]])
    gaze = place(head, pose)[0] + 2 * pose.G[:, 15, :, 2][:, None]
    height = float(place(feet, pose)[0][:, 0, 1].min())
    lens = np.array([1000.0, 1000.0]), np.array([500.0, 500.0])
    views = [np.diag([1.0, -1, -1]) @ exp_so3(np.array([0, turn, 0])) for turn in (0.0, 0.8)]
    cameras = [Camera(*lens, R_camera_world, np.array([0, 0, 4.0])) for R_camera_world in views]

    def sure(n: int) -> np.ndarray:
        return np.ones((N, n))

    residuals = (
        Position(sure(len(here)), 0.003, here, place(here, pose)[0]),
        Orientation(sure(2), 0.05, (20, 21), pose.G[:, [20, 21]]),
        LookAt(sure(1), 0.05, head, forward, gaze),
        AbovePlane(sure(1), 0.003, feet, np.array([0.0, 1, 0]), height),
        *(Pinhole(sure(8), 1.0, seen, camera, camera.project(place(seen, pose)[0])) for camera in cameras),
    )
    problem = Problem(bones, prior, residuals)
    solved, cost = minimise(problem, rest_state(prior, N, 0, np.zeros(0)), Stage(iterations=60))
    found = solved.on(bones)
    assert np.isfinite(cost).all()
    errors = [np.linalg.norm(r.error(found), axis=-1).max() for r in residuals]
    assert errors[0] < 0.01  # metres
    assert errors[1] < 0.2 and errors[2] < 0.1  # radians
    assert errors[3] < 0.005
    assert max(errors[4:]) < 5  # pixels
    assert np.linalg.norm(found.p - pose.p, axis=-1).max() < 0.05


def test_a_body_behind_the_camera_is_drawn_out(rng: np.random.Generator) -> None:
    body, prior = default_body(), load_prior()
    points = joint_points(body, range(22))
    state = explained(prior, rng.normal(size=(N, 32)) * 0.5, np.broadcast_to(np.eye(3), (N, 3, 3)))
    camera = Camera(np.array([1000.0, 1000]), np.zeros(2), np.diag([1.0, -1, -1]), np.array([0, 0, 4.0]))
    images = camera.project(place(points, state.on(points.bones))[0])
    pinhole = Pinhole(np.ones((N, 22)), 5.0, points, camera, images)
    behind = state.changed(trans=state.trans + np.array([0, 0, 6.0]))
    solved, _ = minimise(Problem(points.bones, prior, (pinhole,)), behind, Stage(iterations=100))
    error = pinhole.error(solved.on(points.bones))
    np.testing.assert_array_equal(error[..., 2], 0)
    assert np.linalg.norm(error, axis=-1).mean() < 2  # pixels
