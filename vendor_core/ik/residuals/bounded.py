# SPDX-License-Identifier: Apache-2.0
"""Keypoints that pull no harder from an error on: Huber's loss (1964), quadratic up to a limit, straight beyond it.

A target that no pose reaches then pulls as hard as at its limit, and the rest of the body stays plausible.
"""

from dataclasses import dataclass

from ...arrays import Array, namespace
from .base import Hearing, Residual
from .look_at import LookAt
from .orientation import Orientation
from .position import Position


class _Bounded(Residual):
    """Errors with `limits` (F, K), in their own unit."""

    limits: Array

    def per_frame(self) -> tuple[str, ...]:
        return (*super().per_frame(), "limits")

    def believed(self, r: Array, hearing: Hearing) -> tuple[Array, Array]:
        """With k the limit and d the error: `d^2` within, `2 k d - k^2` beyond, weighed by `min(1, k / d)`."""
        xp, k = namespace(r), self.limits
        scale = self.confidence / (self.sigma * hearing.softness) ** 2
        e = xp.sum(r * r, axis=-1)
        far = e > k * k
        d = xp.sqrt(xp.where(far, e, xp.ones_like(e)))
        cost = xp.where(far, k * (2 * d - k), e)
        return xp.sum(scale * cost, axis=-1), scale * xp.where(far, k / d, xp.ones_like(e))


@dataclass(frozen=True)
class BoundedPosition(_Bounded, Position):
    """`x - target` of P points, metres."""

    limits: Array  # (F, P) metres


@dataclass(frozen=True)
class BoundedOrientation(_Bounded, Orientation):
    """`log(R_world_joint R_target^T)` of K joints, radians."""

    limits: Array  # (F, K) radians


@dataclass(frozen=True)
class BoundedLookAt(_Bounded, LookAt):
    """`R_world_joint forward - v / |v|` of P eyes, about radians."""

    limits: Array  # (F, P) radians
