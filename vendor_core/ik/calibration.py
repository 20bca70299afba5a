# SPDX-License-Identifier: Apache-2.0
"""What all frames of a subject share: betas and marker offsets, solved together with the poses of a few frames.

The poses are eliminated frame by frame by the Schur complement `S = H_ss - sum_f H_fs^T H_ff^-1 H_fs` (Triggs et al.,
"Bundle Adjustment: A Modern Synthesis", 2000); the idea of solving markers and shape together is that of MoSh (Loper,
Mahmood, Black 2014). NumPy only: forty frames take seconds.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..linalg import gemm, solve_spd
from ..skeleton import N_POSE
from .kinematic_jacobian import point_jacobian
from .points import blended_rotations, place
from .prior_pull import reduced
from .problem import Evaluation, Model, Problem, Stage
from .residuals import Normal, Position
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
    at: Evaluation
    cost: float
    frames: Model  # of each frame's pose
    H_fs: np.ndarray  # (F, T, S)
    H_ss: np.ndarray  # (S, S)
    g_s: np.ndarray  # (S,)


def calibrate(
    problem: Problem, state: PoseState, shared: Shared, prior: SharedPrior, stage: Stage
) -> tuple[PoseState, Shared, float]:
    """Lower the summed cost of all frames over their poses and the shared unknowns.

    Args:
        problem: of F frames; its one residual is of positions, its points without offsets.
        state: the poses' start; its betas are ignored.
        shared: the start of the shared unknowns.
        prior: of the shared unknowns.
        stage: weights, robust scale, iterations, damping; all of each pose is free.

    Returns:
        Poses (with the shared betas in every frame), shared unknowns and the summed cost.
    """
    model = _model(problem, state, shared, prior, stage)
    damping = stage.damping
    for _ in range(stage.iterations):
        u, dz, shared_step = _schur_step(model, damping)
        moved = model.at.state.changed(betas=np.zeros((len(u), 0))).moved(u, dz, model.at.pose)
        candidate = _moved_shared(shared, shared_step, prior)
        new = _model(problem, moved, candidate, prior, stage)
        if not new.cost < model.cost:
            damping *= 6
            if damping > 1e6:
                break
            continue
        gained = model.cost - new.cost
        shared, model = candidate, new
        damping = max(damping * 0.3, 1e-7)
        if gained < stage.tolerance * model.cost:
            break
    return model.at.state.orthonormal(), shared, model.cost


def _with_betas(state: PoseState, shared: Shared) -> PoseState:
    return state.changed(betas=np.broadcast_to(shared.betas, (len(state), len(shared.betas))).copy())


def _moved_shared(shared: Shared, step: np.ndarray, prior: SharedPrior) -> Shared:
    n = len(shared.betas)
    offsets = shared.offsets
    if prior.offset_sigma is not None:
        offsets = offsets + step[n:].reshape(offsets.shape)
    return Shared(shared.betas + step[:n], offsets)


def _model(problem: Problem, state: PoseState, shared: Shared, prior: SharedPrior, stage: Stage) -> _Model:
    (position,) = problem.residuals
    assert isinstance(position, Position)
    position = replace(position, points=position.points.with_offsets(shared.offsets))
    stage = replace(stage, weights=replace(stage.weights, betas=0.0))  # theirs is the shared prior, once
    at = replace(problem, residuals=(position,)).evaluate(_with_betas(state, shared), stage)
    pull = replace(problem, residuals=(position,)).pull(at, stage)
    normal, H_fs, H_ss, g_s = _blocks(position, at, stage, prior)
    ridge, value = np.full(len(shared.betas), prior.betas), shared.betas - prior.expected_betas
    if prior.offset_sigma is not None:
        ridge = np.concatenate([ridge, (prior.offset_weight / prior.offset_sigma**2).reshape(-1)])
        value = np.concatenate([value, shared.offsets.reshape(-1)])
    cost = float(np.sum(at.cost) + np.sum(ridge * value * value))
    return _Model(at, cost, Model(normal, pull), H_fs, H_ss + np.diag(ridge), g_s + ridge * value)


def _blocks(
    position: Position, at: Evaluation, stage: Stage, prior: SharedPrior
) -> tuple[Normal, np.ndarray, np.ndarray, np.ndarray]:
    """The poses' model, its coupling (F, T, S) with the shared unknowns, and the latter's H (S, S) and gradient (S,).

    An offset moves its own point alone, so its blocks are built point by point.
    """
    x, y = place(position.points, at.pose)
    r = x - position.targets
    n_frames, n_points, n_tangent = *r.shape[:2], position.points.bones.n_tangent
    _, w = position.believed(r, stage.hearing)
    J = point_jacobian(position.points, at.pose, y).reshape(n_frames, 3 * n_points, -1)
    J_w = np.swapaxes(np.repeat(w, 3, axis=1)[..., None] * J, 1, 2)  # (F, T + B, 3P)
    H, g = gemm(J_w, J), (J_w @ r.reshape(n_frames, -1, 1))[..., 0]
    n = n_tangent
    normal, H_fb, H_bb = Normal(g[:, :n], H[:, :n, :n]), H[:, :n, n:], H[:, n:, n:].sum(0)
    g_b = g[:, n:].sum(0)
    if prior.offset_sigma is None:
        return normal, H_fb, H_bb, g_b
    G = blended_rotations(position.points, at.pose.G)
    wG = w[..., None, None] * G  # (F, P, 3, 3)
    each = np.swapaxes(J.reshape(n_frames, n_points, 3, -1), 2, 3) @ wG  # (F, P, T + B, 3)
    H_o = np.swapaxes(each, 1, 2).reshape(n_frames, -1, 3 * n_points)
    H_bo = H_o[:, n:].sum(0)
    H_oo, point = np.zeros((n_points, 3, n_points, 3)), np.arange(n_points)
    H_oo[point, :, point] = np.sum(np.swapaxes(G, 2, 3) @ wG, axis=0)
    g_o = np.sum((np.swapaxes(wG, 2, 3) @ r[..., None])[..., 0], axis=0).reshape(-1)
    H_ss = np.block([[H_bb, H_bo], [H_bo.T, H_oo.reshape(3 * n_points, -1)]])
    return normal, np.concatenate([H_fb, H_o[:, :n]], axis=2), H_ss, np.concatenate([g_b, g_o])


def _schur_step(model: _Model, damping: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps of the poses (F, T), of the latents (F, L) and of the shared unknowns (S,)."""
    n_shared, H, body = len(model.g_s), model.frames.normal.H, slice(3, 3 + 3 * N_POSE)
    prior = reduced(model.frames.pull, np.full(len(H), damping))
    diagonal = np.diagonal(H, axis1=1, axis2=2) + 1e-3
    A = H + damping * diagonal[:, :, None] * np.eye(H.shape[1])
    A[:, body, body] += prior.H
    g = model.frames.normal.g.copy()
    g[:, body] += prior.g
    solved, _ = solve_spd(A, np.concatenate([model.H_fs, g[..., None]], axis=2))
    by_shared, by_self = solved[..., :n_shared], solved[..., n_shared]
    coupling = np.swapaxes(model.H_fs, 1, 2)
    S = model.H_ss + damping * np.diag(np.diag(model.H_ss)) - np.sum(gemm(coupling, by_shared), axis=0)
    rhs = model.g_s - np.sum((coupling @ by_self[..., None])[..., 0], axis=0)
    shared_step = -solve_spd(S, rhs[:, None])[0][:, 0]
    u = -by_self - by_shared @ shared_step
    return u, prior.latent_step(u[:, body]), shared_step
