# SPDX-License-Identifier: Apache-2.0
"""A sequence smoothed: Gauss-Newton on data, prior and accelerations of all frames together.

The measured noise of the targets says how much evenness counts, so clean data is hardly smoothed. Windows overlap by
more than smoothing reaches: how a take is cut does not show. `block_banded` solves the equations.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..arrays import Array, as_float64, as_kind, namespace, zeros
from ..linalg import matvec
from ..parallel import in_parallel
from ..rotations import exp_so3, identity_like
from .block_banded import solve_block_banded
from .prior_pull import BODY_COLUMNS, reduced, slopes
from .problem import Evaluation, Problem, Stage
from .sequence import ALIKE, between
from .smoothness import Smoothness, usual_acceleration
from .state import PoseState, joined

WINDOW = 192
"""Frames solved together."""

_HALO = 32  # frames more on both sides
_ROUNDS = 3
_DAMPING = 1e-4
_WORTH = 0.05  # share of the cost that a step gains, above which another is tried
_LEAP, _BESIDE = 1.0, 3  # metres that a body does not go within so many frames and back


@dataclass(frozen=True)
class Smoothing:
    """What a sequence is smoothed by."""

    rate: float  # Hz
    noise: float  # of the targets, in the sigmas that the stage hears them with


def smoothed(
    problem: Problem, state: PoseState, stage: Stage, smoothing: Smoothing,
    report: Callable[[float], None] = lambda fraction: None,
) -> PoseState:  # fmt: skip
    """The states of frames in a row with data, prior and evenness of motion weighed against each other.

    Args:
        problem: of F frames.
        state: solved frame by frame.
        stage: weights, how targets are heard, and what is locked; latent and residual rotations are free.
        smoothing: rate and noise.
        report: called with the fraction done.
    """
    n = len(state)
    if n < 3:
        return state
    state = _without_leaps(state)
    usual = usual_acceleration(len(problem.bones), smoothing.rate)
    weight = as_kind((smoothing.noise / usual) ** 2, state.z)
    windows = [_Window(first, n) for first in range(0, n, WINDOW)]
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
        return np.arange(self.first, min(self.first + WINDOW, self.n_frames))

    @property
    def rows(self) -> np.ndarray:
        return np.arange(max(self.first - _HALO, 0), min(self.first + WINDOW + _HALO, self.n_frames))


def _round(problem: Problem, state: PoseState, stage: Stage, weight: Array) -> tuple[PoseState, bool]:
    """One Gauss-Newton step of a window, halved until it gains; and whether another might gain much more."""
    xp, at, smoothness = namespace(state.z), problem.evaluate(state, stage), Smoothness.at(state, weight)
    x, dz = _step(problem, at, stage, smoothness)
    cost = float(xp.sum(at.cost) + smoothness.cost())
    for scale in (1.0, 0.5, 0.25):
        new = _moved(at, scale * x, scale * dz)
        # Frame by frame, or one frame of great weight would hide in rounding what all others gain.
        gained = xp.sum(at.cost - problem.evaluate(new, stage).cost)
        gained = float(gained + (smoothness.cost() - Smoothness.at(new, weight).cost()))
        if gained > 0:
            return new, gained > _WORTH * cost
    return state, False


def _moved(at: Evaluation, x: Array, dz: Array) -> PoseState:
    """The state after steps x (F, T) in parent frames and steps dz of the latents."""
    xp, n = namespace(x), 3 * len(at.pose.bones)
    R = exp_so3(xp.reshape(x[:, :n], (-1, n // 3, 3))) @ at.state.R_local
    return at.state.changed(R_local=R, trans=at.state.trans + x[:, n : n + 3], z=at.state.z + dz)


def _step(problem: Problem, at: Evaluation, stage: Stage, smoothness: Smoothness) -> tuple[Array, Array]:
    """Steps (F, T) in parent frames and latent steps (F, L)."""
    xp, known = namespace(at.cost), slopes(problem.prior, at.state.z, stage.weights.pull_weights, ALIKE)
    model = problem.model(at, stage, known)
    n_frames, n = at.cost.shape[0], 3 * len(problem.bones)
    prior = reduced(model.pull, xp.full_like(at.cost, _DAMPING))
    H, g = xp.asarray(model.normal.H[:, : n + 3, : n + 3], copy=True), xp.asarray(model.normal.g[:, : n + 3], copy=True)
    H[:, BODY_COLUMNS, BODY_COLUMNS] += prior.H
    g[:, BODY_COLUMNS] += prior.g
    G_parent = _parent_rotations(at)
    H, g = _in_parent_frames(H, g, G_parent)
    g = g + smoothness.gradient()
    free = as_kind(stage.unknowns.mask(problem.bones.names, 0), g)
    diagonal = H.reshape(n_frames, -1)[:, :: n + 4]
    diagonal += _DAMPING * diagonal + 1e-3
    if not bool(xp.all(free > 0)):
        stiff = diagonal * (1 - free)
        H = H * (free[:, None] * free)
        H.reshape(n_frames, -1)[:, :: n + 4] += stiff
    x = -free * solve_block_banded(H, smoothness, free * g)
    u = matvec(G_parent, xp.reshape(x[:, :n], (n_frames, -1, 3)))
    dz = prior.latent_step(xp.reshape(u, (n_frames, -1))[:, BODY_COLUMNS])
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

    turned = zeros(H.shape, H)  # in rows, so that its diagonal can be reached by strides
    turned[...] = xp.matrix_transpose(rows_turned(xp.matrix_transpose(rows_turned(H))))
    return turned, rows_turned(g[..., None])[..., 0]


def _without_leaps(state: PoseState) -> PoseState:
    """The states with those that are far from where the body is before and after put between their neighbours.

    Smoothing solves its equations to a thousandth, which of metres would be millimetres.
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
