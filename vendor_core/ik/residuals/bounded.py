# SPDX-License-Identifier: Apache-2.0
"""Points of the body at places in the world that pull no harder from a distance on."""

from dataclasses import dataclass

from ...arrays import Array, namespace
from .base import Hearing
from .position import Position


@dataclass(frozen=True)
class BoundedPosition(Position):
    """`x - target` of P points, metres, by Huber's loss (1964): quadratic up to a limit, straight beyond it.

    A target that no pose reaches then pulls as hard at its limit as at any distance, and what else is held stays.
    """

    limits: Array  # (F, P) metres

    def per_frame(self) -> tuple[str, ...]:
        return (*super().per_frame(), "limits")

    def believed(self, r: Array, hearing: Hearing) -> tuple[Array, Array]:
        """With k the limit and d the distance: `d^2` within, `2 k d - k^2` beyond, weighed by `min(1, k / d)`."""
        xp, k = namespace(r), self.limits
        scale = self.confidence / (self.sigma * hearing.softness) ** 2
        e = xp.sum(r * r, axis=-1)
        far = e > k * k
        d = xp.sqrt(xp.where(far, e, xp.ones_like(e)))
        cost = xp.where(far, k * (2 * d - k), e)
        return xp.sum(scale * cost, axis=-1), scale * xp.where(far, k / d, xp.ones_like(e))
