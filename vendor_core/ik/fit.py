# SPDX-License-Identifier: Apache-2.0
"""Solving poses from 3D points: checks the targets, chooses the start, runs the stages, reports each frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import as_float64
from ..body import BodyModel
from ..errors import TargetError
from ..linalg import one_blas_thread
from ..motion import HELD, SOLVED
from ..prior.base import Prior
from ..skeleton import N_BODY
from .initialiser import guessed_starts, nearest_start, start_from_joints
from .points import N_BETAS, BodyPoints, fitted_length, joint_points, place
from .problem import Problem, Stage
from .residuals import Hearing, Position
from .solver import minimise_in_chunks
from .state import PoseState, Unknowns, rest_state

_SIGMA = 0.003  # metres: the error of a joint that costs one unit
_FIND = Stage(Unknowns(residual=False), hearing=Hearing(softness=7.0), iterations=20, tolerance=1e-2)
_REACH = Stage(iterations=20, damping=1e-3, tolerance=0.1)
_FARTHEST = 1.0e5  # metres; anything beyond is a damaged number, whose square would overflow


@dataclass(frozen=True)
class Solution:
    """Poses of F frames that reach their targets."""

    state: PoseState
    points: np.ndarray  # (F, P, 3) where the body's points are, metres
    residual: np.ndarray  # (F, P) metres from the target, NaN where unseen
    status: np.ndarray  # (F,) uint8: SOLVED, or HELD where nothing was seen

    @property
    def R_local(self) -> np.ndarray:
        """(F, J, 3, 3), the root's world orientation first."""
        return self.state.R_local

    @property
    def trans(self) -> np.ndarray:
        """(F, 3) metres; the pelvis is at its rest position plus this."""
        return self.state.trans

    @property
    def betas(self) -> np.ndarray:
        """(F, B)."""
        return self.state.betas

    @property
    def z(self) -> np.ndarray:
        """(F, L) latents."""
        return self.state.z


@one_blas_thread
def fit_joints(
    body: BodyModel,
    prior: Prior,
    names: Sequence[str],
    positions: np.ndarray,
    weights: np.ndarray | None = None,
    start: Solution | None = None,
    shape: bool = False,
    report: Callable[[float], None] = lambda fraction: None,
) -> Solution:
    """Solve poses whose joints are at given positions.

    Args:
        body: the body; its rest joints are those of zero betas.
        prior: makes what is not seen plausible.
        names: P joint names of `skeleton.JOINTS`.
        positions: (F, P, 3) metres in any world frame, NaN where unseen.
        weights: (P,) or (F, P), 1 by default.
        start: an earlier solution of F frames, or of one frame, to start from.
        shape: solve for betas too, frame by frame.
        report: called with the fraction done.

    Returns:
        A solution of F frames. A frame in which nothing is seen holds the nearest solved pose and says so.

    Raises:
        TargetError: unknown joints, wrong shapes, or no joint seen in any frame.
    """
    body = body.first_betas(N_BETAS)
    index = joints_named(body, names)
    points = joint_points(body, index)
    targets, confidence = checked_targets(positions, weights, len(points))
    seen = confidence > 0
    empty = ~seen.any(1)
    solved = np.flatnonzero(~empty)
    position = Position(confidence[solved], _SIGMA, points, targets[solved])
    n_betas = points.shape_dirs.shape[2] if shape else 0
    state, guessed = _expected(position, prior, body, index, seen[solved])
    problem = Problem(points.bones, prior, (position,), anchor=state.z)
    if start is not None:
        state = _given_start(start, solved, len(targets))
    elif len(guessed):
        found, _ = minimise_in_chunks(problem.take(guessed), state.take(guessed), _FIND)
        state = state.put(guessed, found)
    state = state.changed(betas=fitted_length(state.betas, n_betas))
    state, _ = minimise_in_chunks(problem, state, replace(_REACH, unknowns=Unknowns(betas=shape)), report)
    return solution_of(points, state, solved, targets, confidence)


