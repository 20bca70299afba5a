# SPDX-License-Identifier: Apache-2.0
"""Every frame's pose of a subject whose shape and markers are known."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Array, as_float64, as_kind
from ..ik.gaps import joints_told, smoothed_with_gaps
from ..ik.noise import noise_of
from ..ik.problem import Problem, Stage
from ..ik.remembered import remembered
from ..ik.residuals import Hearing, Position
from ..ik.residuals.turn import Turn
from ..ik.sequence import solve_sequence
from ..ik.smoothing import Smoothing
from ..ik.state import PoseState, Unknowns
from ..prior.base import Prior
from ..skeleton import N_BODY
from .pose_starts import most_similar
from .soles import held_soles
from .subject import MARKER_SIGMA, MARKER_WEIGHTS, Subject, heard_within

N_STARTS = 12  # calibrated poses that a frame may start from: the most different
_LOOSE_FIT = 0.012  # metres: the median miss of markers to which their sigma applies; chosen on the validation split
_FIRMEST = 0.3
_SINGLE = np.zeros(1, np.float32)

FAR, NEAR = (
    Stage(Unknowns(), MARKER_WEIGHTS, heard_within(metres), iterations, damping=1e-2, tolerance=1e-3)
    for metres, iterations in ((0.15, 6), (0.04, 20))
)
"""From a start that may be off, and close by: a robust loss that narrows."""


@dataclass(frozen=True)
class Trust:
    """How far markers are trusted: estimated from all frames of a take, and the same for each."""

    softness: float  # 1 hears them with their sigma, less more closely
    noise: float  # standard deviation in sigmas so heard


def solve_frames(
    subject: Subject, prior: Prior, targets: np.ndarray, seen: np.ndarray, rate: float,
    report: Callable[[float], None] = lambda fraction: None, like: Array = _SINGLE, trust: Trust | None = None,
) -> tuple[PoseState, np.ndarray, Trust]:  # fmt: skip
    """Poses of frames in a row, smoothed as far as the markers are noisy, with feet that stay where they stand.

    Args:
        subject: from `calibrate_subject`.
        prior: of poses.
        targets: (F, M, 3) metres, any finite number where unseen.
        seen: (F, M) bool; a frame without any is bridged or holds the nearest pose.
        rate: Hz.
        report: called with the fraction done.
        like: an array of the kind, dtype and device to compute with.
        trust: as the whole found it, of which these frames are a part; None finds it.

    Returns:
        States of F frames, float64 NumPy, their status (F,), and how far their markers were trusted.
    """
    solved = np.flatnonzero(seen.any(1))
    position = Position(seen, MARKER_SIGMA, subject.points, targets)
    whole = Problem(subject.points.bones, prior, (position,)).like(like)
    problem = whole.take(solved)

    def start(rows: np.ndarray) -> PoseState:
        return similar_start(subject, targets[solved[rows]], seen[solved[rows]]).like(like)

    state = solve_sequence(problem, start, (FAR, NEAR), rate, lambda f: report(0.7 * f))
    if trust is None:
        softness = _softness(problem, state)
        trust = Trust(softness, noise_of(problem, state) / softness)
    told = joints_told(whole)
    close, smoothing = _heard_softly(trust.softness), Smoothing(rate, trust.noise)
    if subject.soles is not None:
        feet = held_soles(subject.soles, state.like(np.zeros(1)), solved, told, rate)
        whole = replace(whole, residuals=(*whole.residuals, feet.like(like)))
    hidden = remembered(as_float64(state.R_local), told[solved], rate)
    if hidden is not None:
        state = state.changed(R_local=as_kind(_with_turns(as_float64(state.R_local), hidden), state.z))
        whole = replace(whole, residuals=(*whole.residuals, _in_all_frames(hidden, solved, len(seen)).like(like)))
    state, status = smoothed_with_gaps(whole, state, solved, close, smoothing, lambda f: report(0.7 + 0.3 * f))
    return state.like(np.zeros(1)), status, trust


def _with_turns(R_local: np.ndarray, turns: Turn) -> np.ndarray:
    """Rotations (F, J, 3, 3) with those that are asked for as they are asked for."""
    sure = (turns.confidence > 0)[..., None, None]
    return np.concatenate([np.where(sure, turns.targets, R_local[:, :N_BODY]), R_local[:, N_BODY:]], axis=1)


def _in_all_frames(turns: Turn, solved: np.ndarray, n_frames: int) -> Turn:
    """Turns of the solved frames as those of all n frames."""
    confidence = np.zeros((n_frames, turns.confidence.shape[1]))
    targets = np.broadcast_to(np.eye(3), (*confidence.shape, 3, 3)).copy()
    confidence[solved], targets[solved] = turns.confidence, turns.targets
    return replace(turns, confidence=confidence, targets=targets)


def as_they_fit(problem: Problem, state: PoseState) -> Stage:
    """The stage that hears markers as closely as they fit: those that fit well may bend the pose more."""
    return _heard_softly(_softness(problem, state))


def _softness(problem: Problem, state: PoseState) -> float:
    (position,) = problem.residuals
    missed = np.linalg.norm(as_float64(position.error(state.on(problem.bones))), axis=-1)
    median = float(np.median(missed[as_float64(position.confidence) > 0]))
    return min(max(median / _LOOSE_FIT, _FIRMEST), 1.0)


def _heard_softly(softness: float) -> Stage:
    """The scale of the robust loss narrows by the root alone, or noise would be taken for outliers."""
    assert NEAR.hearing.robust is not None
    return replace(NEAR, hearing=Hearing(softness, robust=NEAR.hearing.robust / softness**0.5))


def similar_start(subject: Subject, targets: np.ndarray, seen: np.ndarray) -> PoseState:
    """For each frame the calibrated pose that fits its markers best after a rigid motion."""
    some = np.arange(min(N_STARTS, len(subject.frames)))
    return most_similar(subject.points, subject.poses.take(some), targets, seen)
