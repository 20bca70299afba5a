# SPDX-License-Identifier: Apache-2.0
"""The cost of a pose: distances of points to their targets, and what the prior, residuals and shape ask.

`cost = sum_i w_i rho(|x_i - target_i|^2) / sigma^2 + w_z |z - anchor|^2 + w_delta |delta|^2 + w_beta |betas|^2`, with
`rho(e) = e`, or Geman-McClure's `c^2 e / (c^2 + e)`, whose scale c is lowered by stages (graduated non-convexity,
Black and Rangarajan 1996; Yang et al. 2020).
"""

from dataclasses import dataclass, field, replace

import numpy as np

from ..arrays import Array, as_kind, namespace
from ..linalg import gemm, matvec
from ..prior.base import Prior
from .kinematic_jacobian import Kinematics, point_jacobian, point_positions, pose_joints
from .points import BodyPoints
from .state import PoseState, Unknowns, rotations_with_jacobian, tangent_map


@dataclass(frozen=True)
class Weights:
    """How much each term of the cost counts."""

    sigma: float = 0.003  # metres: the error of a target that costs as much as one unit of the latent
    latent: float = 1.0
    residual: float = 40.0  # per rad^2: one unit at 0.16 rad
    betas: float = 1.0


@dataclass(frozen=True)
class Stage:
    """One minimisation: what is free, how terms are weighed, how long."""

    unknowns: Unknowns = field(default_factory=Unknowns)
    weights: Weights = field(default_factory=Weights)
    robust_scale: float | None = None  # metres; None for least squares
    iterations: int = 20
    damping: float = 0.1  # at the start; 1e-3 where the start is known to be near
    tolerance: float = 1e-4  # predicted decrease, relative to the cost, below which a frame is done


@dataclass(frozen=True)
class Quadratic:
    """Gauss-Newton model of the cost at a state: `cost + 2 g.s + s.H.s`."""

    cost: Array  # (F,)
    g: Array  # (F, D)
    H: Array  # (F, D, D)


@dataclass(frozen=True)
class Linearised:
    """Points at a state and their first-order movement."""

    pose: Kinematics
    r: Array  # (F, P, 3) residuals, metres
    rho: Array  # (F, P) loss
    w: Array  # (F, P) weight of each residual
    J: Array  # (F, 3 P, 69 [+ B]) by the body tangent
    M: Array  # (F, 69 [+ B], D) the body tangent by a step


@dataclass(frozen=True)
class Objective:
    """Targets of F frames for P points of a body."""

    points: BodyPoints
    prior: Prior
    targets: Array  # (F, P, 3) metres, any finite number where unseen
    confidence: Array  # (F, P), 0 where unseen
    anchor: Array | None = None  # (F, L) the latents expected; None for the prior's centre

    def take(self, rows: Array) -> "Objective":
        """The frames of an index array."""
        anchor = None if self.anchor is None else self.anchor[rows]
        return replace(self, targets=self.targets[rows], confidence=self.confidence[rows], anchor=anchor)

    def place(self, state: PoseState) -> Array:
        """Where the points are, (F, P, 3)."""
        betas = state.betas if state.betas.shape[1] else None
        pose = pose_joints(self.points, state.rotations(self.prior), state.trans, betas)
        return point_positions(self.points, pose, betas)[0]

    def linearised(self, state: PoseState, stage: Stage, with_betas: bool) -> "Linearised":
        """The points at a state, and how they move to first order.

        Args:
            state: F frames.
            stage: names the unknowns of a step.
            with_betas: append the betas' columns to the Jacobian by the body tangent.
        """
        xp = namespace(state.z)
        betas = state.betas if state.betas.shape[1] else None
        R_local, W, delta_jacobian = rotations_with_jacobian(state, self.prior)
        pose = pose_joints(self.points, R_local, state.trans, betas)
        x, y = point_positions(self.points, pose, betas)
        J = point_jacobian(self.points, pose, y, with_betas)
        r = x - self.targets
        rho, w = self.loss(xp.sum(r * r, axis=-1), stage)
        n_betas = state.betas.shape[1] if stage.unknowns.betas else 0
        M = tangent_map(W, delta_jacobian, pose.G, stage.unknowns, n_betas)
        return Linearised(pose, r, rho, w, xp.reshape(J, (J.shape[0], -1, J.shape[-1])), M)

    def quadratic(self, state: PoseState, stage: Stage) -> Quadratic:
        """Cost, gradient and Gauss-Newton Hessian with respect to a step of the stage's unknowns."""
        return self.quadratic_of(self.linearised(state, stage, stage.unknowns.betas), state, stage)

    def quadratic_of(self, linear: "Linearised", state: PoseState, stage: Stage) -> Quadratic:
        """The quadratic model that a linearisation at the same state and stage gives."""
        xp, n_frames = namespace(state.z), len(state)
        J = linear.J[..., : linear.M.shape[1]]
        weights = xp.reshape(xp.broadcast_to(linear.w[..., None], linear.r.shape), (n_frames, -1, 1))
        J_weighted, M_t = xp.matrix_transpose(weights * J), xp.matrix_transpose(linear.M)
        H = gemm(M_t, gemm(gemm(J_weighted, J), linear.M))
        g = matvec(M_t, matvec(J_weighted, xp.reshape(linear.r, (n_frames, -1))))
        v, ridge = state.vector(stage.unknowns, self.anchor), _ridge(state, stage)
        cost = xp.sum(linear.rho, axis=-1) + xp.sum(ridge * v * v, axis=-1)
        return Quadratic(cost, g + ridge * v, H + as_kind(np.eye(v.shape[-1]), v) * ridge)

    def loss(self, e: Array, stage: Stage) -> tuple[Array, Array]:
        """Loss (F, P) of squared distances and its derivative, the weight of each residual."""
        scale = self.confidence / stage.weights.sigma**2
        if stage.robust_scale is None:
            return scale * e, scale
        c2 = stage.robust_scale**2
        q = c2 / (c2 + e)
        return scale * e * q, scale * q * q


def _ridge(state: PoseState, stage: Stage) -> Array:
    """Weight (D,) of each unknown's square; none on root orientation and translation."""
    parts = [np.full(state.z.shape[1], stage.weights.latent)]
    if stage.unknowns.residual:
        parts.append(np.full(3 * state.delta.shape[1], stage.weights.residual))
    parts.append(np.zeros(6))
    if stage.unknowns.betas:
        parts.append(np.full(state.betas.shape[1], stage.weights.betas))
    return as_kind(np.concatenate(parts), state.z)
