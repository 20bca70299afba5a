# SPDX-License-Identifier: Apache-2.0
"""Takes without labels: which point is which marker, by where the markers of a body can be.

In a few frames, poses drawn from the prior are laid among the points and those that look most alike are fitted, points
and markers assigned anew at each turn (iterative closest points, Besl and McKay 1992, with the one-to-one assignment of
`assigned`). The frames vote on each point's trajectory.
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
from .subject import MARKER_SIGMA, heard_within
from .trajectories import handed_out

_POSES, _HEADINGS = 150, 16  # draws from the prior, and directions each
_REACH = 0.25  # metres: what is farther from everything counts as that far
_TURNS = ((0.5, False, False), (0.4, False, False), (0.3, False, True), (0.25, False, True), (0.2, True, True),
          (0.2, True, True), (0.15, True, True), (0.15, True, True), (0.12, True, True))  # fmt: skip
"""Metres within which a point and a marker may be one, and whether rotations and the shape are free."""
_SOFT = Weights(residual=10.0)
_SEEN = 0.5  # of what the voting frames usually show, below which a frame has no vote
_MAJORITY = 0.4  # of the frames that show a trajectory, fewer of which make it no marker


@dataclass(frozen=True)
class Votes:
    """What a few frames say of a take's trajectories, if its markers are those of one layout."""

    marker_of: np.ndarray  # (P,) of each trajectory, -1 for none
    miss: float  # metres, root mean square over markers, one without a point counting as far off
    unlike: float  # metres, that over markers and points, so that what is left over counts too


def votes_of_frames(
    points: BodyPoints, prior: Prior, p: np.ndarray, seen: np.ndarray, frames: int, kept: int,
    report: Callable[[float], None],
) -> Votes:  # fmt: skip
    """Lay a body's markers among the points of a few frames.

    Args:
        points: M markers on a body.
        prior: of poses.
        p: (F, P, 3) metres, Z up, any finite number where unseen.
        seen: (F, P) bool, true somewhere.
        frames: how many vote.
        kept: how many poses, those most alike, are fitted to each of them.
        report: called with the fraction done.
    """
    guesses = _fitted(
        points, _starts(points, prior, p, seen, _voting_frames(seen, frames), kept), prior, p, seen, report
    )
    counts, most = np.zeros((p.shape[1], len(points))), np.zeros(p.shape[1])
    for guess in guesses:
        weight = 1.0 / (MARKER_SIGMA + guess.miss)
        np.add.at(counts, (guess.columns, guess.markers), weight)
        most += weight * seen[guess.frame]
    marker_of = handed_out(counts, _MAJORITY * most, seen)
    miss, unlike = (float(np.median([getattr(guess, name) for guess in guesses])) for name in ("miss", "unlike"))
    return Votes(marker_of, miss, unlike)


def _voting_frames(seen: np.ndarray, n: int) -> np.ndarray:
    """Frames spread over the take, the best seen of each part of it; parts in which little is seen have no say."""
    count = seen.sum(1)
    parts = np.array_split(np.arange(len(seen)), min(n, len(seen)))
    best = np.array([part[count[part].argmax()] for part in parts])
    return best[count[best] >= max(_SEEN * np.median(count[count > 0]), 1)]


@dataclass(frozen=True)
class _Guess:
    """What one frame says."""

    frame: int  # of the take
    columns: np.ndarray  # (N,) points
    markers: np.ndarray  # (N,) and which they are
    miss: float  # metres
    unlike: float  # metres


@dataclass(frozen=True)
class _Starts:
    state: PoseState  # S starts
    frame: np.ndarray  # (S,) of the take


def _starts(
    points: BodyPoints, prior: Prior, p: np.ndarray, seen: np.ndarray, frames: np.ndarray, kept: int
) -> _Starts:
    """The poses and headings whose markers look most like the points of each frame."""
    z = np.concatenate([prior.centre[None], prior.sample(_POSES - 1, 0)])
    poses = explained(prior, z, np.broadcast_to(Y_UP_TO_Z_UP, (_POSES, 3, 3)))
    x = place(points, poses.on(points.bones))[0]
    centre = np.median(x, axis=1)  # which points that are no markers hardly move
    x = x - centre[:, None]
    heading = exp_so3(np.linspace(0, 2 * np.pi, _HEADINGS, endpoint=False)[:, None] * [0.0, 0.0, 1.0])
    chosen, R, t, of = [], [], [], []
    for f in frames:
        middle = np.median(p[f, seen[f]], axis=0)
        unlike = np.stack([_unlike(p[f, seen[f]] - middle, x @ turn.T) for turn in heading])
        for best in np.argsort(unlike, axis=None)[:kept]:
            k, n = np.unravel_index(best, unlike.shape)
            chosen.append(n)
            R.append(heading[k])
            t.append(middle - heading[k] @ centre[n])
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
        n, n_points, n_markers = int(near.sum()), *apart.shape
        squares = float(np.sum(apart[c, m][near] ** 2)) + within**2 * (n_markers - n)
        all_squares, count = squares + within**2 * (n_points - n), n_points + n_markers - n
        miss, unlike = (squares / n_markers) ** 0.5, (all_squares / count) ** 0.5
        found.append(_Guess(f, columns[c[near]], m[near], miss, unlike))
    return found
