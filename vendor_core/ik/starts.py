# SPDX-License-Identifier: Apache-2.0
"""Where the frames of a problem start, whatever kinds of keypoints it mixes.

All 22 joints seen: the prior's guess, which is near. Some points seen in space: its guess of the joints among them with
Y up or Z up, whichever fits after a rigid motion. Seen by a camera alone: upright in the image, under several headings,
at the place where it looks as large as it is (SMPLify's first step, Bogo et al. 2016), each followed for a while.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import as_float64
from ..rotations import exp_so3
from ..skeleton import N_BODY
from .camera import place_before
from .initialiser import first_guess, guessed_starts, nearest_start
from .points import BodyPoints, place
from .problem import Problem, Stage
from .residuals import Hearing, Orientation, Pinhole, Position
from .solver import minimise_in_chunks
from .state import PoseState, Unknowns, explained

_HEADINGS = 6  # about the upright axis, from which a body seen by a camera may start
_FOLLOWED = Stage(Unknowns(residual=False), hearing=Hearing(softness=4.0), iterations=12, tolerance=1e-2)
_ASTRAY = 0.2  # metres from the first guess, beyond which a doubted joint is left out of the second
_GUESSED_TURN = 0.15  # radians: sigma of a guessed turn of the pelvis
_IMAGE_UP = np.diag([1.0, -1.0, -1.0])  # camera axes of a body upright in the image that faces the camera


@dataclass(frozen=True)
class SeenJoints:
    """What of the 22 body joints is seen in space."""

    positions: np.ndarray  # (F, 22, 3) metres, anything where unseen
    known: np.ndarray  # (F, 22) bool

    def take(self, rows: np.ndarray) -> "SeenJoints":
        """The frames of an index array."""
        return SeenJoints(self.positions[rows], self.known[rows])


def first_states(problem: Problem, seen: SeenJoints, doubted: bool = False) -> tuple[PoseState, np.ndarray]:
    """Where to start each of F frames, and the rows whose start is a guess, to be looked at from afar first.

    Args:
        problem: F frames.
        seen: the joints to guess from.
        doubted: some joints may be far astray.
    """
    whole, n_frames = seen.known.all(1), len(seen.known)
    if whole.all():
        return _guessed_whole(problem, seen, doubted), np.zeros(0, np.int64)
    position = _merged([r for r in problem.residuals if isinstance(r, Position)])
    spatial = np.zeros(n_frames, bool) if position is None else (position.confidence > 0).any(1)
    cameras = [r for r in problem.residuals if isinstance(r, Pinhole)]
    state = _turned_as_asked(problem, _centre(problem, n_frames))
    if (rich := np.flatnonzero(whole)).size:
        state = state.put(rich, _guessed_whole(problem, seen.take(rich), doubted))
    if position is not None and (some := np.flatnonzero(spatial & ~whole)).size:
        part = seen.take(some)
        starts = guessed_starts(problem.prior, problem.bones, part.positions, part.known)
        if not part.known.any():  # nothing to guess from
            starts = [state.take(some)]
        # A few joints aligned rigidly would turn the body any way; the guess knows better, where it had any to go by.
        state = state.put(
            some, nearest_start(position.take(some), starts, turned=np.logical_not(part.known.any(axis=1)))
        )
    if cameras and (flat := np.flatnonzero(~spatial & (cameras[0].confidence > 0).any(1))).size:
        state = state.put(flat, _before_camera(problem.take(flat), cameras[0].take(flat)))
    return state, np.flatnonzero(~whole)


def guessed_turn(
    problem: Problem, state: PoseState, seen: SeenJoints, solved: np.ndarray, rows: np.ndarray
) -> Orientation | None:
    """The pelvis' turn as it was guessed, to be kept within some degrees; None where nothing is guessed from joints.

    Head and hands alone, say, hardly tell which way the hips face: what is left to the least cost may be far off.

    Args:
        problem: F frames.
        state: the starts of the frames that are solved.
        seen: their joints.
        solved: which of the F frames these are.
        rows: which of the starts are guesses.
    """
    some = rows[seen.known[rows].any(1)]
    if not some.size or any(isinstance(r, Orientation) and 0 in r.joints for r in problem.residuals):
        return None
    n_frames = len(problem.residuals[0].confidence)
    confidence, targets = np.zeros((n_frames, 1)), np.broadcast_to(np.eye(3), (n_frames, 1, 3, 3)).copy()
    confidence[solved[some]], targets[solved[some]] = 1.0, state.R_local[some, :1]
    return Orientation(confidence, _GUESSED_TURN, (0,), targets)


def _guessed_whole(problem: Problem, seen: SeenJoints, doubted: bool) -> PoseState:
    state = _guessed(problem, seen)
    if not doubted:
        return state
    # One joint astray leads the guess astray around it, but not as far: without it the second guess is near.
    p = as_float64(state.on(problem.bones).p)[:, :N_BODY]
    apart = p - seen.positions
    missed = np.linalg.norm(apart - np.median(apart, axis=1, keepdims=True), axis=-1)
    near = missed < _ASTRAY
    return _guessed(problem, replace(seen, known=near | ~near.any(axis=1, keepdims=True)))


def _guessed(problem: Problem, seen: SeenJoints) -> PoseState:
    """The guess, each frame's pelvis where that is seen, else where the joints that are seen lie best."""
    z, R_root = first_guess(problem.prior, problem.bones, seen.positions, seen.known)
    state = explained(problem.prior, z, R_root, 0, len(problem.bones))
    trans = seen.positions[:, 0] - as_float64(problem.bones.rest[0])
    if (lost := np.flatnonzero(~seen.known[:, 0])).size:
        apart = seen.positions[lost] - as_float64(state.take(lost).on(problem.bones).p)[:, :N_BODY]
        trans[lost] = as_float64(state.trans)[lost] + np.nanmedian(
            np.where(seen.known[lost][..., None], apart, np.nan), axis=1
        )
    return state.changed(trans=trans)


