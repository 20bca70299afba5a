# SPDX-License-Identifier: Apache-2.0
"""The damped Gauss-Newton step of a quadratic model, with what must not change held still."""

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, Constant, eye, namespace, zeros
from ..linalg import gemm, matvec, solve_spd
from ..prior.base import Prior
from ..skeleton import N_BODY
from .bones import Bones
from .prior_pull import BODY_COLUMNS, reduced
from .problem import Model, Stage
from .state import PoseState

_FLOOR = 1e-3  # added to the diagonal that scales the damping: no unknown is free of it


@dataclass(frozen=True)
class Step:
    """A step and the decrease of the cost that the model predicts for it."""

    u: Array  # (F, T) of the body tangent
    dz: Array  # (F, L)
    predicted: Array  # (F,)


class Stepper:
    """Steps of one stage: knows which unknowns are free.

    Args:
        stage: names the unknowns.
        bones: J joints.
        n_betas: B.
    """

    def __init__(self, stage: Stage, bones: Bones, n_betas: int):
        mask = stage.unknowns.mask(bones.names, n_betas)
        self._stage = stage
        self._n_vectors = bones.n_tangent
        self._free = None if mask.all() else Constant(mask)
        self._weights = stage.weights.pull_weights
        others = np.ones(len(mask), bool)
        others[BODY_COLUMNS] = False
        self._others = Constant(np.flatnonzero(others))

        held = [j for j in range(1, N_BODY) if not mask[3 * j]]
        self._held = Constant(held) if held else None

    def followed(self, state: PoseState, prior: Prior) -> PoseState:
        """The state with what residuals may not change brought to where the prior's latent puts it."""
        if self._stage.unknowns.residual:
            return state
        R = namespace(state.z).asarray(state.R_local, copy=True)
        R[:, 1:N_BODY] = prior.decode(state.z)
        if self._held is not None:
            held = self._held.like(state.z)
            R[:, held] = state.R_local[:, held]
        return state.changed(R_local=R)

    def __call__(self, model: Model, damping: Array) -> Step:
        """The step for damping (F,), which scales each unknown by its own stiffness (Marquardt 1963)."""
        if not self._stage.unknowns.residual:
            return self._latent_step(model, damping)
        if not self._stage.unknowns.latent:
            return self._plain_step(model, damping)
        xp, g, H, pull = namespace(damping), model.normal.g, model.normal.H, model.pull
        (w_z, w_d), prior, extra = self._weights, reduced(pull, damping), self._damping(H, damping)
        A = _with_diagonal(H, extra)
        A[:, BODY_COLUMNS, BODY_COLUMNS] += prior.H
        b = xp.asarray(g, copy=True)
        b[:, BODY_COLUMNS] += prior.g
        u = self._solved(A, b)
        dz = prior.latent_step(u[:, BODY_COLUMNS])
        eta = u[:, BODY_COLUMNS] - matvec(pull.B, dz)
        more = damping[:, None]
        predicted = xp.sum((extra * u - g) * u, axis=-1)
        predicted = predicted + w_z * xp.sum((more * dz - pull.z_error) * dz, axis=-1)
        return Step(u, dz, predicted + w_d * xp.sum((more * eta - pull.s) * eta, axis=-1))

    def _damping(self, H: Array, damping: Array) -> Array:
        """What damping adds to the diagonal, (F, T): the same about all axes of a joint, no world axis is special."""
        xp, n = namespace(H), self._n_vectors
        diagonal = xp.linalg.diagonal(H)
        even = xp.sum(xp.reshape(diagonal[:, :n], (H.shape[0], n // 3, 3)), axis=-1) * (1 / 3)
        even = xp.repeat(even, 3, axis=-1)
        if n < diagonal.shape[1]:
            even = xp.concat([even, diagonal[:, n:]], axis=-1)
        return damping[:, None] * (even + _FLOOR)

    def _solved(self, A: Array, b: Array) -> Array:
        if self._free is None:
            return -solve_spd(A, b[..., None])[0][..., 0]
        free = self._free.like(b)
        A = A * (free[:, None] * free) + eye(len(free), b) * (1 - free)
        return -solve_spd(A, (b * free)[..., None])[0][..., 0]

    def _plain_step(self, model: Model, damping: Array) -> Step:
        """With the latent locked the prior is a ridge about the rotations that it holds."""
        xp, g, H, w_d = namespace(damping), model.normal.g, model.normal.H, self._weights[1]
        ridge = zeros(g.shape, g)
        ridge[:, BODY_COLUMNS] += w_d
        g = xp.asarray(g, copy=True)
        g[:, BODY_COLUMNS] += w_d * model.pull.s
        extra = self._damping(H, damping) + damping[:, None] * ridge
        u = self._solved(_with_diagonal(H, extra + ridge), g)
        return Step(u, zeros(model.pull.z_error.shape, g), xp.sum((extra * u - g) * u, axis=-1))

    def _latent_step(self, model: Model, damping: Array) -> Step:
        """With residuals locked the body's joints follow the latent: `u = [B dz, the others]`."""
        xp, g, H, (w_z, w_d) = namespace(damping), model.normal.g, model.normal.H, self._weights
        B, others = model.pull.B, self._others.like(g)
        n_frames, n_latent = model.pull.z_error.shape
        M = zeros((n_frames, H.shape[-1], n_latent + len(others)), g)
        M[:, BODY_COLUMNS, :n_latent] = B
        M[:, others, n_latent + self._columns(others)] = 1.0
        if self._free is not None:
            M = M * self._free.like(g)[:, None]
        M_t = xp.matrix_transpose(M)
        g_x, H_x = matvec(M_t, g), gemm(M_t, gemm(H, M))
        g_x[:, :n_latent] += w_z * model.pull.z_error
        H_x[:, :n_latent, :n_latent] += w_z * eye(n_latent, g)
        if self._free is not None:  # joints held away from the prior still pull at the latent
            B_held = xp.matrix_transpose(B * (1 - self._free.like(g)[BODY_COLUMNS, None]))
            g_x[:, :n_latent] -= w_d * matvec(B_held, model.pull.s)
            H_x[:, :n_latent, :n_latent] += w_d * gemm(B_held, xp.matrix_transpose(B_held))
        diagonal = xp.linalg.diagonal(H_x) + _FLOOR
        x = -solve_spd(H_x + eye(H_x.shape[-1], g) * (damping[:, None] * diagonal)[:, None, :], g_x[..., None])[0][
            ..., 0
        ]
        predicted = damping * xp.sum(diagonal * x * x, axis=-1) - xp.sum(g_x * x, axis=-1)
        return Step(matvec(M, x), x[:, :n_latent], predicted)

    @staticmethod
    def _columns(others: Array) -> Array:
        return np.arange(len(others)) if isinstance(others, np.ndarray) else others.new_ones(len(others)).cumsum(0) - 1


def _with_diagonal(H: Array, extra: Array) -> Array:
    """H (F, n, n) with extra (F, n) on its diagonal."""
    A = namespace(H).asarray(H, copy=True)
    A.reshape(H.shape[0], -1)[:, :: H.shape[-1] + 1] += extra
    return A
