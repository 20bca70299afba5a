# SPDX-License-Identifier: Apache-2.0
"""How the prior pulls at rotations, and how the latent is solved for beside them without a system of its own.

Cost `w_z |z - a|^2 + w_d sum_j |R_j - D_j(z)|_F^2 / 2`, D the decoder; half the squared chord is `2 (1 - cos angle)`,
the squared angle for small ones, and smooth everywhere. With world-axis steps u of the joints and `B = G_parent D W`,
the decoder's angular velocities, the model is `w_z |z - a + dz|^2 + w_d |s + u - B dz|^2`; its minimum over dz is a
quadratic in u, `w_d I - w_d^2 B K^-1 B^T` with `K = w_z I + w_d B^T B`: the Schur complement of the latent, 32 x 32.
"""

from dataclasses import dataclass

from ..arrays import Array, Constant, eye, namespace
from ..linalg import gemm, matvec, solve_spd
from ..prior.base import Prior
from ..skeleton import BODY_PARENTS, N_BODY, N_POSE
from .bones import Kinematics
from .state import PoseState

_PARENTS = Constant([max(p, 0) for p in BODY_PARENTS[1:]])


@dataclass(frozen=True)
class Pull:
    """The prior's model at a state, before damping."""

    z_error: Array  # (F, L) latent from its anchor
    s: Array  # (F, 63) how far each joint is turned from the prior's rotation, world axes (sine of the angle)
    B: Array  # (F, 63, L) world angular velocities by the latent

    def take(self, rows: Array) -> "Pull":
        return Pull(self.z_error[rows], self.s[rows], self.B[rows])

    def where(self, mask: Array, other: "Pull") -> "Pull":
        xp = namespace(mask)
        wide = mask[:, None]
        return Pull(
            xp.where(wide, self.z_error, other.z_error),
            xp.where(wide, self.s, other.s),
            xp.where(wide[..., None], self.B, other.B),
        )


def pull_cost(prior: Prior, anchor: Array | None, state: PoseState, weights: tuple[float, float]) -> Array:
    """(F,) for weights w_z and w_d."""
    xp = namespace(state.z)
    D = prior.decode(state.z)
    z = state.z if anchor is None else state.z - anchor
    apart = 3 * N_POSE - xp.sum(D * state.R_local[:, 1:N_BODY], axis=(1, 2, 3))
    return weights[0] * xp.sum(z * z, axis=-1) + weights[1] * apart


def pull(prior: Prior, anchor: Array | None, state: PoseState, pose: Kinematics) -> Pull:
    """The prior's model at a state whose joints are posed."""
    xp = namespace(state.z)
    D, W = prior.decode_with_jacobian(state.z)
    z_error = state.z if anchor is None else state.z - anchor
    G = pose.G[:, 1:N_BODY]
    E = xp.matrix_transpose(D) @ state.R_local[:, 1:N_BODY]
    s = 0.5 * xp.stack([E[..., 2, 1] - E[..., 1, 2], E[..., 0, 2] - E[..., 2, 0], E[..., 1, 0] - E[..., 0, 1]], axis=-1)
    B = (pose.G[:, _PARENTS.like(G)] @ D) @ W
    n_frames = state.z.shape[0]
    return Pull(z_error, xp.reshape(matvec(G, s), (n_frames, -1)), xp.reshape(B, (n_frames, 3 * N_POSE, -1)))


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


def reduced(model: Pull, weights: tuple[float, float], damping: Array) -> Reduced:
    """Eliminate the latent.

    Args:
        model: of F frames.
        weights: w_z and w_d.
        damping: (F,) how much more than its weight each step costs (Marquardt).
    """
    xp, n = namespace(damping), model.B.shape[-1]
    B_t = xp.matrix_transpose(model.B)
    more = (1 + damping)[:, None, None]
    c = weights[1] * matvec(B_t, model.s) - weights[0] * model.z_error
    K = weights[1] * gemm(B_t, model.B) + weights[0] * eye(n, damping)
    rhs = xp.concat([weights[1] * B_t, c[..., None] / more], axis=-1)
    solved, _ = solve_spd(K, rhs)
    z_by_u, z_alone = solved[..., :-1], solved[..., -1]
    H = more * weights[1] * (eye(model.B.shape[1], damping) - gemm(model.B, z_by_u))
    g = weights[1] * (model.s - more[..., 0] * matvec(model.B, z_alone))
    return Reduced(H, g, z_by_u, z_alone)
