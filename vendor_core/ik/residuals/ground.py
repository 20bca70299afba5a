# SPDX-License-Identifier: Apache-2.0
"""Points of the body on a plane, such as the ground, or not below it."""

from dataclasses import dataclass

import numpy as np

from ...arrays import Array, as_float64, namespace
from ...errors import TargetError
from ..bones import Kinematics
from ..kinematic_jacobian import point_jacobian
from ..points import BodyPoints, place
from .base import Residual


@dataclass(frozen=True)
class OnPlane(Residual):
    """The height `up . x - offset` of P points above a plane, metres: contact.

    Raises:
        TargetError: `up` is no unit vector.
    """

    points: BodyPoints
    up: Array  # (3,) the plane's normal, a unit vector in the world
    offset: float = 0.0  # metres from the world's origin to the plane, along `up`

    def __post_init__(self) -> None:
        if type(self.up) is not np.ndarray:  # made by `like` from one that was checked
            return
        up = as_float64(self.up)
        if up.shape != (3,) or not abs(np.linalg.norm(up) - 1) < 1e-3 or not np.isfinite(self.offset):
            raise TargetError(
                f"a plane of normal {up.tolist()} and offset {self.offset}; expected a unit vector and metres"
            )

    def heights(self, pose: Kinematics) -> Array:
        """(F, P, 1) metres above the plane."""
        return place(self.points, pose)[0] @ self.up[:, None] - self.offset

    def error(self, pose: Kinematics) -> Array:
        return self.heights(pose)

    def jacobian(self, pose: Kinematics) -> Array:
        y = place(self.points, pose)[1]
        return self.up[None, :] @ point_jacobian(self.points, pose, y)


@dataclass(frozen=True)
class AbovePlane(OnPlane):
    """How far P points are below a plane, 0 for those above it: what is on the ground may leave it, never sink in."""

    def error(self, pose: Kinematics) -> Array:
        xp, height = namespace(pose.G), self.heights(pose)
        return xp.where(height < 0, height, xp.zeros_like(height))

    def jacobian(self, pose: Kinematics) -> Array:
        xp, J = namespace(pose.G), super().jacobian(pose)
        return xp.where(self.heights(pose)[..., None] < 0, J, xp.zeros_like(J))
