# SPDX-License-Identifier: Apache-2.0
"""What 2D keypoints give without a prior of poses: the rival of the solver on pictures.

Every joint's rotation is optimised on its own, together with the root and the body's place, by Levenberg-Marquardt on
the pixels. All that speaks for one of the many poses that look alike is a pull to the rest pose, whose weight was
chosen in the rival's favour on the val split. Derivatives are finite differences: no code is shared with the solver.
"""

from collections.abc import Sequence

import numpy as np

from vendor_core.body import BodyModel
from vendor_core.body.kinematics import JointTree
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import N_BODY

from .images import KEYPOINTS, NEAREST, Picture

REST_WEIGHT = 40.0  # per rad^2 beside pixels in units of their noise; of 10, 20, 40 and 80 the best on val
_NOISE = 5.0  # pixels
_YAWS = np.arange(4) * np.pi / 2  # a start each; the lowest cost wins
_ITERATIONS = 60
_STEP = 1e-5
_HEAD = 25  # joints that the keypoints hang from: the body's 22, jaw and eyes
_PELVIS = ("left_hip", "right_hip")


def joints_from_pictures(
    pictures: Sequence[Picture], body: BodyModel, rest_weight: float = REST_WEIGHT
) -> np.ndarray:  # fmt: skip
    """Joints (n, 22, 3) in metres, in the world of the pictures."""
    return np.stack([_Rival(picture, body, rest_weight).solve() for picture in pictures])


class _Rival:
    """One picture's problem; unknowns x (S, 69) of S starts: 22 rotation vectors and the pelvis' place."""

    def __init__(self, picture: Picture, body: BodyModel, rest_weight: float):
        self.picture = picture
        self.rest = body.joints_template[:_HEAD]
        self.tree = JointTree(body.parents[:_HEAD])
        self.index = [body.joint_names.index(name) for name in KEYPOINTS]
        self.pull = np.sqrt(rest_weight)

    def joints(self, x: np.ndarray) -> np.ndarray:
        """(..., 25, 3) metres."""
        R = np.broadcast_to(np.eye(3), (*x.shape[:-1], _HEAD, 3, 3)).copy()
        R[..., :N_BODY, :, :] = exp_so3(x[..., :-3].reshape(*x.shape[:-1], N_BODY, 3))
        return self.tree.positions(self.tree.global_rotations(R), self.rest, x[..., -3:] - self.rest[0])

    def residual(self, x: np.ndarray) -> np.ndarray:
        """(..., 97): pixels in units of their noise, then the pull of each joint but the root to rest."""
        pixels = self.picture.camera.project(self.joints(x)[..., self.index, :])
        apart = (pixels - self.picture.pixels) / _NOISE
        return np.concatenate([apart.reshape(*x.shape[:-1], -1), self.pull * x[..., 3:-3]], axis=-1)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """(S, 97, 69) by central differences."""
        steps = _STEP * np.eye(x.shape[-1])
        ahead, behind = (self.residual(x[:, None] + sign * steps) for sign in (1, -1))
        return np.swapaxes(ahead - behind, 1, 2) / (2 * _STEP)

    def starts(self) -> np.ndarray:
        """Upright at rest, as far away as the camera allows at least, facing each of four ways."""
        camera = self.picture.camera
        hips = self.picture.pixels[[KEYPOINTS.index(name) for name in _PELVIS]].mean(0)
        ray = np.append((hips - camera.centre) / camera.focal, 1.0)
        x = np.zeros((len(_YAWS), 3 * N_BODY + 3))
        x[:, 1] = _YAWS
        x[:, -3:] = camera.R_camera_world.T @ (1.15 * NEAREST * ray - camera.t)
        return x

    def solve(self) -> np.ndarray:
        """(22, 3) metres of the best start."""
        x = self.starts()
        r = self.residual(x)
        cost, damping = np.sum(r * r, axis=-1), np.full(len(x), 1e-2)
        for _ in range(_ITERATIONS):
            J = self.jacobian(x)
            H, g = np.swapaxes(J, 1, 2) @ J, (np.swapaxes(J, 1, 2) @ r[..., None])
            diagonal = np.einsum("sii->si", H) + 1e-6
            step = np.linalg.solve(H + (damping[:, None] * diagonal)[..., None] * np.eye(x.shape[-1]), g)[..., 0]
            r_new = self.residual(x - step)
            new_cost = np.sum(r_new * r_new, axis=-1)
            better = new_cost < cost
            if np.all(cost - new_cost < 1e-5 * cost) and better.all():
                break
            x, r = np.where(better[:, None], x - step, x), np.where(better[:, None], r_new, r)
            cost = np.where(better, new_cost, cost)
            damping = np.clip(np.where(better, damping / 4, damping * 5), 1e-7, 1e7)
        return self.joints(x[cost.argmin()])[:N_BODY]
