# SPDX-License-Identifier: Apache-2.0
"""Frames in which nothing is seen: short gaps of a sequence are bridged, all others hold the nearest solved pose."""

from collections.abc import Callable

import numpy as np

from ..motion import BRIDGED, HELD, SOLVED
from .problem import Problem, Stage
from .sequence import Smoothing, between, smoothed
from .state import PoseState

_LONGEST = 1.0  # seconds of a gap that evenness of motion can fill


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
    for run in _runs(solved, max(1, round(_LONGEST * smoothing.rate))):
        done, share = run[0] / n_frames, len(run) / n_frames
        start = between(state, solved, run)
        part = smoothed(problem.take(run), start, stage, smoothing, lambda f, a=done, b=share: report(a + b * f))
        everything = everything.put(run, part)
        status[run] = np.where(np.isin(run, solved), SOLVED, BRIDGED)
    others = np.flatnonzero(status == HELD)
    return everything.put(others, everything.take(nearest[others])), status


def _runs(solved: np.ndarray, longest: int) -> list[np.ndarray]:
    """Frames from solved to solved with no gap longer than the longest inside."""
    cuts = np.flatnonzero(np.diff(solved) > longest + 1) + 1
    return [np.arange(part[0], part[-1] + 1) for part in np.split(solved, cuts)]
