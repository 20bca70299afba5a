# SPDX-License-Identifier: Apache-2.0
"""How the prior pulls at rotations, and how the latent is solved for beside them without a system of its own.

Cost `w_z |z - a|^2 + w_d sum_j |R_j - D_j(z)|_F^2 / 2`, D the decoder; half the squared chord is `2 (1 - cos angle)`,
the squared angle for small ones, and smooth everywhere. With world-axis steps u of the joints and `B = G_parent D W`,
the decoder's angular velocities, the model is `w_z |z - a + dz|^2 + w_d |s + u - B dz|^2`; its minimum over dz is a
quadratic in u, `w_d I - w_d^2 B K^-1 B^T` with `K = w_z I + w_d B^T B`: the Schur complement of the latent, 32 x 32.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, Constant, eye, namespace
from ..linalg import gemm, matvec, solve_spd
from ..prior.base import Prior
from ..rotations import vee
from ..skeleton import BODY_PARENTS, N_BODY, N_POSE
from .bones import Kinematics

BODY_COLUMNS = slice(3, 3 + 3 * N_POSE)
"""The body joints' columns of the tangent, which the prior pulls at."""
_NEAR = 0.75  # of each latent, whose spread is about 1: the decoder is smooth
_PARENTS = Constant([max(p, 0) for p in BODY_PARENTS[1:]])


PullWeights = tuple[float, float]
"""w_z and w_d: of the latent, and of a body joint's turn from the prior."""


@dataclass(frozen=True)
class Slopes:
    """The decoder's Jacobians, kept while the latent stays near: they shape steps, not what a solve converges to."""

    z: Array  # (F, L) where they were taken
    W: Array  # (F, 21, 3, L) body-frame angular velocities
    K_inverse: Array  # (F, L, L) of `w_z I + w_d W^T W`, which no rotation of the joints changes
    weights: PullWeights

    def take(self, rows: Array) -> "Slopes":
        """The frames of an index array."""
        return Slopes(self.z[rows], self.W[rows], self.K_inverse[rows], self.weights)

    def at(self, prior: Prior, z: Array) -> "Slopes":
        """These where they still hold at latents z (F, L), taken anew elsewhere."""
        xp = namespace(z)
        far = xp.max(xp.abs(z - self.z), axis=-1) > _NEAR
        if not bool(xp.any(far)):
            return self
        rows = xp.nonzero(far)[0]
        if len(rows) == len(z):
            return slopes(prior, z, self.weights)
        anew = slopes(prior, z[rows], self.weights)
        arrays = [xp.asarray(x, copy=True) for x in (self.z, self.W, self.K_inverse)]
        for array, new in zip(arrays, (anew.z, anew.W, anew.K_inverse), strict=True):
            array[rows] = new
        return Slopes(arrays[0], arrays[1], arrays[2], self.weights)


def slopes(prior: Prior, z: Array, weights: PullWeights, every: int = 1) -> Slopes:
    """The decoder's Jacobians at latents z (F, L); in a sequence those of every n-th frame serve its neighbours."""
    if every > 1:
        own = slopes(prior, z[::every], weights)
        return own.take(np.arange(z.shape[0]) // every).at(prior, z)
    xp, n = namespace(z), z.shape[-1]
    W = prior.decode_with_jacobian(z)[1]
    flat = xp.reshape(W, (z.shape[0], 3 * N_POSE, n))
    K = weights[1] * gemm(xp.matrix_transpose(flat), flat) + weights[0] * eye(n, z)
    return Slopes(z, W, solve_spd(K, xp.broadcast_to(eye(n, z), K.shape))[0], weights)


@dataclass(frozen=True)
class Pull:
    """The prior's model at a state, before damping."""

    z_error: Array  # (F, L) latent from its anchor
    s: Array  # (F, 63) how far each joint is turned from the prior's rotation, world axes (sine of the angle)
    B: Array  # (F, 63, L) world angular velocities by the latent
    slopes: Slopes

    def take(self, rows: Array) -> "Pull":
        return Pull(self.z_error[rows], self.s[rows], self.B[rows], self.slopes.take(rows))

    def where(self, mask: Array, other: "Pull") -> "Pull":
        """These frames where the mask (F,) is true, the other's elsewhere; slopes are good for both."""
        xp, wide = namespace(mask), mask[:, None]
        z_error, s = xp.where(wide, self.z_error, other.z_error), xp.where(wide, self.s, other.s)
        return Pull(z_error, s, xp.where(wide[..., None], self.B, other.B), self.slopes)


def pull_cost(z_error: Array, D: Array, R_local: Array, weights: PullWeights) -> Array:
    """(F,) for weights w_z and w_d, latents from their anchor, decoded rotations D (F, 21, 3, 3) and local ones."""
    xp = namespace(D)
    apart = 3 * N_POSE - xp.sum(D * R_local[:, 1:N_BODY], axis=(1, 2, 3))
    return weights[0] * xp.sum(z_error * z_error, axis=-1) + weights[1] * apart


def pull_model(z_error: Array, D: Array, pose: Kinematics, at: Slopes) -> Pull:
    """The prior's model at a state whose joints are posed.

    Args:
        z_error: (F, L) latent from its anchor.
        D: (F, 21, 3, 3) the decoded rotations.
        pose: the joints.
        at: the decoder's Jacobians at the latent or near it.
    """
    xp, n_frames = namespace(D), D.shape[0]
    G, parents = pose.G[:, 1:N_BODY], pose.G[:, _PARENTS.like(D)]
    E = xp.matrix_transpose(D) @ pose.R_local[:, 1:N_BODY]
    B = (parents @ D) @ at.W
    s_world = xp.reshape(matvec(G, vee(E)), (n_frames, -1))
    return Pull(z_error, s_world, xp.reshape(B, (n_frames, 3 * N_POSE, -1)), at)


@dataclass(frozen=True)
class Reduced:
    """The pull with the latent eliminated: a quadratic in the joints' steps, and the latent's step for each."""

    H: Array  # (F, 63, 63)
    g: Array  # (F, 63)
    z_by_u: Array  # (F, L, 63)
    z_alone: Array  # (F, L)

    def latent_step(self, u: Array) -> Array:
        """(F, L) for steps u (F, 63)."""
        return self.z_alone + matvec(self.z_by_u, u)


def reduced(model: Pull, damping: Array) -> Reduced:
    """Eliminate the latent.

    Args:
        model: of F frames.
        damping: (F,) how much more than its weight each step costs (Marquardt).
    """
    xp, (w_z, w_d) = namespace(damping), model.slopes.weights
    B_t, K_inverse, more = xp.matrix_transpose(model.B), model.slopes.K_inverse, (1 + damping)[:, None]
    z_by_u = gemm(K_inverse, w_d * B_t)
    z_alone = matvec(K_inverse, w_d * matvec(B_t, model.s) - w_z * model.z_error) / more
    H = (w_d * more)[..., None] * (eye(model.B.shape[1], damping) - gemm(model.B, z_by_u))
    return Reduced(H, w_d * (model.s - more * matvec(model.B, z_alone)), z_by_u, z_alone)
