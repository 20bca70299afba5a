# SPDX-License-Identifier: Apache-2.0
"""Frames in a row, each started from its neighbours.

Every few frames an anchor is solved on its own; the frames between start on the way from anchor to anchor. What costs
far more than the frames around it was led astray, and is solved on its own again.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ..arrays import Array, as_float64, as_kind, namespace
from ..rotations import exp_so3, log_so3
from .problem import Problem, Stage
from .solver import minimise_in_chunks
from .state import PoseState

ALIKE = 4  # neighbouring frames that share the decoder's Jacobians
_ANCHORS_PER_SECOND = 15.0
_AROUND, _ASTRAY = 15, 3.0  # frames on both sides; times their median cost


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
    state = state.changed(z=problem.prior.space.nearest(state.z))
    part, cost_others = minimise_in_chunks(
        problem.take(others), state.take(others), near, lambda f: report(0.4 + 0.5 * f), in_a_row=ALIKE
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
