# SPDX-License-Identifier: Apache-2.0
"""Levenberg-Marquardt over a batch of frames, each with its own damping, acceptance and stop.

Marquardt scaling with Nielsen's gain-ratio damping (Nielsen 1999; Madsen, Nielsen, Tingleff 2004). A state is first
evaluated for its cost; its quadratic model is made only once it is accepted and more is to be gained.
"""

import logging
from collections.abc import Callable

import numpy as np

from ..arrays import Array, namespace
from ..devices import is_accelerated, out_of_memory
from ..errors import PoiseError
from ..parallel import in_parallel
from .prior_pull import Slopes, slopes
from .problem import Problem, Stage
from .state import PoseState, joined
from .step import Stepper

_LOG = logging.getLogger(__name__)
_CHUNK = 64  # frames solved at once: their models fit the cache
_DEVICE_CHUNK, _DEVICE_STEPS = 4096, 8
_STUCK = 1e9  # damping beyond which no step is worth taking


def minimise(problem: Problem, state: PoseState, stage: Stage, known: Slopes | None = None) -> tuple[PoseState, Array]:
    """Lower the cost of each frame by Levenberg-Marquardt.

    Args:
        problem: of F frames.
        state: where to start, F frames.
        stage: what is free and when to stop.
        known: the decoder's Jacobians near the start, where the caller has them.

    Returns:
        The state reached, never of a higher cost than the start, and its cost (F,).
    """
    xp, stepper = namespace(state.z), Stepper(stage, problem.bones, state.betas.shape[1])
    at = problem.evaluate(stepper.followed(state, problem.prior), stage)
    model, best, best_cost, rows = problem.model(at, stage, known), at.state, at.cost, np.arange(len(state))
    damping, growth = xp.full_like(at.cost, stage.damping), xp.full_like(at.cost, 2.0)
    for remaining in reversed(range(stage.iterations)):
        step = stepper(model, damping)
        candidate = stepper.followed(at.state.moved(step.u, step.dz, at.pose), problem.prior)
        new = problem.evaluate(candidate, stage)
        better = new.cost < at.cost
        done = (step.predicted < stage.tolerance * at.cost + stage.enough) | (damping > _STUCK)
        damping, growth = _damped(damping, growth, better, (at.cost - new.cost) / xp.clip(step.predicted, 1e-30, None))
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
            model = problem.model(at, stage, model.pull.slopes)
        elif accepted.any():
            model = problem.model(at, stage, model.pull.slopes).where(better, model)
    return best.orthonormal(), best_cost


def minimise_on_device(problem: Problem, state: PoseState, stage: Stage) -> tuple[PoseState, Array]:
    """`minimise` for an accelerator: a fixed number of steps of all frames, and nothing that the host waits for.

    A frame that is done, or whose step is refused, keeps its state where the others move on.
    """
    xp, stepper = namespace(state.z), Stepper(stage, problem.bones, state.betas.shape[1])
    at = problem.evaluate(stepper.followed(state, problem.prior), stage)
    damping, growth = xp.full_like(at.cost, stage.damping), xp.full_like(at.cost, 2.0)
    done = at.cost < 0
    for _ in range(min(stage.iterations, _DEVICE_STEPS)):
        step = stepper(problem.model(at, stage), damping)
        candidate = stepper.followed(at.state.moved(step.u, step.dz, at.pose), problem.prior)
        new = problem.evaluate(candidate, stage)
        better = (new.cost < at.cost) & ~done
        gain = (at.cost - new.cost) / xp.clip(step.predicted, 1e-30, None)
        done = done | (step.predicted < stage.tolerance * at.cost + stage.enough)
        at = new.where(better, at)
        damping, growth = _damped(damping, growth, better, gain)
    return at.state.orthonormal(), at.cost


def minimise_in_chunks(
    problem: Problem, state: PoseState, stage: Stage, report: Callable[[float], None] = lambda fraction: None,
    in_a_row: int = 1,
) -> tuple[PoseState, Array]:  # fmt: skip
    """`minimise` for any number of frames in bounded memory.

    Args:
        problem: of F frames.
        state: where to start, F frames.
        stage: what is free and when to stop.
        report: called with the fraction done after each chunk.
        in_a_row: neighbouring frames that are alike, so that one's Jacobians of the decoder serve the others.

    Raises:
        PoiseError: an accelerator has no memory for the smallest chunk.
    """
    if not len(state):
        return state, namespace(state.z).zeros_like(state.z[:, 0])

    if is_accelerated(state.z):
        return _on_device_in_chunks(problem, state, stage, report)

    if len(state) <= _CHUNK:
        known = slopes(problem.prior, state.z, stage.weights.pull_weights, in_a_row)
        state, cost = minimise(problem, state, stage, known)
        report(1.0)
        return state, cost

    def solved(first: int) -> tuple[PoseState, Array]:
        rows = np.arange(first, min(first + _CHUNK, len(state)))
        start = state.take(rows)
        known = slopes(problem.prior, start.z, stage.weights.pull_weights, in_a_row)
        return minimise(problem.take(rows), start, stage, known)

    parts, costs = [], []
    for part, cost in in_parallel(solved, range(0, len(state), _CHUNK)):
        parts.append(part)
        costs.append(cost)
        report(min(len(parts) * _CHUNK / len(state), 1.0))
    return joined(parts), namespace(state.z).concat(costs)


def _on_device_in_chunks(
    problem: Problem, state: PoseState, stage: Stage, report: Callable[[float], None]
) -> tuple[PoseState, Array]:
    """As many frames at once as the device holds: the chunk is halved whenever its memory runs out."""
    parts, costs, first, chunk = [], [], 0, _DEVICE_CHUNK
    while first < len(state):
        rows = np.arange(first, min(first + chunk, len(state)))
        try:
            part, cost = minimise_on_device(problem.take(rows), state.take(rows), stage)
        except RuntimeError as problem_there:
            if not out_of_memory(problem_there):
                raise
            if chunk <= _CHUNK:
                raise PoiseError(
                    f"the device has too little free memory for {chunk} frames at once; "
                    "expected a few hundred MiB: close what else uses it, or compute on the CPU"
                ) from None
            chunk //= 2
            _LOG.warning("the device has too little memory for %d frames at once; going on with %d", 2 * chunk, chunk)
            continue
        parts.append(part)
        costs.append(cost)
        first += len(rows)
        report(first / len(state))
    return joined(parts), namespace(state.z).concat(costs)


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
