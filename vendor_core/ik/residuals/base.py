# SPDX-License-Identifier: Apache-2.0
"""What every kind of keypoint is to the solver: an error, its Jacobian, and how far it is to be believed.

Write a kind of your own as a subclass of `Residual`: two small functions, `error` and `jacobian`, side by side. The
loss is Geman-McClure's, `c^2 e / (c^2 + e)` with e the squared error in sigmas, or least squares where no scale c is
given; the scale is lowered by stages (graduated non-convexity: Black and Rangarajan 1996; Yang et al. 2020).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Self

from ...arrays import Array, as_kind, namespace
from ...linalg import gemm, matvec
from ..bones import Kinematics


@dataclass(frozen=True)
class Normal:
    """Gauss-Newton model of a cost, by the body tangent: `cost + 2 g.s + s.H.s`."""

    g: Array  # (F, T)
    H: Array  # (F, T, T)

    def __add__(self, other: "Normal") -> "Normal":
        return Normal(self.g + other.g, self.H + other.H)


@dataclass(frozen=True)
class Hearing:
    """How a stage listens to the targets."""

    softness: float = 1.0  # factor on every sigma
    robust: float | None = None  # sigmas at which an error is half believed; None for least squares


@dataclass(frozen=True)
class Residual(ABC):
    """K errors of d numbers each, of F frames."""

    confidence: Array  # (F, K) factor on the cost, 0 where unseen
    sigma: float  # the error that costs one unit, in its own unit: metres, radians or pixels

    @abstractmethod
    def error(self, pose: Kinematics) -> Array:
        """(F, K, d) what should be zero; finite for any pose, also where unseen."""

    @abstractmethod
    def jacobian(self, pose: Kinematics) -> Array:
        """(F, K, d, T) of the error by the body tangent (see `kinematic_jacobian`)."""

    def cost(self, pose: Kinematics, hearing: Hearing) -> Array:
        """(F,)"""
        return self.believed(self.error(pose), hearing)[0]

    def normal(self, pose: Kinematics, hearing: Hearing) -> Normal:
        """The Gauss-Newton model at a pose."""
        xp, r = namespace(pose.G), self.error(pose)
        _, w = self.believed(r, hearing)
        J = self.jacobian(pose)
        flat = (J.shape[0], J.shape[1] * J.shape[2], J.shape[3])
        J_w = xp.matrix_transpose(xp.reshape(w[..., None, None] * J, flat))
        J = xp.reshape(J, flat)
        return Normal(matvec(J_w, xp.reshape(r, (r.shape[0], -1))), gemm(J_w, J))

    def believed(self, r: Array, hearing: Hearing) -> tuple[Array, Array]:
        """The cost (F,) of errors r (F, K, d), and the weight (F, K) of each in the normal equations."""
        xp = namespace(r)
        scale = self.confidence / (self.sigma * hearing.softness) ** 2
        e = xp.sum(r * r, axis=-1)
        if hearing.robust is None:
            return xp.sum(scale * e, axis=-1), scale
        c2 = (hearing.robust * self.sigma * hearing.softness) ** 2
        q = c2 / (c2 + e)
        scale = scale * q
        return xp.sum(scale * e, axis=-1), scale * q

    def take(self, rows: Array) -> Self:
        """The frames of an index array."""
        return replace(self, **{name: getattr(self, name)[rows] for name in self.per_frame()})

    def per_frame(self) -> tuple[str, ...]:
        """Names of the fields whose first axis is the frame."""
        return ("confidence",)

    def like(self, example: Array) -> Self:
        """This residual with arrays of the kind, dtype and device of the example."""
        changed = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if hasattr(value, "like"):
                changed[f.name] = value.like(example)
            elif hasattr(value, "dtype"):
                changed[f.name] = as_kind(value, example)
        return replace(self, **changed)
