# SPDX-License-Identifier: Apache-2.0
"""Nameless trajectories told apart by the body of the subject who carries them.

The subject is calibrated with what is thought of the trajectories so far. Then markers whose places on the body suit
another's anatomy better change names, and the trajectories are handed out again to the markers that they follow.
"""

import numpy as np

from ..ik.points import blended_rotations, place
from ..ik.problem import Problem
from ..ik.residuals import Position
from ..ik.solver import minimise
from ..ik.state import PoseState
from ..prior.base import Prior
from .anatomy import better_names
from .calibration_frames import LEAST_MARKERS
from .marker_points import PlacedMarkers
from .solve_frames import FAR, NEAR, similar_start
from .subject import MARKER_SIGMA, Subject, calibrate_subject
from .trajectories import frames_to_look_at, gathered, handed_out

_TURNS = 4  # times at most that the subject is calibrated
_LOOKS, _CHUNK = 80, 400  # frames looked at, and how many are solved at once
_FOLLOWS = 0.10  # metres: a trajectory that stays farther from a marker's place is not that marker's
_LEAST = 0.35  # of full agreement, below which a trajectory is no marker: about 65 mm off at all times
_RIGID, _REACH = 0.025, 0.30  # metres: a trajectory so steady on a bone may be the marker that nobody is, so far away
_STEADY = 8  # looks that tell so
_MOST = 250  # trajectories of which this is asked
_SETTLED = 0.01  # of the marker-frames: when fewer change, the rest will not


def markers_of_subject(
    placed: PlacedMarkers, prior: Prior, p: np.ndarray, seen: np.ndarray, marker_of: np.ndarray
) -> np.ndarray:
    """The marker of each trajectory (P,), -1 for none.

    Args:
        placed: M markers on a body.
        prior: of poses.
        p: (F, P, 3) metres, Z up, any finite number where unseen.
        seen: (F, P) bool.
        marker_of: (P,) what is thought so far.
    """
    for _ in range(_TURNS):
        labelled, there = gathered(p, seen, marker_of, len(placed.points))
        subject = calibrate_subject(placed, prior, labelled, there, None, lambda fraction, text: None)
        renamed = better_names(placed, subject, np.flatnonzero(there.any(0)))
        if (renamed != np.arange(len(renamed))).any():
            marker_of = np.where(marker_of >= 0, renamed[marker_of], -1)
            continue
        before, marker_of = marker_of, _followed(subject, prior, p, seen, marker_of)
        if seen[:, marker_of != before].sum() < _SETTLED * seen.sum():
            break
    return marker_of


def _followed(subject: Subject, prior: Prior, p: np.ndarray, seen: np.ndarray, marker_of: np.ndarray) -> np.ndarray:
    """The marker of each trajectory (P,), by how near it stays to where the subject has it."""
    frames = frames_to_look_at(seen, _LOOKS)
    labelled, there = gathered(p[frames], seen[frames], marker_of, len(subject.points))
    enough = there.sum(1) >= LEAST_MARKERS
    frames, labelled, there = frames[enough], labelled[enough], there[enough]
    n = p.shape[1]
    votes, looks = np.zeros((n, len(subject.points))), np.zeros(n)
    local = np.full((len(frames), n, len(subject.points), 3), np.nan, np.float32) if n <= _MOST else None
    for part in np.array_split(np.arange(len(frames)), -(-len(frames) // _CHUNK)):
        pose = _posed(subject, prior, labelled[part], there[part]).on(subject.points.bones)
        places, turns = place(subject.points, pose)[0], blended_rotations(subject.points, pose.G)
        for k, x, turn in zip(part.tolist(), places, turns, strict=True):
            columns = np.flatnonzero(seen[frames[k]])
            off = p[frames[k], columns][:, None] - x  # (P', M, 3)
            votes[columns] += np.maximum(1 - np.linalg.norm(off, axis=-1) / _FOLLOWS, 0)
            looks[columns] += 1
            if local is not None:
                local[k, columns] = np.einsum("mij,pmi->pmj", turn, off)
    found = handed_out(votes, _LEAST * looks, seen)
    return found if local is None else _with_strays(found, local, seen)


def _posed(subject: Subject, prior: Prior, labelled: np.ndarray, there: np.ndarray) -> PoseState:
    """Poses of frames each on its own."""
    state = similar_start(subject, labelled, there)
    problem = Problem(
        subject.points.bones, prior, (Position(there.astype(float), MARKER_SIGMA, subject.points, labelled),)
    )
    for stage in (FAR, NEAR):
        state, _ = minimise(problem, state, stage)
    return state


def _with_strays(found: np.ndarray, local: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Markers found, and those that no trajectory is given to ones that keep their place near them on the body.

    Args:
        found: (P,) marker of each trajectory.
        local: (K, P, M, 3) metres, from where the subject has each marker, in its bones' frame; NaN where unseen.
        seen: (F, P) bool.
    """
    free, nobody = np.setdiff1d(np.arange(local.shape[2]), found), np.flatnonzero(found < 0)
    nobody = nobody[np.isfinite(local[:, nobody, 0, 0]).sum(0) >= min(_STEADY, len(local))]
    if not len(free) or not len(nobody):
        return found
    off = local[:, nobody][:, :, free]
    median = np.nanmedian(off, axis=0)
    spread = np.nanmedian(np.linalg.norm(off - median, axis=-1), axis=0)
    far = np.linalg.norm(median, axis=-1)
    votes = np.zeros((len(found), local.shape[2]))
    votes[np.ix_(nobody, free)] = np.where(spread < _RIGID, np.maximum(_REACH - far, 0), 0)
    strays = handed_out(votes, np.zeros(len(found)), seen)
    return np.where(found < 0, strays, found)
