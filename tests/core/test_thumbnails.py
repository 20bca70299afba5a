# SPDX-License-Identifier: Apache-2.0
"""Pictures of poses: a body without holes, facing the viewer, in the places where the pose puts it."""

import numpy as np
import pytest

from vendor_core.body.thumbnails import thumbnails
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import JOINTS

REST = np.broadcast_to(np.eye(3), (55, 3, 3))


def _with(**turns: tuple[float, float, float]) -> np.ndarray:
    R = REST.copy()
    for joint, vector in turns.items():
        R[JOINTS.index(joint)] = exp_so3(np.array(vector))
    return R


def test_the_body_is_drawn_without_holes_on_nothing() -> None:
    (picture,) = thumbnails(_with(left_shoulder=(0, 0, -1.2), right_shoulder=(0, 0, 1.2))[None], 128)
    alpha = picture[..., 3]
    assert picture.shape == (128, 128, 4) and picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 1 and np.isfinite(picture).all()
    assert (alpha[:3] == 0).all() and (alpha[:, :3] == 0).all() and 0.08 < alpha.mean() < 0.4
    around = [np.roll(alpha, shift, axis) for shift in (-1, 1) for axis in (0, 1)]
    inside = np.min(around, axis=0) > 0.9
    assert alpha[inside].min() > 0.7 and (alpha[inside] < 0.9).mean() < 0.02


def test_an_arm_that_rises_rises_in_the_picture() -> None:
    down, up = thumbnails(np.stack([_with(left_shoulder=(0, 0, a), right_shoulder=(0, 0, 1.2)) for a in (-1.2, 0.0)]))
    rows = np.arange(128)[:, None]

    def mean_height(picture: np.ndarray) -> float:
        return float((picture[..., 3] * rows).sum() / picture[..., 3].sum())

    assert mean_height(up) > mean_height(down)  # the first row is the lowest


@pytest.mark.parametrize("heading", [1.0, np.pi, -2.2])
def test_the_body_faces_the_viewer_wherever_it_faces(heading) -> None:
    pose = _with(left_shoulder=(0, 0, -0.9), left_knee=(0.9, 0, 0))
    turned = pose.copy()
    turned[0] = exp_so3(np.array([0, heading, 0]))
    straight, other = thumbnails(np.stack([pose, turned]))
    assert np.abs(straight - other).mean() < 2e-3


def test_lying_is_not_stood_up() -> None:
    lying = REST.copy()
    lying[0] = exp_so3(np.array([-np.pi / 2, 0, 0]))
    (picture,) = thumbnails(lying[None])
    rows = np.flatnonzero(picture[..., 3].any(1))
    assert np.ptp(rows) < 110
