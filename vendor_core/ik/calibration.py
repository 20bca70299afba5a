# SPDX-License-Identifier: Apache-2.0
"""What all frames of a subject share: betas and marker offsets, solved together with the poses of a few frames.

The poses are eliminated frame by frame by the Schur complement `S = H_ss - sum_f H_fs^T H_ff^-1 H_fs` (Triggs et al.,
"Bundle Adjustment: A Modern Synthesis", 2000); the idea of solving markers and shape together is that of MoSh (Loper,
Mahmood, Black 2014). NumPy only: forty frames take seconds.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..linalg import solve_spd
from .kinematic_jacobian import blended_rotations, point_jacobian, point_positions, pose_joints
from .objective import Objective, Stage
from .state import PoseState, rotations_with_jacobian, tangent_map


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
    quadratic = moved.quadratic(state, stage)
    points, n_frames = moved.points, len(state)
    R, W, delta_jacobian = rotations_with_jacobian(state, objective.prior)
    pose = pose_joints(points, R, state.trans, state.betas)
    x, y = point_positions(points, pose, state.betas)
    J = point_jacobian(points, pose, y, True)  # (F, P, 3, 69 + B)
    n_betas = len(shared.betas)
    M = tangent_map(W, delta_jacobian, pose.G, stage.unknowns, 0)
    J_f = (J[..., : M.shape[1]] @ M[:, None]).reshape(n_frames, -1, M.shape[2])
    r = x - objective.targets
    _, w = objective.loss(np.sum(r * r, axis=-1), stage)
    J_s = _shared_jacobian(J[..., M.shape[1] :], blended_rotations(points, pose.G), prior)
    J_sw = J_s * np.repeat(w, 3, axis=1)[..., None]
    H_fs = np.swapaxes(J_f, 1, 2) @ J_sw
    flat = J_s.reshape(-1, J_s.shape[2])
    H_ss = J_sw.reshape(flat.shape).T @ flat
    g_s = J_sw.reshape(flat.shape).T @ r.reshape(-1)
    ridge, value = np.full(n_betas, prior.betas), shared.betas - prior.expected_betas
    if prior.offset_sigma is not None:
        ridge = np.concatenate([ridge, (prior.offset_weight / prior.offset_sigma**2).reshape(-1)])
        value = np.concatenate([value, shared.offsets.reshape(-1)])
    cost = float(np.sum(quadratic.cost) + np.sum(ridge * value * value))
    return _Model(cost, quadratic.H, quadratic.g, H_fs, H_ss + np.diag(ridge), g_s + ridge * value)


def _shared_jacobian(J_betas: np.ndarray, blended: np.ndarray, prior: SharedPrior) -> np.ndarray:
    """Jacobian (F, 3 P, S) of the points by the shared unknowns: betas, then each point's own offset."""
    n_frames, n_points = J_betas.shape[:2]
    J_betas = J_betas.reshape(n_frames, 3 * n_points, -1)
    if prior.offset_sigma is None:
        return J_betas
    J_offsets = np.zeros((n_frames, n_points, 3, n_points, 3))
    each = np.arange(n_points)
    J_offsets[:, each, :, each] = np.swapaxes(blended, 0, 1)
    return np.concatenate([J_betas, J_offsets.reshape(n_frames, 3 * n_points, -1)], axis=2)


def _schur_step(model: _Model, damping: float) -> tuple[np.ndarray, np.ndarray]:
    n_shared = len(model.g_s)
    diagonal = np.diagonal(model.H_ff, axis1=1, axis2=2) + 1e-3
    A = model.H_ff + damping * diagonal[:, :, None] * np.eye(diagonal.shape[1])
    solved, _ = solve_spd(A, np.concatenate([model.H_fs, model.g_f[..., None]], axis=2))
    by_shared, by_self = solved[..., :n_shared], solved[..., n_shared]
    coupling = np.swapaxes(model.H_fs, 1, 2)
    S = model.H_ss + damping * np.diag(np.diag(model.H_ss)) - np.sum(coupling @ by_shared, axis=0)
    rhs = model.g_s - np.sum((coupling @ by_self[..., None])[..., 0], axis=0)
    shared_step = -solve_spd(S, rhs[:, None])[0][:, 0]
    return -by_self - by_shared @ shared_step, shared_step
