# SPDX-License-Identifier: Apache-2.0
"""Points of the body seen by a camera."""

from dataclasses import dataclass, replace
from typing import Self

from ...arrays import Array, namespace
from ..bones import Kinematics
from ..camera import NEAR, Camera, inverse_depth
from ..kinematic_jacobian import point_jacobian
from ..points import BodyPoints, place
from .base import Residual


@dataclass(frozen=True)
class Pinhole(Residual):
    """`[image - target, too near]` of P points, pixels.

    The third number is 0 for points before the camera; from `NEAR` backwards it grows by a focal length every `NEAR`,
    so that no point gains by hiding behind the camera and those that are there are drawn out.
    """

    points: BodyPoints
    camera: Camera
    targets: Array  # (F, P, 2) pixels, any finite number where unseen

    def per_frame(self) -> tuple[str, ...]:
        return ("confidence", "targets")

    def take(self, rows: Array) -> Self:
        return replace(super().take(rows), camera=self.camera.take(rows))

    def error(self, pose: Kinematics) -> Array:
        xp, focal = namespace(pose.G), self.camera.focal
        p = self.camera.in_camera(place(self.points, pose)[0])
        z = p[..., 2:]
        image = p[..., :2] * inverse_depth(z)[0] * focal + self.camera.centre
        too_near = xp.where(z < NEAR, 1 - z / NEAR, xp.zeros_like(z)) * xp.mean(focal)
        return xp.concat([image - self.targets, too_near], axis=-1)

    def jacobian(self, pose: Kinematics) -> Array:
        """The slope of the error by the point in the camera's frame, times that frame, times the point's Jacobian."""
        xp, focal, R = namespace(pose.G), self.camera.focal, self.camera.R_camera_world
        x, y = place(self.points, pose)
        p = self.camera.in_camera(x)
        z = p[..., 2:]
        inverse, slope = inverse_depth(z)
        zero, near = xp.zeros_like(z), xp.where(z < NEAR, -xp.ones_like(z) / NEAR, xp.zeros_like(z)) * xp.mean(focal)
        sideways = inverse * focal
        forward = p[..., :2] * slope * focal
        rows = [
            xp.concat([sideways[..., :1], zero, forward[..., :1]], axis=-1),
            xp.concat([zero, sideways[..., 1:], forward[..., 1:]], axis=-1),
            xp.concat([zero, zero, near], axis=-1),
        ]
        R = R[:, None] if R.ndim == 3 else R
        return (xp.stack(rows, axis=-2) @ R) @ point_jacobian(self.points, pose, y)