def joints_named(body: BodyModel, names: Sequence[str]) -> list[int]:
    """Indices of joints of a body.

    Raises:
        TargetError: a name that is no joint of the body.
    """
    for name in names:
        if name not in body.joint_names:
            known = ", ".join(body.joint_names[:N_BODY])
            raise TargetError(f'"{name}" is no joint of {body.name}; expected one of {known}')
    return [body.joint_names.index(name) for name in names]


def checked_targets(
    positions: np.ndarray, weights: np.ndarray | None, n_points: int, may_be_unseen: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Finite targets (F, P, 3) and confidences (F, P), zero where a position is NaN or nowhere near.

    Raises:
        TargetError: wrong shapes, no numbers, negative weights, or nothing seen at all where something must be.
    """
    positions = np.asarray(positions)
    if positions.dtype.kind not in "fiu" or positions.ndim != 3 or positions.shape[1:] != (n_points, 3):
        raise TargetError(
            f"positions have shape {positions.shape} of {positions.dtype}; expected (frames, {n_points}, 3) in metres"
        )
    confidence = np.ones(positions.shape[:2]) if weights is None else np.asarray(weights, dtype=np.float64)
    if confidence.shape not in ((n_points,), positions.shape[:2]) or not np.all(confidence >= 0):
        raise TargetError(f"weights have shape {confidence.shape}; expected one number of at least 0 a point")
    confidence = np.broadcast_to(confidence, positions.shape[:2])
    with np.errstate(invalid="ignore"):
        finite = (np.abs(positions) <= _FARTHEST).all(-1) & np.isfinite(confidence)
    confidence = np.where(finite, confidence, 0.0)
    if not (may_be_unseen or np.any(confidence > 0)):
        raise TargetError("no target is seen in any frame; expected at least one finite position of positive weight")
    return np.where(finite[..., None], positions, 0.0).astype(np.float64), confidence


def _expected(
    position: Position, prior: Prior, body: BodyModel, index: Sequence[int], seen: np.ndarray
) -> tuple[PoseState, np.ndarray]:
    """The poses to expect: read off the bones where all joints are seen, else guessed; and the rows of the latter."""
    n_frames = len(position.targets)
    joints, known = np.zeros((n_frames, N_BODY, 3)), np.zeros((n_frames, N_BODY), bool)
    for column, joint in enumerate(index):
        if joint < N_BODY:
            joints[:, joint], known[:, joint] = position.targets[:, column], seen[:, column]
    whole = known.all(1)
    rich, poor = np.flatnonzero(whole), np.flatnonzero(~whole)
    if not len(poor):
        return start_from_joints(prior, body.joints_template[:N_BODY], joints), poor
    state = rest_state(prior, n_frames, 0, np.zeros(0))
    if len(rich):
        state = state.put(rich, start_from_joints(prior, body.joints_template[:N_BODY], joints[rich]))
    return state.put(poor, nearest_start(position.take(poor), guessed_starts(prior, joints[poor], known[poor]))), poor


def _given_start(start: Solution, solved: np.ndarray, n_frames: int) -> PoseState:
    if len(start.state) not in (1, n_frames):
        raise TargetError(f"the start has {len(start.state)} frames; expected 1 or {n_frames}")
    return start.state.take(solved if len(start.state) == n_frames else np.zeros(len(solved), np.int64))


def solution_of(
    points: BodyPoints, state: PoseState, solved: np.ndarray, targets: np.ndarray, confidence: np.ndarray
) -> Solution:
    """The solution of all F frames from the states of those that were solved; the others hold the nearest."""
    state = state.take(nearest_of(solved, len(targets)))
    x = as_float64(place(points, state.on(points.bones))[0])
    residual = np.where(confidence > 0, np.linalg.norm(x - targets, axis=-1), np.nan)
    status = np.full(len(targets), HELD, np.uint8)
    status[solved] = SOLVED
    return Solution(state, x, residual, status)


def nearest_of(solved: np.ndarray, n_frames: int) -> np.ndarray:
    """For each of n frames the row, in the sorted list of solved frames, of the one nearest to it."""
    frames = np.arange(n_frames)
    right = np.clip(np.searchsorted(solved, frames), 0, len(solved) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(frames - solved[left] <= np.abs(solved[right] - frames), left, right)
