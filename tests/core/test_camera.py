# SPDX-License-Identifier: Apache-2.0
"""The pinhole camera: what it refuses, and where it puts a body of which only an image is known."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vendor_core.body import default_body
from vendor_core.errors import TargetError
from vendor_core.ik.camera import NEAR, Camera, place_before
from vendor_core.rotations import exp_so3

JOINTS = default_body().joints_template[:22].astype(np.float64)
_TURNED = exp_so3(np.array([np.pi, 0, 0]))  # looks along -Z of a world with Y up
N = 4


def _camera(rng: np.random.Generator) -> Camera:
    R = exp_so3(rng.normal(size=(N, 3)) * 0.2) @ _TURNED
    return Camera(np.array([900.0, 1000.0]), np.array([480.0, 320.0]), R, rng.normal(size=(N, 3)))


def _before(camera: Camera, depth: float, rng: np.random.Generator) -> np.ndarray:
    """The body's joints (N, 22, 3) at about a depth, anywhere in the picture."""
    R, t = camera.R_camera_world, camera.t_camera_world
    there = rng.normal(size=(N, 3)) * 0.3 + [0, 0, depth]
    return JOINTS + (np.swapaxes(R, -1, -2) @ (there - t)[..., None])[..., 0][:, None]


def test_projection() -> None:
    camera = Camera(np.array([500.0, 600.0]), np.array([320.0, 240.0]), np.eye(3), np.array([0, 0, 1.0]))
    seen = camera.project(np.array([[[0, 0, 1.0], [1.0, -0.5, 3.0]]]))
    np.testing.assert_allclose(seen, [[[320, 240], [320 + 500 / 4, 240 - 600 / 8]]])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("focal", np.array([0.0, 900]), "focal length"), ("focal", np.array([900, np.nan]), "focal length"),
        ("focal", np.array([-900.0, 900]), "focal length"), ("focal", np.array([900.0]), "focal length"),
        ("centre", np.array([np.inf, 0]), "principal point"), ("R_camera_world", np.zeros((3, 3)), "no rotation"),
        ("R_camera_world", np.diag([1.0, 1, -1]), "no rotation"), ("R_camera_world", 2 * np.eye(3), "no rotation"),
        ("R_camera_world", np.full((2, 3, 3), np.nan), "no rotation"), ("R_camera_world", np.eye(4), "shape"),
        ("t_camera_world", np.full(3, np.nan), "not finite"), ("t_camera_world", np.zeros(2), "shape"),
    ],
)  # fmt: skip
def test_what_is_no_camera(name: str, value: np.ndarray, message: str) -> None:
    good: dict[str, Any] = {
        "focal": np.full(2, 900.0), "centre": np.zeros(2), "R_camera_world": np.eye(3), "t_camera_world": np.zeros(3),
    }  # fmt: skip
    Camera(**good)
    with pytest.raises(TargetError, match=message):
        Camera(**good | {name: value})


@pytest.mark.parametrize("moved", [0.0, 2.0, -9.0])
def test_a_known_pose_is_placed_exactly(rng: np.random.Generator, moved: float) -> None:
    """From anywhere, even from behind the camera, and from a part of its points."""
    camera = _camera(rng)
    true = _before(camera, 4.0, rng)
    confidence = (rng.random((N, 22)) > 0.5) * rng.random((N, 22))
    pixels = np.where(confidence[..., None] > 0, camera.project(true), np.nan)
    shift = rng.normal(size=(N, 3)) + moved * camera.R_camera_world[:, 2]
    found = place_before(camera, true + shift[:, None], pixels, confidence)
    np.testing.assert_allclose(found, -shift, atol=1e-9)


def test_noise_moves_the_place_a_little(rng: np.random.Generator) -> None:
    camera = _camera(rng)
    true = _before(camera, 4.0, rng)
    pixels = camera.project(true) + rng.normal(size=(N, 22, 2)) * 5
    assert np.abs(place_before(camera, true, pixels, np.ones((N, 22)))).max() < 0.3


@pytest.mark.parametrize("axis", [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
def test_a_body_turned_the_wrong_way_keeps_its_distance(rng: np.random.Generator, axis: list[float]) -> None:
    camera = _camera(rng)
    true = _before(camera, 4.0, rng)
    centre = true.mean(1, keepdims=True)
    turned = centre + (true - centre) @ exp_so3(np.pi * np.array(axis, float)).T
    shift = place_before(camera, turned, camera.project(true), np.ones((N, 22)))
    depth = camera.in_camera(turned + shift[:, None])[..., 2].mean(1)
    np.testing.assert_allclose(depth, camera.in_camera(true)[..., 2].mean(1), rtol=0.3)


@settings(max_examples=50)
@given(st.integers(0, 2**31), st.integers(0, 22), st.sampled_from([1e-9, 1.0, 300.0, 1e5]))
def test_what_is_seen_ends_before_the_camera(seed: int, n_seen: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    camera, confidence = _camera(rng), np.zeros((N, 22))
    confidence[:, rng.permutation(22)[:n_seen]] = 1
    pixels = rng.normal(size=(N, 22, 2)) * spread
    start = JOINTS + rng.normal(size=(N, 1, 3)) * 3
    shift = place_before(camera, start, pixels, confidence)
    assert np.isfinite(shift).all()
    depth = camera.in_camera(start + shift[:, None])[..., 2]
    assert (depth[confidence > 0] > NEAR).all()
    if n_seen == 0:
        np.testing.assert_array_equal(shift, 0)
    if n_seen == 1:
        image = camera.project(start + shift[:, None])
        np.testing.assert_allclose(image[confidence > 0], pixels[confidence > 0], atol=1e-6 * max(1, spread))


def test_torch_puts_it_there_too(rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    camera, like = _camera(rng), torch.zeros(1, dtype=torch.float64)
    true = _before(camera, 4.0, rng)
    pixels = camera.project(true) + rng.normal(size=(N, 22, 2))
    pixels[0, 3] = np.nan
    arrays = (true + 1, pixels, rng.random((N, 22)))
    theirs = place_before(camera.like(like), *(torch.as_tensor(a) for a in arrays))
    np.testing.assert_allclose(theirs, place_before(camera, *arrays), atol=1e-9)


def test_numbers_in_lists_make_the_same_camera() -> None:
    listed = Camera([900.0, 800.0], (320.0, 240.0), np.eye(3).tolist(), [0, 0, 4])
    camera = Camera(np.array([900.0, 800.0]), np.array([320.0, 240.0]), np.eye(3), np.array([0, 0, 4]))
    p_world = np.array([[[0.3, -0.2, 1.0]]])
    np.testing.assert_array_equal(listed.project(p_world), camera.project(p_world))
