# SPDX-License-Identifier: Apache-2.0
"""Levenberg-Marquardt over a batch of frames, each with its own damping, acceptance and stop.

Marquardt scaling with Nielsen's gain-ratio damping (Nielsen 1999; Madsen, Nielsen, Tingleff 2004): one evaluation an
iteration, its quadratic model kept where a step is refused. A frame that has converged leaves the batch.
"""

from collections.abc import Callable

import numpy as np

from ..arrays import Array, as_kind, namespace
from ..linalg import matvec, solve_spd
from .objective import Objective, Quadratic, Stage
from .state import PoseState

_CHUNK = 64  # frames solved at once: their Jacobians fit the cache


def minimise(objective: Objective, state: PoseState, stage: Stage) -> tuple[PoseState, Array]:
    """Lower the cost of each frame by Levenberg-Marquardt.

    Args:
        objective: of F frames.
        state: where to start, F frames.
        stage: what is free and when to stop.

    Returns:
        The state reached, never of a higher cost than the start, and its cost (F,).
    """
    xp = namespace(state.z)
    best, best_cost = state, xp.zeros_like(state.z[:, 0])
    rows = np.arange(len(state))
    model = objective.quadratic(state, stage)
    damping = xp.full_like(model.cost, stage.damping)
    growth = xp.full_like(model.cost, 2.0)
    for _ in range(stage.iterations):
        step, predicted = _step(model, damping)
        candidate = state.moved(step, stage.unknowns)
        new = objective.quadratic(candidate, stage)
        better = (new.cost < model.cost) & xp.isfinite(new.cost)
        gain = (model.cost - new.cost) / xp.where(predicted > 0, predicted, xp.ones_like(predicted))
        shrink = xp.clip(1 - (2 * gain - 1) ** 3, 0.1, 2.0)
        done = (predicted < stage.tolerance * model.cost) | (damping > 1e9)
        damping = xp.clip(xp.where(better, damping * shrink, damping * growth), 1e-9, None)
        growth = xp.where(better, xp.full_like(growth, 2.0), growth * 2)
        state = candidate.where(better, state)
        model = _where(better, new, model)
        still = np.flatnonzero(np.asarray(as_kind(~done, np.zeros(0, bool))))
        if len(still) < len(rows):
            best, best_cost = best.put(rows, state), _put(best_cost, rows, model.cost)
            if len(still) == 0:
                return best, best_cost
            rows, objective, state = rows[still], objective.take(still), state.take(still)
            model = Quadratic(model.cost[still], model.g[still], model.H[still])
            damping, growth = damping[still], growth[still]
    return best.put(rows, state), _put(best_cost, rows, model.cost)


def minimise_in_chunks(
    objective: Objective, state: PoseState, stage: Stage, report: Callable[[float], None] = lambda fraction: None
) -> tuple[PoseState, Array]:
    """`minimise` for any number of frames in bounded memory; reports the fraction done after each chunk."""
    xp = namespace(state.z)
    costs = []
    for first in range(0, len(state), _CHUNK):
        rows = np.arange(first, min(first + _CHUNK, len(state)))
        part, cost = minimise(objective.take(rows), state.take(rows), stage)
        state = state.put(rows, part)
        costs.append(cost)
        report((rows[-1] + 1) / len(state))
    return state, xp.concat(costs) if costs else xp.zeros_like(state.z[:, 0])


def _step(model: Quadratic, damping: Array) -> tuple[Array, Array]:
    """The damped Gauss-Newton step (F, D) and the decrease of the cost that the model predicts for it, (F,)."""
    xp = namespace(model.g)
    diagonal = xp.linalg.diagonal(model.H) + 1e-3
    A = model.H + as_kind(np.eye(model.g.shape[-1]), model.g) * (damping[:, None] * diagonal)[:, None, :]
    step = -solve_spd(A, model.g[..., None])[0][..., 0]
    predicted = damping * xp.sum(diagonal * step * step, axis=-1) - matvec(step[:, None, :], model.g)[:, 0]
    return step, predicted


def _where(mask: Array, a: Quadratic, b: Quadratic) -> Quadratic:
    xp = namespace(mask)
    return Quadratic(
        xp.where(mask, a.cost, b.cost),
        xp.where(mask[:, None], a.g, b.g),
        xp.where(mask[:, None, None], a.H, b.H),
    )


def _put(x: Array, rows: np.ndarray, values: Array) -> Array:
    x = namespace(x).asarray(x, copy=True)
    x[rows] = values
    return x