def _centre(problem: Problem, n_frames: int) -> PoseState:
    z = np.tile(problem.prior.centre, (n_frames, 1))
    upright = np.broadcast_to(np.eye(3), (n_frames, 3, 3))
    return explained(problem.prior, z, upright, 0, len(problem.bones))


def _turned_as_asked(problem: Problem, state: PoseState) -> PoseState:
    """The states with the pelvis turned to its target where it has one."""
    R_local = state.R_local.copy()
    for residual in problem.residuals:
        if isinstance(residual, Orientation) and 0 in residual.joints:
            column = residual.joints.index(0)
            rows = residual.confidence[:, column] > 0
            R_local[rows, 0] = residual.targets[rows, column]
    return state.changed(R_local=R_local)


def _merged(positions: list[Position]) -> Position | None:
    """All points that have a place in space as one residual, for alignment: correctives do not matter there."""
    if not positions:
        return None
    if len(positions) == 1:
        return positions[0]
    every = [p.points for p in positions]
    points = BodyPoints(
        tuple(name for p in every for name in p.names),
        every[0].bones,
        *(np.concatenate([getattr(p, name) for p in every]) for name in ("rest", "weights", "shape_dirs")),
    )
    confidence = np.concatenate([p.confidence * (positions[0].sigma / p.sigma) ** 2 for p in positions], axis=1)
    return Position(confidence, positions[0].sigma, points, np.concatenate([p.targets for p in positions], axis=1))


def _before_camera(problem: Problem, seen: Pinhole) -> PoseState:
    """For each frame the heading that costs least once followed."""
    n_frames = len(seen.confidence)
    R_world_camera = np.swapaxes(np.broadcast_to(seen.camera.R_camera_world, (n_frames, 3, 3)), 1, 2)
    best, best_cost = None, np.zeros(n_frames)
    for heading in np.arange(_HEADINGS) * (2 * np.pi / _HEADINGS):
        state = _centre(problem, n_frames)
        R_local = state.R_local.copy()
        R_local[:, 0] = R_world_camera @ _IMAGE_UP @ exp_so3(np.array([0.0, heading, 0.0]))
        state = state.changed(R_local=R_local)
        p_world = place(seen.points, state.on(problem.bones))[0]
        state = state.changed(trans=state.trans + place_before(seen.camera, p_world, seen.targets, seen.confidence))
        state, cost = minimise_in_chunks(replace(problem, anchor=None), state, _FOLLOWED)
        best, best_cost = (
            (state, cost) if best is None else (state.where(cost < best_cost, best), np.minimum(cost, best_cost))
        )
    assert best is not None
    return best
