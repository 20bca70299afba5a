# SPDX-License-Identifier: Apache-2.0
"""Takes without labels: which point is which marker, by where the markers of a body can be.

In a few frames, poses drawn from the prior are laid among the points and those that look most alike are fitted, points
and markers assigned anew at each turn (iterative closest points, Besl and McKay 1992, with the one-to-one assignment of
`assigned`). The frames vote on each point's trajectory. Then the subject is calibrated with these labels, and the
trajectories are handed out again to the markers that they follow on this subject's own body.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..ik.initialiser import moved_rigidly
from ..ik.points import BodyPoints, place
from ..ik.problem import Problem, Stage, Weights
from ..ik.residuals import Position
from ..ik.solver import minimise
from ..ik.state import PoseState, Unknowns, explained
from ..prior.base import Prior
from ..rotations import Y_UP_TO_Z_UP, exp_so3
from .assignment import pairs
from .marker_points import PlacedMarkers
from .subject import MARKER_SIGMA, calibrate_subject, heard_within

_POSES, _HEADINGS, _KEPT = 150, 16, 6  # draws from the prior, directions each, and the most alike that are fitted
_REACH = 0.25  # metres: what is farther from everything counts as that far
_TURNS = ((0.5, False, False), (0.4, False, False), (0.3, False, True), (0.25, False, True), (0.2, True, True),
          (0.2, True, True), (0.15, True, True), (0.15, True, True), (0.12, True, True))  # fmt: skip
"""Metres within which a point and a marker may be one, and whether rotations and the shape are free."""
_SOFT = Weights(residual=10.0)
_SEEN = 0.5  # of what the voting frames usually show, below which a frame has no vote
_FOLLOWS = 0.10  # metres: a trajectory that stays farther from a marker's place is not that marker's
_CHECKS = 3  # times at most that the trajectories are handed out again


@dataclass(frozen=True)
class Votes:
    """What a few frames say of a take's trajectories, if its markers are those of one layout."""

    counts: np.ndarray  # (P, M) of trajectories and markers
    miss: float  # metres, root mean square over points and markers, what has no partner counting as far off


def votes_of_frames(
    points: BodyPoints, prior: Prior, p: np.ndarray, seen: np.ndarray, frames: int, report: Callable[[float], None]
) -> Votes:
    """Lay a body's markers among the points of a few frames.

    Args:
        points: M markers on a body.
        prior: of poses.
        p: (F, P, 3) metres, Z up, any finite number where unseen.
        seen: (F, P) bool, true somewhere.
        frames: how many vote.
        report: called with the fraction done.
    """
    guesses = _fitted(points, _starts(points, prior, p, seen, _voting_frames(seen, frames)), prior, p, seen, report)
    counts = np.zeros((p.shape[1], len(points)))
    for guess in guesses:
        np.add.at(counts, (guess.columns, guess.markers), 1.0 / (MARKER_SIGMA + guess.miss))
    return Votes(counts, float(np.median([guess.miss for guess in guesses])))


def markers_of(placed: PlacedMarkers, prior: Prior, p: np.ndarray, seen: np.ndarray, votes: Votes) -> np.ndarray:
    """The marker of each trajectory (P,), -1 for none: by the votes, then by how this subject's body carries them."""
    marker_of = _handed_out(votes.counts, seen)
    for _ in range(_CHECKS):
        before = marker_of
        marker_of = _checked(placed, prior, p, seen, before)
        if (marker_of == before).all():
            break
    return marker_of


def _voting_frames(seen: np.ndarray, n: int) -> np.ndarray:
    """Frames spread over the take, the best seen of each part of it; parts in which little is seen have no say."""
    count = seen.sum(1)
    parts = np.array_split(np.arange(len(seen)), min(n, len(seen)))
    best = np.array([part[count[part].argmax()] for part in parts])
    return best[count[best] >= max(_SEEN * np.median(count[count > 0]), 1)]


@dataclass(frozen=True)
class _Guess:
    """What one frame says."""

    columns: np.ndarray  # (N,) points
    markers: np.ndarray  # (N,) and which they are
    miss: float  # metres


@dataclass(frozen=True)
class _Starts:
    state: PoseState  # S starts
    frame: np.ndarray  # (S,) of the take


def _starts(points: BodyPoints, prior: Prior, p: np.ndarray, seen: np.ndarray, frames: np.ndarray) -> _Starts:
    """The poses and headings whose markers look most like the points of each frame."""
    z = np.concatenate([np.zeros((1, prior.latent_dim)), prior.sample(_POSES - 1, 0)])
    poses = explained(prior, z, np.broadcast_to(Y_UP_TO_Z_UP, (_POSES, 3, 3)))
    x = place(points, poses.on(points.bones))[0]
    centre = x.mean(1)
    x = x - centre[:, None]
    heading = exp_so3(np.linspace(0, 2 * np.pi, _HEADINGS, endpoint=False)[:, None] * [0.0, 0.0, 1.0])
    chosen, R, t, of = [], [], [], []
    for f in frames:
        mean = p[f, seen[f]].mean(0)
        unlike = np.stack([_unlike(p[f, seen[f]] - mean, x @ turn.T) for turn in heading])
        for best in np.argsort(unlike, axis=None)[:_KEPT]:
            k, n = np.unravel_index(best, unlike.shape)
            chosen.append(n)
            R.append(heading[k])
            t.append(mean - heading[k] @ centre[n])
            of.append(f)
    return _Starts(moved_rigidly(points.bones, poses.take(np.array(chosen)), np.array(R), np.array(t)), np.array(of))


