# SPDX-License-Identifier: Apache-2.0
"""Joints turned to given orientations in the world."""

from dataclasses import dataclass
from functools import lru_cache

from ...arrays import Array, Constant, namespace
from ...rotations import identity_like, log_so3, skew
from ..bones import Kinematics
from ..kinematic_jacobian import ancestors_turn
from .base import Residual

_SMALL = 0.1  # radians below which a series is more exact than the difference of two quotients it replaces


@dataclass(frozen=True)
class Orientation(Residual):
    """`log(R_world_joint R_target^T)` of K joints: the turn from the target, a rotation vector in world axes, radians.

    At a turn of pi the vector may point either way, at the same cost.
    """

    joints: tuple[int, ...]  # K indices among the bones that are solved
    targets: Array  # (F, K, 3, 3) world rotations, any finite matrix where unseen

    def per_frame(self) -> tuple[str, ...]:
        return ("confidence", "targets")

    def error(self, pose: Kinematics) -> Array:
        R_target_world = namespace(pose.G).matrix_transpose(self.targets)
        return log_so3(world_rotations(pose, self.joints) @ R_target_world)

    def jacobian(self, pose: Kinematics) -> Array:
        return inverse_left_jacobian(self.error(pose)) @ ancestors_turn(pose, self.joints)


def world_rotations(pose: Kinematics, joints: tuple[int, ...]) -> Array:
    """World rotations (F, K, 3, 3) of K joints."""
    return pose.G[:, _index(joints).like(pose.G)]


@lru_cache(maxsize=64)
def _index(joints: tuple[int, ...]) -> Constant:
    return Constant(list(joints))


def inverse_left_jacobian(r: Array) -> Array:
    """J (..., 3, 3) in `log(exp(w) exp(r)) ~ r + J w` for rotation vectors r (..., 3), |r| < 2 pi.

    `I - K / 2 + (1 - t / 2 cot(t / 2)) / t^2 K^2` with K = skew(r), t = |r| (Barfoot, "State Estimation for Robotics",
    ch. 7), written with the half angle so that it is finite at pi.
    """
    xp = namespace(r)
    t2 = xp.sum(r * r, axis=-1)[..., None, None]
    small = t2 < _SMALL**2
    safe2 = xp.where(small, xp.ones_like(t2), t2)
    half = 0.5 * xp.sqrt(safe2)
    quotient = (1 - half * xp.cos(half) / xp.sin(half)) / safe2
    c = xp.where(small, 1 / 12 + t2 / 720 + t2 * t2 / 30240, quotient)
    K = skew(r)
    return identity_like(r, tuple(r.shape[:-1])) - 0.5 * K + c * (K @ K)
