# SPDX-License-Identifier: Apache-2.0
"""The worker's job for motion seen by a camera: the person's motion, and one line for what cannot be solved."""

from typing import Any

import numpy as np
import pytest

from vendor_core.body import body_from_joints, default_body
from vendor_core.errors import PoiseError
from vendor_core.ik import Camera
from vendor_core.jobs import JOBS
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import BODY_JOINTS

N = 24
REST = default_body().rest_joints()[:22]
CAMERA = Camera(np.full(2, 1400.0), np.array([960.0, 540]), np.diag([1.0, -1, -1]), np.array([0, 1.0, 5]))


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """Joints (24, 22, 3) of a body with Y up, that turns a little."""
    prior, t = load_prior(), np.linspace(0, 2, N)[:, None]
    a, b = prior.sample(2, seed=6)
    root = exp_so3(np.concatenate([0 * t, 0.3 * np.sin(t), 0 * t], axis=1))
    R = np.concatenate([root[:, None], prior.decode(0.5 * a + 0.4 * np.sin(t) * b)], axis=1)
    return body_from_joints(REST).pose(R, np.concatenate([0.3 * t, 0 * t + 1, 0 * t], axis=1)).joints[:, :22]


def params(truth: np.ndarray, **changed: Any) -> dict[str, Any]:
    return {
        "joints": list(BODY_JOINTS), "pixels": CAMERA.project(truth), "sigma": 3.0, "rate": 24.0, "rest_joints": REST,
        "focal": CAMERA.focal, "centre": CAMERA.centre,
        "R_camera_world": CAMERA.R_camera_world, "t_camera_world": CAMERA.t_camera_world,
    } | changed  # fmt: skip


def test_the_motion_that_the_camera_saw(truth: np.ndarray) -> None:
    told: list[float] = []
    data, arrays = JOBS["pictures"](params(truth), lambda fraction, text: told.append(fraction))
    found = body_from_joints(REST).pose(arrays["R_local"], arrays["trans"]).joints[:, :22]
    assert np.linalg.norm((found - found[:, :1]) - (truth - truth[:, :1]), axis=-1).mean() < 0.04
    assert data["missed"] < 3 and arrays["status"].tolist() == [0] * N
    assert told == sorted(told) and told[0] == 0 and told[-1] == 1


def test_frames_in_which_nothing_is_seen_are_bridged(truth: np.ndarray) -> None:
    pixels = CAMERA.project(truth)
    pixels[10:14] = np.nan
    _, arrays = JOBS["pictures"](params(truth, pixels=pixels), lambda fraction, text: None)
    found = body_from_joints(REST).pose(arrays["R_local"], arrays["trans"]).joints[:, :22]
    assert (arrays["status"] > 0).sum() == 4
    assert np.linalg.norm((found - found[:, :1]) - (truth - truth[:, :1]), axis=-1)[10:14].mean() < 0.06


def test_tracks_that_slip_are_not_believed(truth: np.ndarray, rng: np.random.Generator) -> None:
    pixels = CAMERA.project(truth)
    slipped = rng.random(pixels.shape[:2]) < 0.04
    pixels[slipped] += 120 * rng.normal(size=(slipped.sum(), 2))
    pixels[8:16, BODY_JOINTS.index("left_elbow")] += 100
    data, arrays = JOBS["pictures"](params(truth, pixels=pixels), lambda fraction, text: None)
    found = body_from_joints(REST).pose(arrays["R_local"], arrays["trans"]).joints[:, :22]
    assert np.linalg.norm((found - found[:, :1]) - (truth - truth[:, :1]), axis=-1).mean() < 0.05
    assert 0.03 < data["astray"] < 0.08


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"pixels": np.full((N, 22, 2), np.nan)}, "no target is seen"),
        ({"joints": ["nose"] * 22}, '"nose" is no joint'),
        ({"focal": np.zeros(2)}, "focal length"), ({"rest_joints": REST[:3]}, "Rest joints"),
        ({"R_camera_world": np.tile(np.eye(3), (5, 1, 1))}, "5 frames"), ({"rate": "fast"}, '"rate" is'),
        ({"sigma": 0.0}, "sigma"), ({"pixels": None}, "expected an array"),
    ],
)  # fmt: skip
def test_what_cannot_be_solved(truth: np.ndarray, changed: dict[str, Any], line: str) -> None:
    with pytest.raises(PoiseError, match=line):
        JOBS["pictures"](params(truth, **changed), lambda fraction, text: None)
