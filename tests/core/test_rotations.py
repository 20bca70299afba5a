# SPDX-License-Identifier: Apache-2.0
"""Rotations: group axioms, round trips also near 0 and pi, Jacobians against finite differences, torch parity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from vendor_core import rotations as rot

vectors = st.lists(st.floats(-1, 1), min_size=3, max_size=3).filter(lambda v: np.linalg.norm(v) > 1e-3)
angles = st.one_of(st.floats(0, np.pi - 1e-7), st.floats(0, 1e-6), st.floats(np.pi - 1e-4, np.pi - 1e-7))


@settings(max_examples=200)
@given(vectors, angles)
def test_exp_and_log_agree_with_scipy_everywhere(axis: list[float], angle: float) -> None:
    w = np.array(axis) / np.linalg.norm(axis) * angle
    R = rot.exp_so3(w)
    np.testing.assert_allclose(R, Rotation.from_rotvec(w).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(rot.log_so3(R), w, atol=1e-8)


@settings(max_examples=100)
@given(vectors, angles)
def test_quaternions_round_trip(axis: list[float], angle: float) -> None:
    R = rot.exp_so3(np.array(axis) / np.linalg.norm(axis) * angle)
    q = rot.matrix_to_quaternion(R)
    assert abs(np.linalg.norm(q) - 1) < 1e-12
    assert q[0] >= 0
    np.testing.assert_allclose(rot.quaternion_to_matrix(q), R, atol=1e-9)


@pytest.mark.parametrize("size", [1e-9, 0.01, 2.5, 40.0])
def test_small_turns_are_rotations_and_agree_to_second_order(rng: np.random.Generator, size: float) -> None:
    w = rng.normal(size=(20, 3)) * size
    R = rot.small_turn(w)
    np.testing.assert_allclose(R @ np.swapaxes(R, 1, 2), np.broadcast_to(np.eye(3), R.shape), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(R), 1, atol=1e-12)
    if size < 0.1:
        np.testing.assert_allclose(R, rot.exp_so3(w), atol=5 * size**3 + 1e-15)


def test_six_numbers_give_back_their_rotation(rng: np.random.Generator) -> None:
    R = rot.exp_so3(rng.normal(size=(5, 4, 3)))
    scaled = np.stack([R[..., 0] * 2, R[..., 1] * 0.3 + R[..., 0]], -1)
    np.testing.assert_allclose(rot.rotation_from_6d(scaled), R, atol=1e-12)


def test_gradient_is_finite_at_the_identity() -> None:
    torch = pytest.importorskip("torch")
    w = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    rot.log_so3(rot.exp_so3(w)).sum().backward()
    np.testing.assert_allclose(w.grad, np.ones((2, 3)), atol=1e-9)


def test_gradients_of_half_turns_are_finite() -> None:
    torch = pytest.importorskip("torch")
    R = torch.as_tensor(rot.exp_so3(np.pi * np.eye(3)))
    R[0] = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    R.requires_grad_(True)
    rot.log_so3(R).sum().backward()
    assert torch.isfinite(R.grad).all()
