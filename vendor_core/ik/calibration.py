# SPDX-License-Identifier: Apache-2.0
"""What all frames of a subject share: betas and marker offsets, solved together with the poses of a few frames.

The poses are eliminated frame by frame by the Schur complement `S = H_ss - sum_f H_fs^T H_ff^-1 H_fs` (Triggs et al.,
"Bundle Adjustment: A Modern Synthesis", 2000); the idea of solving markers and shape together is that of MoSh (Loper,
Mahmood, Black 2014). NumPy only: forty frames take seconds.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..linalg import gemm, solve_spd
from .kinematic_jacobian import blended_rotations
from .objective import Linearised, Objective, Stage
from .state import PoseState


@dataclass(frozen=True)
class Shared:
    """What is the same in every frame."""

    betas: np.ndarray  # (B,)
    offsets: np.ndarray  # (P, 3) metres, rest frame, on top of the points' places


@dataclass(frozen=True)
class SharedPrior:
    """What is expected of the shared unknowns; an offset sigma of None leaves the offsets as they are."""

    betas: float  # weight of |betas - expected_betas|^2
    expected_betas: np.ndarray  # (B,)
    offset_sigma: np.ndarray | None  # (P, 3) metres
    offset_weight: float = 1.0  # grows with the number of frames, or the prior vanishes


@dataclass(frozen=True)
class _Model:
    cost: float
    H_ff: np.ndarray  # (F, D, D)
    g_f: np.ndarray  # (F, D)
    H_fs: np.ndarray  # (F, D, S)
    H_ss: np.ndarray  # (S, S)
    g_s: np.ndarray  # (S,)


def calibrate(
    objective: Objective, state: PoseState, shared: Shared, prior: SharedPrior, stage: Stage
) -> tuple[PoseState, Shared, float]:
    """Lower the summed cost of all frames over their poses and the shared unknowns.

    Args:
        objective: of F frames, its points without offsets.
        state: the poses' start; its betas are ignored.
        shared: the start of the shared unknowns.
        prior: of the shared unknowns.
        stage: pose unknowns (its betas flag is ignored), weights, robust scale, iterations, damping.

    Returns:
        Poses (with the shared betas in every frame), shared unknowns and the summed cost.
    """
    stage = replace(stage, unknowns=replace(stage.unknowns, betas=False))
    model = _model(objective, state, shared, prior, stage)
    damping = stage.damping
    for _ in range(stage.iterations):
        pose_step, shared_step = _schur_step(model, damping)
        moved = state.moved(pose_step, stage.unknowns)
        candidate = _moved_shared(shared, shared_step, prior)
        new = _model(objective, moved, candidate, prior, stage)
        if not new.cost < model.cost:
            damping *= 6
            if damping > 1e6:
                break
            continue
        gained = model.cost - new.cost
        state, shared, model = moved, candidate, new
        damping = max(damping * 0.3, 1e-7)
        if gained < stage.tolerance * model.cost:
            break
    return _with_betas(state, shared), shared, model.cost


def _with_betas(state: PoseState, shared: Shared) -> PoseState:
    return state.changed(betas=np.broadcast_to(shared.betas, (len(state), len(shared.betas))).copy())


def _moved_shared(shared: Shared, step: np.ndarray, prior: SharedPrior) -> Shared:
    n = len(shared.betas)
    offsets = shared.offsets
    if prior.offset_sigma is not None:
        offsets = offsets + step[n:].reshape(offsets.shape)
    return Shared(shared.betas + step[:n], offsets)


def _model(objective: Objective, state: PoseState, shared: Shared, prior: SharedPrior, stage: Stage) -> _Model:
    state = _with_betas(state, shared)
    moved = replace(objective, points=objective.points.with_offsets(shared.offsets))
    linear = moved.linearised(state, stage, with_betas=True)
    quadratic = moved.quadratic_of(linear, state, stage)
    H_fs, H_ss, g_s = _shared_blocks(moved, linear, prior)
    ridge, value = np.full(len(shared.betas), prior.betas), shared.betas - prior.expected_betas
    if prior.offset_sigma is not None:
        ridge = np.concatenate([ridge, (prior.offset_weight / prior.offset_sigma**2).reshape(-1)])
        value = np.concatenate([value, shared.offsets.reshape(-1)])
    cost = float(np.sum(quadratic.cost) + np.sum(ridge * value * value))
    return _Model(cost, quadratic.H, quadratic.g, H_fs, H_ss + np.diag(ridge), g_s + ridge * value)


def _shared_blocks(
    objective: Objective, linear: Linearised, prior: SharedPrior
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Second derivatives of poses with shared unknowns (F, D, S), of the latter (S, S), and their gradient (S,).

    An offset moves its own point alone, so its blocks are built point by point.
    """
    n_tangent, (n_frames, n_points, _) = linear.M.shape[1], linear.r.shape
    J_f = gemm(linear.J[..., :n_tangent], linear.M)  # (F, 3P, D)
    J_b = linear.J[..., n_tangent:]  # (F, 3P, B)
    w = np.repeat(linear.w, 3, axis=1)[..., None]
    J_bw = np.swapaxes(w * J_b, 1, 2)  # (F, B, 3P)
    H_fb = gemm(np.swapaxes(w * J_f, 1, 2), J_b)
    H_bb = np.sum(gemm(J_bw, J_b), axis=0)
    g_b = np.sum(J_bw @ linear.r.reshape(n_frames, -1, 1), axis=0)[:, 0]
    if prior.offset_sigma is None:
        return H_fb, H_bb, g_b
    wG = linear.w[..., None, None] * blended_rotations(objective.points, linear.pose.G)  # (F, P, 3, 3)

    def by_offsets(J: np.ndarray) -> np.ndarray:
        each = np.swapaxes(J.reshape(n_frames, n_points, 3, -1), 2, 3) @ wG  # (F, P, columns of J, 3)
        return np.swapaxes(each, 1, 2).reshape(n_frames, -1, 3 * n_points)

    H_bo = by_offsets(J_b).sum(0)
    G_t = np.swapaxes(blended_rotations(objective.points, linear.pose.G), 2, 3)
    H_oo = np.zeros((n_points, 3, n_points, 3))
    each = np.arange(n_points)
    H_oo[each, :, each] = np.sum(G_t @ wG, axis=0)
    g_o = np.sum((np.swapaxes(wG, 2, 3) @ linear.r[..., None])[..., 0], axis=0).reshape(-1)
    H_ss = np.block([[H_bb, H_bo], [H_bo.T, H_oo.reshape(3 * n_points, -1)]])
    return np.concatenate([H_fb, by_offsets(J_f)], axis=2), H_ss, np.concatenate([g_b, g_o])


def _schur_step(model: _Model, damping: float) -> tuple[np.ndarray, np.ndarray]:
    n_shared = len(model.g_s)
    diagonal = np.diagonal(model.H_ff, axis1=1, axis2=2) + 1e-3
    A = model.H_ff + damping * diagonal[:, :, None] * np.eye(diagonal.shape[1])
    solved, _ = solve_spd(A, np.concatenate([model.H_fs, model.g_f[..., None]], axis=2))
    by_shared, by_self = solved[..., :n_shared], solved[..., n_shared]
    coupling = np.swapaxes(model.H_fs, 1, 2)
    S = model.H_ss + damping * np.diag(np.diag(model.H_ss)) - np.sum(gemm(coupling, by_shared), axis=0)
    rhs = model.g_s - np.sum((coupling @ by_self[..., None])[..., 0], axis=0)
    shared_step = -solve_spd(S, rhs[:, None])[0][:, 0]
    return -by_self - by_shared @ shared_step, shared_step
