# SPDX-License-Identifier: Apache-2.0
"""Directions of the body that point at places in the world, or along directions of the world."""

from dataclasses import dataclass
from functools import cached_property

from ...arrays import Array, namespace
from ...linalg import matvec
from ...rotations import identity_like, skew
from ..bones import Kinematics
from ..kinematic_jacobian import ancestors_turn, point_jacobian
from ..points import BodyPoints, place
from .base import Residual
from .orientation import world_rotations

_CLOSE = 0.01  # metres from the eye within which a target shows ever less of a direction


@dataclass(frozen=True)
class Facing(Residual):
    """`R_world_joint forward - target` of K directions: about radians, 2 where they are opposite."""

    joints: tuple[int, ...]  # K indices among the bones that are solved
    forward: Array  # (K, 3) unit directions in the joints' frames; at rest these have the axes of the body
    targets: Array  # (F, K, 3) unit directions in the world, any finite number where unseen

    def per_frame(self) -> tuple[str, ...]:
        return ("confidence", "targets")

    def error(self, pose: Kinematics) -> Array:
        return _forward(pose, self.joints, self.forward) - self.targets

    def jacobian(self, pose: Kinematics) -> Array:
        return _forward_jacobian(pose, self.joints, self.forward)


@dataclass(frozen=True)
class LookAt(Residual):
    """`R_world_joint forward - v / sqrt(|v|^2 + close^2)` of P eyes, v from the eye to its target: about radians.

    A target on the eye shows no direction: there v counts for nothing, and nothing is infinite.
    """

    eyes: BodyPoints  # each on one joint, as `joint_points` and `rigid_points` make them; the direction turns with it
    forward: Array  # (P, 3) unit directions in the joints' frames; at rest these have the axes of the body
    targets: Array  # (F, P, 3) metres, any finite number where unseen

    def per_frame(self) -> tuple[str, ...]:
        return ("confidence", "targets")

    @cached_property
    def joints(self) -> tuple[int, ...]:
        """P indices of the joints that carry the eyes."""
        return tuple(self.eyes.influences[:, 0].tolist())

    def error(self, pose: Kinematics) -> Array:
        v = self.targets - place(self.eyes, pose)[0]
        return _forward(pose, self.joints, self.forward) - v / _length(v)

    def jacobian(self, pose: Kinematics) -> Array:
        """With n the length, `d(v / n) = (I - v v^T / n^2) / n dv`, and the eye moves by -dv."""
        x, y = place(self.eyes, pose)
        v = self.targets - x
        n = _length(v)
        u = v / n
        across = (identity_like(v, tuple(v.shape[:-1])) - u[..., :, None] * u[..., None, :]) / n[..., None]
        turning = _forward_jacobian(pose, self.joints, self.forward)
        return turning + across @ point_jacobian(self.eyes, pose, y)


def _forward(pose: Kinematics, joints: tuple[int, ...], forward: Array) -> Array:
    return matvec(world_rotations(pose, joints), forward)


def _forward_jacobian(pose: Kinematics, joints: tuple[int, ...], forward: Array) -> Array:
    return skew(-_forward(pose, joints, forward)) @ ancestors_turn(pose, joints)


def _length(v: Array) -> Array:
    xp = namespace(v)
    return xp.sqrt(xp.sum(v * v, axis=-1) + _CLOSE**2)[..., None]
