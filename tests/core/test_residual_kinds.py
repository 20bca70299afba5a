# SPDX-License-Identifier: Apache-2.0
"""Kinds of keypoints together, and one of a user's own."""

from dataclasses import dataclass

import numpy as np
import pytest

from tests.core.random_residuals import BODY, N, differences, state_of
from tests.core.synthetic_prior import random_prior
from vendor_core.arrays import Array, namespace
from vendor_core.body import default_body
from vendor_core.ik.bones import Kinematics, bones_of
from vendor_core.ik.camera import Camera
from vendor_core.ik.kinematic_jacobian import point_jacobian
from vendor_core.ik.points import BodyPoints, joint_points, place
from vendor_core.ik.problem import Problem, Stage
from vendor_core.ik.residuals import (
    AbovePlane,
    LookAt,
    Orientation,
    Pinhole,
    Position,
    Residual,
)
from vendor_core.ik.solver import minimise
from vendor_core.ik.state import explained, rest_state
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import joint_index


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
    state = state_of(rng, 0)
    pose = state.on(bones)
    np.testing.assert_allclose(apart.jacobian(pose), differences(apart, state, pose), atol=1e-6)
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
