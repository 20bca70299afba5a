# SPDX-License-Identifier: Apache-2.0
"""What all frames of a subject share: betas and marker offsets, solved together with the poses of a few frames.

The poses are eliminated frame by frame by the Schur complement `S = H_ss - sum_f H_fs^T H_ff^-1 H_fs` (Triggs et al.,
"Bundle Adjustment: A Modern Synthesis", 2000); the idea of solving markers and shape together is that of MoSh (Loper,
Mahmood, Black 2014). NumPy only: a hundred frames take a second or two.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..linalg import gemm, solve_spd
from ..parallel import in_parallel
from .kinematic_jacobian import point_jacobian
from .points import blended_rotations, place
from .prior_pull import BODY_COLUMNS, Reduced, reduced
from .problem import Evaluation, Model, Problem, Stage
from .residuals import Normal, Position
from .state import PoseState, joined

_CHUNK = 20  # frames whose models fit the cache
_STUCK = 1e6  # damping beyond which no step is worth taking


@dataclass(frozen=True)
class Shared:
    """What is the same in every frame."""

    betas: np.ndarray  # (B,)
    offsets: np.ndarray  # (P, 3) metres, rest frame, on top of the points' places


@dataclass(frozen=True)
class SharedPrior:
    """What is expected of the shared unknowns; None leaves them exactly as they are."""

    betas: float | None  # weight of |betas|^2
    offset_sigma: np.ndarray | None  # (P, 3) metres
    offset_weight: float = 1.0

    def ridge(self, shared: Shared) -> np.ndarray:
        """(S,) weights of the squared shared unknowns: the betas, then the offsets where they are free."""
        betas = np.full(len(shared.betas), self.betas or 0.0)
        if self.offset_sigma is None:
            return betas
        return np.concatenate([betas, (self.offset_weight / self.offset_sigma**2).reshape(-1)])

    def values(self, shared: Shared) -> np.ndarray:
        """(S,) the shared unknowns."""
        return shared.betas if self.offset_sigma is None else np.concatenate([shared.betas, shared.offsets.reshape(-1)])

    def moved(self, shared: Shared, step: np.ndarray) -> Shared:
        """The shared unknowns after a step (S,)."""
        n = len(shared.betas)
        betas = shared.betas if self.betas is None else shared.betas + step[:n]
        offsets = shared.offsets
        return Shared(betas, offsets if self.offset_sigma is None else offsets + step[n:].reshape(offsets.shape))


@dataclass(frozen=True)
class _Part:
    """The model of some of the frames."""

    at: Evaluation
    frames: Model  # of each frame's pose
    H_fs: np.ndarray  # (F, T, S)
    H_ss: np.ndarray  # (S, S)
    g_s: np.ndarray  # (S,)


@dataclass(frozen=True)
class _Eliminated:
    """Some of the frames with their poses solved for by the shared step: `u = -alone - by_shared @ step`."""

    by_shared: np.ndarray  # (F, T, S)
    alone: np.ndarray  # (F, T)
    pull: Reduced
    S: np.ndarray  # (S, S) what is left of the shared unknowns' model
    g: np.ndarray  # (S,)


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
        Poses (with the shared betas in every frame), shared unknowns and the summed cost; the start where its cost
        is not finite.
    """
    rows = np.array_split(np.arange(len(state)), -(-len(state) // _CHUNK))
    stage = replace(stage, weights=replace(stage.weights, betas=0.0))  # theirs is the shared prior, once
    parts = [problem.take(r) for r in rows]
    at, cost = _evaluated(parts, [state.take(r) for r in rows], shared, prior, stage)
    if not np.isfinite(cost):
        return _with_betas(state, shared), shared, cost
    models, damping = _models(parts, at, shared, prior, stage, [None] * len(rows)), stage.damping
    for _ in range(stage.iterations):
        states, candidate = _stepped(models, shared, prior, damping)
        at, new_cost = _evaluated(parts, states, candidate, prior, stage)
        if not new_cost < cost:
            damping *= 6
            if damping > _STUCK:
                break
            continue
        gained, shared, cost = cost - new_cost, candidate, new_cost
        models = _models(parts, at, shared, prior, stage, models)
        damping = max(damping * 0.3, 1e-7)
        if gained < stage.tolerance * cost:
            break
    return joined([model.at.state for model in models]).orthonormal(), shared, cost


def _with_betas(state: PoseState, shared: Shared) -> PoseState:
    return state.changed(betas=np.broadcast_to(shared.betas, (len(state), len(shared.betas))).copy())


def _moved_points(problem: Problem, shared: Shared) -> tuple[Problem, Position]:
    (position,) = problem.residuals
    assert isinstance(position, Position)
    position = replace(position, points=position.points.with_offsets(shared.offsets))
    return replace(problem, residuals=(position,)), position


def _evaluated(
    parts: list[Problem], states: list[PoseState], shared: Shared, prior: SharedPrior, stage: Stage
) -> tuple[list[Evaluation], float]:
    """The evaluations of the parts and the cost of all, that of the shared unknowns included."""
    at = [
        _moved_points(part, shared)[0].evaluate(_with_betas(state, shared), stage)
        for part, state in zip(parts, states, strict=True)
    ]
    of_shared = np.sum(prior.ridge(shared) * prior.values(shared) ** 2)
    return at, float(sum(np.sum(each.cost) for each in at) + of_shared)


def _models(
    parts: list[Problem], at: list[Evaluation], shared: Shared, prior: SharedPrior, stage: Stage,
    last: list[_Part] | list[None],
) -> list[_Part]:  # fmt: skip
    def model(i: int) -> _Part:
        problem, position = _moved_points(parts[i], shared)
        before = last[i]
        pull = problem.pull_at(at[i], stage, None if before is None else before.frames.pull.slopes)
        normal, H_fs, H_ss, g_s = _blocks(position, at[i], stage, prior)
        return _Part(at[i], Model(normal, pull), H_fs, H_ss, g_s)

    return list(in_parallel(model, range(len(parts))))


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


def _stepped(models: list[_Part], shared: Shared, prior: SharedPrior, damping: float) -> tuple[list[PoseState], Shared]:
    """The parts' states and the shared unknowns after a damped Gauss-Newton step."""
    eliminated = list(in_parallel(lambda model: _eliminated(model, damping), models))
    ridge = prior.ridge(shared)
    diagonal = ridge + sum(np.diag(model.H_ss) for model in models)
    S = sum(part.S for part in eliminated) + np.diag(ridge + damping * diagonal)
    g = sum(part.g for part in eliminated) + ridge * prior.values(shared)
    step, first = np.zeros(len(g)), len(shared.betas) if prior.betas is None else 0
    step[first:] = -solve_spd(S[first:, first:], g[first:, None])[0][:, 0]
    states = []
    for model, part in zip(models, eliminated, strict=True):
        u = -part.alone - part.by_shared @ step
        dz = part.pull.latent_step(u[:, BODY_COLUMNS])
        states.append(model.at.state.changed(betas=np.zeros((len(u), 0))).moved(u, dz, model.at.pose))
    return states, prior.moved(shared, step)


def _eliminated(model: _Part, damping: float) -> _Eliminated:
    H, n_shared = model.frames.normal.H, len(model.g_s)
    pull = reduced(model.frames.pull, np.full(len(H), damping))
    A = H + damping * (np.diagonal(H, axis1=1, axis2=2) + 1e-3)[:, :, None] * np.eye(H.shape[1])
    A[:, BODY_COLUMNS, BODY_COLUMNS] += pull.H
    g = model.frames.normal.g.copy()
    g[:, BODY_COLUMNS] += pull.g
    solved, _ = solve_spd(A, np.concatenate([model.H_fs, g[..., None]], axis=2))
    flat = model.H_fs.reshape(-1, n_shared).T
    taken = gemm(flat, solved.reshape(-1, n_shared + 1))  # summed over the frames
    return _Eliminated(
        solved[..., :n_shared], solved[..., n_shared], pull, model.H_ss - taken[:, :n_shared],
        model.g_s - taken[:, n_shared],
    )  # fmt: skip