def _unlike(p: np.ndarray, x: np.ndarray) -> np.ndarray:
    """How far points (P, 3) and each of N sets of markers (N, M, 3) are from their nearest ones, metres."""
    squared = np.sum(x**2, -1)[..., None] + np.sum(p**2, -1) - 2 * x @ p.T
    apart = np.sqrt(np.clip(squared, 0, _REACH**2))
    return apart.min(2).mean(1) + apart.min(1).mean(1)


def _fitted(
    points: BodyPoints, starts: _Starts, prior: Prior, p: np.ndarray, seen: np.ndarray, report: Callable[[float], None]
) -> list[_Guess]:
    """The best fit of each frame."""
    n_betas = points.shape_dirs.shape[2]
    state = starts.state.changed(betas=np.zeros((len(starts.frame), n_betas)))
    for turn, (within, bent, shaped) in enumerate(_TURNS):
        matches = _matches(points, state, starts.frame, p, seen, within)
        targets, confidence = np.zeros((len(state), len(points), 3)), np.zeros((len(state), len(points)))
        for row, guess in enumerate(matches):
            targets[row, guess.markers] = p[starts.frame[row], guess.columns]
            confidence[row, guess.markers] = 1
        position = Position(confidence, 2 * MARKER_SIGMA, points, targets)
        unknowns = Unknowns(residual=bent, betas=shaped)
        stage = Stage(unknowns, _SOFT, heard_within(0.15), iterations=6, damping=1e-2, tolerance=1e-2)
        state, _ = minimise(Problem(points.bones, prior, (position,)), state, stage)
        report((turn + 1) / len(_TURNS))
    matches = _matches(points, state, starts.frame, p, seen, _TURNS[-1][0])
    rows = (np.flatnonzero(starts.frame == frame).tolist() for frame in np.unique(starts.frame))
    return [min((matches[row] for row in some), key=lambda guess: guess.miss) for some in rows]


def _matches(
    points: BodyPoints, state: PoseState, frame: np.ndarray, p: np.ndarray, seen: np.ndarray, within: float
) -> list[_Guess]:
    """Points and markers that are one, at each state of the body."""
    x = place(points, state.on(points.bones))[0]
    found = []
    for row, f in enumerate(frame.tolist()):
        columns = np.flatnonzero(seen[f])
        apart = np.linalg.norm(p[f, columns][:, None] - x[row], axis=-1)
        c, m = pairs(np.minimum(apart, within) ** 2)
        near = apart[c, m] < within
        most = max(apart.shape)
        squares = np.sum(np.minimum(apart[c, m], within) ** 2) + within**2 * (most - len(c))
        found.append(_Guess(columns[c[near]], m[near], float(np.sqrt(squares / most))))
    return found


def _handed_out(votes: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The marker of each trajectory (P,), -1 for none, by votes (P, M); those of one marker are never seen together."""
    marker_of = np.full(len(votes), -1)
    columns, markers = pairs(-votes)
    given = votes[columns, markers] > 0
    marker_of[columns[given]] = markers[given]
    taken = np.array([seen[:, marker_of == m].any(1) for m in range(votes.shape[1])])
    for column in np.argsort(-votes.max(1), kind="stable"):
        if marker_of[column] < 0:
            free = votes[column] * ~(taken & seen[:, column]).any(1)
            if free.max() > 0:
                marker_of[column] = free.argmax()
                taken[marker_of[column]] |= seen[:, column]
    return marker_of


def _checked(
    placed: PlacedMarkers, prior: Prior, points: np.ndarray, seen: np.ndarray, marker_of: np.ndarray
) -> np.ndarray:
    """The marker of each trajectory, by how near it stays to the markers of the subject who has them so."""
    labelled, there = _gathered(points, seen, marker_of, len(placed.points))
    subject = calibrate_subject(placed, prior, labelled, there, None, lambda fraction, text: None)
    x = place(subject.points, subject.poses.changed(betas=np.zeros((len(subject.poses), 0))).on(subject.points.bones))[
        0
    ]
    votes = np.zeros((points.shape[1], len(placed.points)))
    for row, f in enumerate(subject.frames.tolist()):
        columns = np.flatnonzero(seen[f])
        apart = np.linalg.norm(points[f, columns][:, None] - x[row], axis=-1)
        votes[columns] += np.maximum(_FOLLOWS - apart, 0)
    return _handed_out(votes, seen)


def _gathered(
    points: np.ndarray, seen: np.ndarray, marker_of: np.ndarray, n_markers: int
) -> tuple[np.ndarray, np.ndarray]:
    """Markers (F, M, 3) and which are seen (F, M), of the trajectories that make them up."""
    labelled, there = np.zeros((len(points), n_markers, 3)), np.zeros((len(points), n_markers), dtype=bool)
    for column in np.flatnonzero(marker_of >= 0):
        new = seen[:, column] & ~there[:, marker_of[column]]
        labelled[new, marker_of[column]] = points[new, column]
        there[:, marker_of[column]] |= new
    return labelled, there
