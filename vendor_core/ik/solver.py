# SPDX-License-Identifier: Apache-2.0
"""Levenberg-Marquardt over a batch of frames, each with its own damping, acceptance and stop.

Marquardt scaling with Nielsen's gain-ratio damping (Nielsen 1999; Madsen, Nielsen, Tingleff 2004). A state is first
evaluated for its cost; its quadratic model is made only once it is accepted and more is to be gained.
"""

from collections.abc import Callable

import numpy as np

from ..arrays import Array, namespace
from .problem import Problem, Stage
from .state import PoseState
from .step import Stepper

_CHUNK = 64  # frames solved at once: their models fit the cache
_STUCK = 1e9  # damping beyond which no step is worth taking


def minimise(problem: Problem, state: PoseState, stage: Stage) -> tuple[PoseState, Array]:
    """Lower the cost of each frame by Levenberg-Marquardt.

    Args:
        problem: of F frames.
        state: where to start, F frames.
        stage: what is free and when to stop.

    Returns:
        The state reached, never of a higher cost than the start, and its cost (F,).
    """
    xp, stepper = namespace(state.z), Stepper(stage, len(problem.bones), state.betas.shape[1])
    at = problem.evaluate(stepper.followed(state, problem.prior), stage)
    model, best, best_cost, rows = problem.model(at, stage), at.state, at.cost, np.arange(len(state))
    damping, growth = xp.full_like(at.cost, stage.damping), xp.full_like(at.cost, 2.0)
    for remaining in reversed(range(stage.iterations)):
        step = stepper(model, damping)
        candidate = stepper.followed(at.state.moved(step.u, step.dz, at.pose), problem.prior)
        new = problem.evaluate(candidate, stage)
        better = new.cost < at.cost
        done = (step.predicted < stage.tolerance * at.cost) | (damping > _STUCK)
        damping, growth = _damped(damping, growth, better, (at.cost - new.cost) / step.predicted)
        accepted, finished = _flags(better), _flags(done) | (remaining == 0)
        at = new if accepted.all() else new.where(better, at)
        if finished.any():
            best, best_cost = best.put(rows, at.state), _put(best_cost, rows, at.cost)
            still = np.flatnonzero(~finished)
            if len(still) == 0:
                break
            rows, problem, at, model = rows[still], problem.take(still), at.take(still), model.take(still)
            damping, growth, better, accepted = damping[still], growth[still], better[still], accepted[still]
        if accepted.all():
            model = problem.model(at, stage)
        elif accepted.any():
            model = problem.model(at, stage).where(better, model)
    return best.orthonormal(), best_cost


def minimise_in_chunks(
    problem: Problem, state: PoseState, stage: Stage, report: Callable[[float], None] = lambda fraction: None
) -> tuple[PoseState, Array]:
    """`minimise` for any number of frames in bounded memory; reports the fraction done after each chunk."""
    xp = namespace(state.z)
    costs = []
    for first in range(0, len(state), _CHUNK):
        rows = np.arange(first, min(first + _CHUNK, len(state)))
        part, cost = minimise(problem.take(rows), state.take(rows), stage)
        state = state.put(rows, part)
        costs.append(cost)
        report((rows[-1] + 1) / len(state))
    return state, xp.concat(costs) if costs else xp.zeros_like(state.z[:, 0])


def _damped(damping: Array, growth: Array, better: Array, gain: Array) -> tuple[Array, Array]:
    """Nielsen's rule: less damping the better the model predicted, ever more of it while steps are refused."""
    xp = namespace(damping)
    shrink = xp.clip(1 - (2 * xp.where(better, gain, xp.ones_like(gain)) - 1) ** 3, 0.1, 2.0)
    damping = xp.clip(xp.where(better, damping * shrink, damping * growth), 1e-9, None)
    return damping, xp.where(better, xp.full_like(growth, 2.0), growth * 2)


def _flags(mask: Array) -> np.ndarray:
    return mask if type(mask) is np.ndarray else mask.cpu().numpy()


def _put(x: Array, rows: np.ndarray, values: Array) -> Array:
    x = namespace(x).asarray(x, copy=True)
    x[rows] = values
    return x
