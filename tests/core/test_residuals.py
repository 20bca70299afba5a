# SPDX-License-Identifier: Apache-2.0
"""Every kind of keypoint: its Jacobian against central differences, NumPy against torch, and what must not break it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.random_residuals import BODY, KINDS, N, differences, residual_of, state_of, surface, unit
from vendor_core.arrays import Array
from vendor_core.errors import TargetError
from vendor_core.ik.bones import Kinematics, bones_of
from vendor_core.ik.camera import NEAR, Camera
from vendor_core.ik.initialiser import moved_rigidly
from vendor_core.ik.points import joint_points, place
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
from vendor_core.rotations import exp_so3


@pytest.mark.parametrize(("n_joints", "n_betas"), [(22, 0), (22, 10), (55, 10)])
@pytest.mark.parametrize("kind", KINDS)
def test_jacobian(rng: np.random.Generator, kind: str, n_joints: int, n_betas: int) -> None:
    residual, state = residual_of(kind, rng, n_joints), state_of(rng, n_betas, n_joints)
    pose = state.on(bones_of(BODY, n_joints))
    if isinstance(residual, AbovePlane):  # some points above, some below
        residual = replace(residual, offset=float(np.median(residual.heights(pose)) + residual.offset) + 1e-3)
    numbers = differences(residual, state, pose)
    scale = max(1.0, np.abs(numbers).max())
    np.testing.assert_allclose(residual.jacobian(pose) / scale, numbers / scale, atol=1e-6)
    if isinstance(residual, Pinhole):
        behind = residual.error(pose)[..., 2] > 0
        assert behind.any() and not behind.all()  # both sides of the camera were compared


@pytest.mark.parametrize("angle", [0.0, 1e-7, 1e-3, 0.0999, 0.1001, 3.0, np.pi - 1e-5])
def test_jacobian_of_orientations_at_every_angle(rng: np.random.Generator, angle: float) -> None:
    state = state_of(rng, 0)
    pose = state.on(bones_of(BODY))
    away = exp_so3(angle * unit(rng.normal(size=(N, 1, 3))))
    residual = Orientation(np.ones((N, 1)), 0.1, (20,), np.swapaxes(away, -1, -2) @ pose.G[:, [20]])
    np.testing.assert_allclose(np.linalg.norm(residual.error(pose), axis=-1), angle, atol=1e-9)
    np.testing.assert_allclose(residual.jacobian(pose), differences(residual, state, pose), atol=1e-6)


@pytest.mark.parametrize("robust", [None, 0.7])
@pytest.mark.parametrize("n_betas", [0, 10])
def test_levers_give_the_model_that_the_jacobian_gives(
    rng: np.random.Generator, n_betas: int, robust: float | None
) -> None:
    position = residual_of("position", rng)
    assert isinstance(position, Position)
    position = replace(position, points=replace(position.points, pose_dirs=None))
    pose, hearing = state_of(rng, n_betas).on(position.points.bones), Hearing(1.3, robust)
    by_levers, by_jacobian = position.normal(pose, hearing), Residual.normal(position, pose, hearing)
    np.testing.assert_allclose(by_levers.g, by_jacobian.g, atol=1e-9)
    np.testing.assert_allclose(by_levers.H, by_jacobian.H, atol=1e-9)


@pytest.mark.parametrize("n_betas", [0, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_torch_and_single_precision(rng: np.random.Generator, kind: str, n_betas: int) -> None:
    torch = pytest.importorskip("torch")
    residual, state, hearing = residual_of(kind, rng), state_of(rng, n_betas), Hearing(1.2, 0.8)
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
    residual, pose, rows = residual_of(kind, rng), state_of(rng, 0).on(bones_of(BODY)), np.array([2, 0])
    np.testing.assert_array_equal(residual.take(rows).error(pose.take(rows)), residual.error(pose)[rows])
    np.testing.assert_allclose(residual.take(rows).jacobian(pose.take(rows)), residual.jacobian(pose)[rows], atol=1e-9)


@settings(max_examples=25)
@given(
    st.sampled_from(KINDS),
    st.lists(st.floats(-3, 3), min_size=3, max_size=3).map(np.array),
    st.lists(st.floats(-10, 10), min_size=3, max_size=3).map(np.array),
)
def test_moving_body_and_targets_together_changes_no_error(kind: str, turn: np.ndarray, t: np.ndarray) -> None:
    rng, R = np.random.default_rng(5), exp_so3(turn)
    residual, state, bones = residual_of(kind, rng), state_of(rng, 0), bones_of(BODY)
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
    pose = state_of(rng, 0).on(bones_of(BODY))
    for axis in (*np.eye(3), unit(rng.normal(size=3))):
        residual = Orientation(np.ones((N, 1)), 0.1, (15,), exp_so3(np.pi * axis) @ pose.G[:, [15]])
        np.testing.assert_allclose(np.linalg.norm(residual.error(pose), axis=-1), np.pi, atol=1e-6)
        assert _all_finite(residual, pose)
    assert _all_finite(replace(residual, targets=np.zeros((N, 1, 3, 3)), confidence=np.zeros((N, 1))), pose)


def test_a_target_on_the_eye(rng: np.random.Generator) -> None:
    bones = bones_of(BODY)
    pose, eyes = state_of(rng, 0).on(bones), joint_points(BODY, [15], bones)
    for apart in (0.0, 1e-12, 1e-3):
        residual = LookAt(np.ones((N, 1)), 0.1, eyes, np.eye(3)[:1], place(eyes, pose)[0] + apart)
        assert _all_finite(residual, pose)
        assert (np.linalg.norm(residual.error(pose), axis=-1) <= 2).all()


@pytest.mark.parametrize("depth", [-1e4, -1.0, -1e-9, 0.0, NEAR])
def test_a_point_at_or_behind_the_camera(rng: np.random.Generator, depth: float) -> None:
    bones, single = bones_of(BODY), np.zeros(1, np.float32)
    state, head = state_of(rng, 0), joint_points(BODY, [15], bones)
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
        OnPlane(np.ones((1, 7)), 0.01, surface(BODY, 22), up)
