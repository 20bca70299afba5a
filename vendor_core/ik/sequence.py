# SPDX-License-Identifier: Apache-2.0
"""Frames in a row: neighbours are each other's starts, gaps are bridged, and noise is told from motion.

Every few frames an anchor is solved on its own; the frames between start on the way from anchor to anchor. Then all are
smoothed together: Gauss-Newton on data, prior and accelerations (`block_banded` solves its equations). Noise is
estimated from the residuals, so clean data is hardly smoothed. Windows overlap by more than smoothing reaches: how a
take is cut does not show.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Array, as_float64, as_kind, namespace
from ..linalg import matvec
from ..parallel import in_parallel
from ..rotations import exp_so3, identity_like, log_so3
from ..skeleton import N_POSE
from .block_banded import solve_block_banded
from .prior_pull import reduced, slopes
from .problem import Evaluation, Problem, Stage
from .residuals import Position
from .smoothness import Smoothness, usual_acceleration
from .solver import minimise_in_chunks
from .state import PoseState, joined

_WINDOW, _HALO = 192, 32  # frames solved together, and frames more on both sides
_ROUNDS = 2
_DAMPING = 1e-3
_WORTH = 0.05  # share of the cost that a step gains, above which another is tried
_SHARED = 4  # neighbouring frames that share the decoder's Jacobians
_ANCHORS_PER_SECOND = 15.0
_AROUND, _ASTRAY = 15, 3.0  # frames on both sides; times their median cost
_LEAST_NOISE = 1e-4  # metres
_BELIEVED = 4.0  # times the median miss
_LEAP, _BESIDE = 1.0, 3  # metres that a body does not go within so many frames and back
_BODY = slice(3, 3 + 3 * N_POSE)


def between(state: PoseState, at: np.ndarray, frames: np.ndarray) -> PoseState:
    """States at frames from those at the frames `at` (sorted) around them: turned evenly, moved straight."""
    right = np.clip(np.searchsorted(at, frames), 1, max(len(at) - 1, 1)) if len(at) > 1 else np.zeros(len(frames), int)
    left = np.maximum(right - 1, 0)
    span = np.maximum(at[right] - at[left], 1)
    t = np.clip((frames - at[left]) / span, 0.0, 1.0)
    a, b = state.take(left), state.take(right)
    xp, t = namespace(state.z), as_kind(t, state.z)[:, None]
    turn = log_so3(xp.matrix_transpose(a.R_local) @ b.R_local)
    R = a.R_local @ exp_so3(t[:, None] * turn)
    trans, z, betas = (x + t * (y - x) for x, y in ((a.trans, b.trans), (a.z, b.z), (a.betas, b.betas)))
    return PoseState(R, trans, z, betas)


def noise_of(problem: Problem, state: PoseState) -> float:
    """Standard deviation, metres per axis, of what position targets do from frame to frame that the pose does not.

    Robust: points much farther from the pose than the median one do not count, of the others half may be outliers. What
    the pose follows of the noise is added by counting degrees of freedom.
    """
    pose, found, seen = state.on(problem.bones), [], 0.0
    for position in (r for r in problem.residuals if isinstance(r, Position)):
        r, known = as_float64(position.error(pose)), as_float64(position.confidence) > 0
        apart = np.linalg.norm(r, axis=-1)
        near = known & (apart <= _BELIEVED * np.median(apart[known])) if known.any() else known
        triple = near[2:] & near[1:-1] & near[:-2]
        found.append((r[1:-1] - 0.5 * (r[2:] + r[:-2]))[triple].reshape(-1))
        seen += 3 * known.sum() / max(len(known), 1)
    jitter = np.concatenate(found) if found else np.zeros(0)
    if len(jitter) < 3:
        return _LEAST_NOISE
    spread = 1.4826 * float(np.median(np.abs(jitter))) / np.sqrt(1.5)
    followed = min(_FOLLOWED, 0.75 * seen)
    return max(spread / np.sqrt(1 - followed / max(seen, 1.0)), _LEAST_NOISE)


_FOLLOWED = 45.0  # numbers of a pose that follow noise, of its 69: the prior holds the others


def solve_sequence(
    problem: Problem, start: Callable[[np.ndarray], PoseState], stages: Sequence[Stage], rate: float,
    report: Callable[[float], None] = lambda fraction: None,
) -> PoseState:  # fmt: skip
    """Solve frames in a row, each from its neighbours; not smoothed yet.

    Args:
        problem: of F frames.
        start: where to start the frames of an index array that have no solved neighbour.
        stages: from a start that may be far to the end; the last alone serves frames between solved ones.
        rate: Hz.
        report: called with the fraction done.

    Returns:
        States of F frames.
    """
    n = len(problem.residuals[0].confidence)
    anchors = np.unique(np.append(np.arange(0, n, max(1, round(rate / _ANCHORS_PER_SECOND))), n - 1))
    found, cost = _from_afar(problem, start, stages, anchors)
    report(0.4)
    others = np.setdiff1d(np.arange(n), anchors)
    near = replace(stages[-1], damping=1e-3)
    state = between(found, anchors, np.arange(n))
    part, cost_others = minimise_in_chunks(
        problem.take(others), state.take(others), near, lambda f: report(0.4 + 0.5 * f), in_a_row=_SHARED
    )
    state, costs = state.put(others, part), np.zeros(n)
    costs[anchors], costs[others] = as_float64(cost), as_float64(cost_others)
    lost = _lost(costs)
    if len(lost):
        again, cost_again = _from_afar(problem, start, stages, lost)
        better = as_float64(cost_again) < costs[lost]
        state = state.put(lost[better], again.take(np.flatnonzero(better)))
    return state


def _from_afar(
    problem: Problem, start: Callable[[np.ndarray], PoseState], stages: Sequence[Stage], rows: np.ndarray
) -> tuple[PoseState, Array]:
    state, part = start(rows), problem.take(rows)
    cost = None
    for stage in stages:
        state, cost = minimise_in_chunks(part, state, stage)
    return state, cost


def _lost(costs: np.ndarray) -> np.ndarray:
    """Frames that cost far more than those around them: a neighbour led them astray."""
    reach = min(_AROUND, len(costs) // 2)
    padded = np.pad(costs, reach, mode="reflect") if reach else costs
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    return np.flatnonzero(costs > _ASTRAY * usual)


def _without_leaps(state: PoseState) -> PoseState:
    """The states with those that are far from where the body is before and after put between their neighbours.

    Smoothing solves its equations to a hundredth, which of metres would be centimetres.
    """
    trans = as_float64(state.trans)
    reach = min(_BESIDE, (len(trans) - 1) // 2)
    padded = np.pad(trans, ((reach, reach), (0, 0)), mode="reflect")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0), axis=-1)
    leaps = np.linalg.norm(trans - usual, axis=1) > _LEAP
    if leaps.all() or not leaps.any():
        return state
    there, others = np.flatnonzero(leaps), np.flatnonzero(~leaps)
    return state.put(there, between(state.take(others), others, there))


@dataclass(frozen=True)
class Smoothing:
    """What a sequence is smoothed by."""

    rate: float  # Hz
    noise: float  # metres per axis
    sigma: float  # metres that one unit of the problem's positions stands for


def smoothed(
    problem: Problem, state: PoseState, stage: Stage, smoothing: Smoothing,
    report: Callable[[float], None] = lambda fraction: None,
) -> PoseState:  # fmt: skip
    """The states of frames in a row with data, prior and evenness of motion weighed against each other.

    Args:
        problem: of F frames.
        state: solved frame by frame.
        stage: weights and how targets are heard.
        smoothing: rate and noise.
        report: called with the fraction done.
    """
    n = len(state)
    if n < 3:
        return state
    state = _without_leaps(state)
    usual = usual_acceleration(len(problem.bones), smoothing.rate)
    weight = as_kind((smoothing.noise / smoothing.sigma / usual) ** 2, state.z)
    windows = [_Window(first, n) for first in range(0, n, _WINDOW)]
    lively = set(windows)
    for turn in range(_ROUNDS):

        def solved(window: _Window, state: PoseState = state, lively: set[_Window] = lively) -> tuple[PoseState, bool]:
            if window not in lively:
                return state.take(window.own), False
            rows = window.rows
            part, gained = _round(problem.take(rows), state.take(rows), stage, weight)
            return part.take(window.own - rows[0]), gained

        parts, gains = [], []
        for part, gained in in_parallel(solved, windows):
            parts.append(part)
            gains.append(gained)
            report((turn + len(parts) / len(windows)) / _ROUNDS)
        state = joined(parts)
        lively = {window for window, gained in zip(windows, gains, strict=True) if gained}
    return state.orthonormal()


@dataclass(frozen=True)
class _Window:
    """Frames that are smoothed at once: its own, and those around them that its ends lean on."""

    first: int
    n_frames: int  # of the sequence

    @property
    def own(self) -> np.ndarray:
        return np.arange(self.first, min(self.first + _WINDOW, self.n_frames))

    @property
    def rows(self) -> np.ndarray:
        return np.arange(max(self.first - _HALO, 0), min(self.first + _WINDOW + _HALO, self.n_frames))


def _round(problem: Problem, state: PoseState, stage: Stage, weight: Array) -> tuple[PoseState, bool]:
    """One Gauss-Newton step of a window, halved until it gains; and whether another might gain much more."""
    xp, at, smoothness = namespace(state.z), problem.evaluate(state, stage), Smoothness.at(state, weight)
    x, dz = _step(problem, at, stage, smoothness)
    cost = float(xp.sum(at.cost) + smoothness.cost())
    for scale in (1.0, 0.5, 0.25):
        new = _moved(at, scale * x, scale * dz)
        new_cost = float(xp.sum(problem.evaluate(new, stage).cost) + Smoothness.at(new, weight).cost())
        if new_cost < cost:
            return new, cost - new_cost > _WORTH * cost
    return state, False


def _moved(at: Evaluation, x: Array, dz: Array) -> PoseState:
    """The state after steps x (F, T) in parent frames and steps dz of the latents."""
    xp, n = namespace(x), 3 * len(at.pose.bones)
    R = exp_so3(xp.reshape(x[:, :n], (-1, n // 3, 3))) @ at.state.R_local
    return at.state.changed(R_local=R, trans=at.state.trans + x[:, n : n + 3], z=at.state.z + dz)


def _step(problem: Problem, at: Evaluation, stage: Stage, smoothness: Smoothness) -> tuple[Array, Array]:
    """Steps (F, T) in parent frames and latent steps (F, L)."""
    xp, model = (
        namespace(at.cost),
        problem.model(at, stage, slopes(problem.prior, at.state.z, stage.weights.pull, _SHARED)),
    )
    n_frames, n = at.cost.shape[0], 3 * len(problem.bones)
    prior = reduced(model.pull, xp.full_like(at.cost, _DAMPING))
    H, g = xp.asarray(model.normal.H[:, : n + 3, : n + 3], copy=True), xp.asarray(model.normal.g[:, : n + 3], copy=True)
    H[:, _BODY, _BODY] += prior.H
    g[:, _BODY] += prior.g
    G_parent = _parent_rotations(at)
    H, g = _in_parent_frames(H, g, G_parent)
    g = g + smoothness.gradient()
    diagonal = _DAMPING * xp.linalg.diagonal(H) + 1e-3
    columns = np.arange(n + 3)
    H[:, columns, columns] += diagonal
    x = -solve_block_banded(H, smoothness, g)
    u = matvec(G_parent, xp.reshape(x[:, :n], (n_frames, -1, 3)))
    dz = prior.latent_step(xp.reshape(u, (n_frames, -1))[:, _BODY])
    return x, dz


def _parent_rotations(at: Evaluation) -> Array:
    """World rotations (F, J, 3, 3) of the joints' parents; the root's parent is the world."""
    xp, G = namespace(at.cost), at.pose.G
    world = identity_like(G, (G.shape[0], 1))
    return xp.concat([world, G[:, at.pose.bones.tree.parents_of_others.like(G)]], axis=1)


def _in_parent_frames(H: Array, g: Array, G: Array) -> tuple[Array, Array]:
    """A model by steps in world axes as one by steps in frames with world rotations G."""
    xp, (n_frames, n_joints) = namespace(H), G.shape[:2]
    n, G_t = 3 * n_joints, xp.matrix_transpose(G)

    def rows_turned(M: Array) -> Array:
        turned = G_t @ xp.reshape(M[:, :n], (n_frames, n_joints, 3, -1))
        return xp.concat([xp.reshape(turned, (n_frames, n, -1)), M[:, n:]], axis=1)

    H = xp.matrix_transpose(rows_turned(xp.matrix_transpose(rows_turned(H))))
    return xp.asarray(H, copy=True), rows_turned(g[..., None])[..., 0]
