# SPDX-License-Identifier: Apache-2.0
"""Gaps of a sequence: short ones are bridged, be it of all points or of a limb's; all others hold the nearest pose."""

from collections.abc import Callable

import numpy as np

from ..arrays import as_float64, namespace
from ..motion import BRIDGED, HELD, SOLVED
from .problem import Problem, Stage
from .residuals import Position
from .residuals.turn import Turn
from .sequence import between
from .smoothing import Smoothing, smoothed
from .state import PoseState

_LONGEST = 1.0  # seconds of a gap that evenness of motion can fill
_TURNED = 0.5  # share of a point that a joint must turn for the point to tell of it


def nearest_of(solved: np.ndarray, n_frames: int) -> np.ndarray:
    """For each of n frames the row, in the sorted list of solved frames, of the one nearest to it."""
    frames = np.arange(n_frames)
    right = np.clip(np.searchsorted(solved, frames), 0, len(solved) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(frames - solved[left] <= np.abs(solved[right] - frames), left, right)


def held(state: PoseState, solved: np.ndarray, n_frames: int) -> tuple[PoseState, np.ndarray]:
    """States of all n frames and their status (n,), from states of the solved ones."""
    status = np.full(n_frames, HELD, np.uint8)
    status[solved] = SOLVED
    if len(solved) == n_frames:
        return state, status
    return state.take(nearest_of(solved, n_frames)), status


def smoothed_with_gaps(
    problem: Problem, state: PoseState, solved: np.ndarray, stage: Stage, smoothing: Smoothing,
    report: Callable[[float], None] = lambda fraction: None,
) -> tuple[PoseState, np.ndarray]:  # fmt: skip
    """Smooth a sequence, short gaps along with it.

    Args:
        problem: of F frames.
        state: of the solved frames, one by one.
        solved: their indices, sorted.
        stage: weights and how targets are heard.
        smoothing: rate and noise.
        report: called with the fraction done.

    Returns:
        States of F frames, and their status (F,): SOLVED, BRIDGED or HELD.
    """
    n_frames = len(problem.residuals[0].confidence)
    everything, status = held(state, solved, n_frames)
    nearest = solved[nearest_of(solved, n_frames)]
    longest = max(1, round(_LONGEST * smoothing.rate))
    for run in _runs(solved, longest):
        done, share = run[0] / n_frames, len(run) / n_frames
        start = between(state, solved, run)
        there = problem.take(run)
        start = hidden_joints_bridged(there, start, longest)
        part = smoothed(there, start, stage, smoothing, lambda f, a=done, b=share: report(a + b * f))
        everything = everything.put(run, part)
        status[run] = np.where(np.isin(run, solved), SOLVED, BRIDGED)
    others = np.flatnonzero(status == HELD)
    everything = everything.put(others, everything.take(nearest[others]))
    return everything.keeping(stage.unknowns, problem.bones, held(state, solved, n_frames)[0]), status


def hidden_joints_bridged(problem: Problem, state: PoseState, longest: int) -> PoseState:
    """The states with joints whose every point is unseen for a while turned evenly to where they are seen again.

    Smoothing would come to much the same, but slowly: little holds such joints, and they start far away.
    """
    return joints_bridged(state, joints_told(problem), longest)


def joints_bridged(state: PoseState, told: np.ndarray, longest: int) -> PoseState:
    """The states with joints that are not told (F, J) for a while turned evenly between frames in which they are."""
    R = namespace(state.z).asarray(state.R_local, copy=True)
    for joint in np.flatnonzero(~told.all(0) & told.any(0)):
        at, hidden = np.flatnonzero(told[:, joint]), np.flatnonzero(~told[:, joint])
        after = np.searchsorted(at, hidden)
        inside = (after > 0) & (after < len(at))
        hidden, after = hidden[inside], after[inside]
        hidden = hidden[at[after] - at[after - 1] <= longest + 1]
        if len(hidden):
            R[hidden, joint] = between(state.take(at), at, hidden).R_local[:, joint]
    return state.changed(R_local=R)


def joints_told(problem: Problem) -> np.ndarray:
    """(F, J) whether a joint turns a point that is seen, or is given itself; all true where there are other targets."""
    told = np.zeros((len(problem.residuals[0].confidence), len(problem.bones)), bool)
    for residual in problem.residuals:
        if isinstance(residual, Turn):
            told[:, : residual.targets.shape[1]] |= as_float64(residual.confidence) > 0
            continue
        if not isinstance(residual, Position):
            return np.ones_like(told)
        turned = as_float64(residual.points.carried)[..., 0] > _TURNED
        told |= (as_float64(residual.confidence) > 0).astype(float) @ turned > 0
    return told


def _runs(solved: np.ndarray, longest: int) -> list[np.ndarray]:
    """Frames from solved to solved with no gap longer than the longest inside."""
    cuts = np.flatnonzero(np.diff(solved) > longest + 1) + 1
    return [np.arange(part[0], part[-1] + 1) for part in np.split(solved, cuts)]
