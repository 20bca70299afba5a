# SPDX-License-Identifier: Apache-2.0
"""A subject's shape and marker offsets, estimated once from a few spread frames of a take.

Stages (figures of MARKERS.md taught their order): poses on the mean body under a wide robust loss; betas; markers that
sit far from the table are moved to where they are seen; betas and offsets together. The most different frames go
through these, all others join in then. What the model cannot explain is the same in neighbouring frames, noise is not:
where markers turn out clean, they are listened to more sharply, and the neighbours of the frames join in.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..errors import TargetError
from ..ik.calibration import Shared, SharedPrior, calibrate
from ..ik.points import BodyPoints, blended_rotations, fitted_length
from ..ik.problem import Problem, Stage, Weights
from ..ik.residuals import Hearing, Position
from ..ik.solver import minimise, minimise_in_chunks
from ..ik.state import PoseState, Unknowns, joined
from ..prior.base import Prior
from .calibration_frames import N_FRAMES, spread_frames, usable_frames, with_neighbours
from .marker_points import PlacedMarkers
from .pose_starts import most_similar, trunk_start

MARKER_SIGMA = 0.010  # metres: the error of a marker that costs one unit
MARKER_WEIGHTS = Weights(residual=10.0)
_FEW = 16  # frames that find what is far off, before all join in
_SOFT = 0.014  # metres: see `_soft`
_LEAST_SIGMA = 0.0005  # metres
_POSE_WEIGHT, _LATENT_WEIGHT = 60.0, 4.0  # of all frames together: a subject strays from the prior alike in each
_OFFSET_WEIGHT = 2.0
_BETAS_WEIGHT = 1.0
_NEAR = 0.04  # metres: scale of the robust loss in the end
_SHARPER = 0.5  # a sigma that is not this much smaller is not worth another turn
_TURNS = 2
_ROUGH = 1e-3  # tolerance of what is estimated again with more frames
_FAR = 4.0  # sigmas from its place at which a marker is re-anchored
_KNOWN_SIGMA = 1e-6  # metres, of a marker whose place is known
_LOOSE = 0.10  # metres, sigma of a re-anchored marker


@dataclass(frozen=True)
class Subject:
    """What is known of a subject after calibration."""

    points: BodyPoints  # the markers where they sit, on the body of the subject's betas
    betas: np.ndarray  # (B,)
    offsets: np.ndarray  # (M, 3) metres from where they were placed
    frames: np.ndarray  # (K,) the frames used, the most different first
    poses: PoseState  # of those frames
    soles: BodyPoints | None = None  # on the same body as the points; None: feet are not held


def calibrate_subject(
    placed: PlacedMarkers, prior: Prior, markers: np.ndarray, seen: np.ndarray, betas: np.ndarray | None,
    report: Callable[[float, str], None],
) -> Subject:  # fmt: skip
    """Estimate betas (unless they are given, then they stay exactly) and marker offsets.

    Args:
        placed: the take's markers on the body; those whose sigma is zero stay where they are.
        prior: of poses.
        markers: (F, M, 3) metres, any number where unseen; one that is not finite counts as unseen.
        seen: (F, M) bool.
        betas: (B,) known betas, or None to estimate them.
        report: progress, fraction and text.

    Raises:
        TargetError: betas that are not finite, or no frame that shows four markers.
    """
    if betas is not None and not np.isfinite(betas).all():
        raise TargetError("the betas given hold NaN or infinity; expected finite numbers, or none to estimate them")
    markers, seen, rows = usable_frames(markers, seen)
    fixed = (placed.sigma == 0).all(1)
    complete = betas is not None and bool(fixed.all())
    frames = spread_frames(markers, seen, _FEW if complete else N_FRAMES)
    position = Position(seen[frames].astype(float), MARKER_SIGMA, placed.points, markers[frames])
    every = Problem(placed.points.bones, prior, (position,))
    few = every.take(np.arange(min(_FEW, len(frames))))
    state, shared = _shaped(few, betas, report)
    if complete:
        return _subject(placed, shared, rows[frames], state)
    report(0.5, "Estimating marker offsets")
    offsets, offset_sigma = _reanchored(_position(few), state, np.maximum(placed.sigma, _KNOWN_SIGMA), fixed)
    shared = replace(shared, offsets=offsets)
    expected = SharedPrior(_BETAS_WEIGHT if betas is None else None, offset_sigma, _OFFSET_WEIGHT)
    for scale in (0.15, _NEAR):
        state, shared = _with_offsets(few, state, shared, expected, scale, _ROUGH)
    report(0.6, "Estimating marker offsets")
    if len(frames) > len(state):
        state = _others_posed(every, state, shared)
        state, shared = _with_offsets(every, state, shared, expected, _NEAR)
    report(0.8, "Sharpening marker offsets")
    around = with_neighbours(frames, len(markers))
    wide = replace(position, confidence=seen[around].astype(float), targets=markers[around])
    state, shared = _sharpened(replace(every, residuals=(wide,)), state, shared, expected)
    return _subject(placed, replace(shared, offsets=np.where(fixed[:, None], 0.0, shared.offsets)), rows[frames], state)


def _subject(placed: PlacedMarkers, shared: Shared, frames: np.ndarray, poses: PoseState) -> Subject:
    points = placed.points.with_offsets(shared.offsets).with_betas(shared.betas)
    soles = None if placed.soles is None else placed.soles.with_betas(shared.betas)
    return Subject(points, shared.betas, shared.offsets, frames, poses, soles)


def _position(problem: Problem) -> Position:
    (position,) = problem.residuals
    assert isinstance(position, Position)
    return position


def _shaped(
    problem: Problem, betas: np.ndarray | None, report: Callable[[float, str], None]
) -> tuple[PoseState, Shared]:
    """Poses, and the betas that explain the markers at the table's places, or those that are given."""
    points = _position(problem).points
    n_betas = points.shape_dirs.shape[2]
    known = np.zeros(n_betas) if betas is None else fitted_length(betas, n_betas)
    state, shared = _first_poses(problem, known), Shared(known, np.zeros((len(points), 3)))
    report(0.3, "Estimating shape")
    for scale in (0.3, 0.1, _NEAR) if betas is None else ():
        stage = _stage(MARKER_WEIGHTS, scale, MARKER_SIGMA, 10, tolerance=_ROUGH)
        state, shared, _ = calibrate(problem, state, shared, SharedPrior(_BETAS_WEIGHT, None), stage)
    return state, shared


def _with_offsets(
    problem: Problem, state: PoseState, shared: Shared, expected: SharedPrior, scale: float, tolerance: float = 1e-4
) -> tuple[PoseState, Shared]:
    """Poses and what they share, offsets included, under a robust loss of a scale in metres."""
    sigma = _soft(len(state))
    stage = _stage(_shared_weights(len(state)), scale, sigma, 15, tolerance)
    state, shared, _ = calibrate(_heard_at(problem, sigma), state, shared, expected, stage)
    return state, shared


def _others_posed(problem: Problem, state: PoseState, shared: Shared) -> PoseState:
    """Poses of all frames on the subject as it is known, those of the first frames given."""
    position = _position(problem)
    n = len(position.targets)
    points, others = position.points.with_offsets(shared.offsets).with_betas(shared.betas), np.arange(len(state), n)
    there = replace(position, points=points, sigma=_soft(n)).take(others)
    start = most_similar(points, state, there.targets, there.confidence)
    poses = Problem(points.bones, problem.prior, (there,))
    found, _ = minimise_in_chunks(poses, start, _stage(_shared_weights(n), _NEAR, _soft(n), 8, tolerance=1e-2))
    betas = np.broadcast_to(shared.betas, (len(others), len(shared.betas))).copy()
    return joined([state, found.changed(betas=betas)])


def _first_poses(problem: Problem, betas: np.ndarray) -> PoseState:
    """Poses on the body of the betas, under a robust loss that narrows."""
    state = trunk_start(_position(problem), problem.prior, len(betas))
    state = state.changed(betas=np.broadcast_to(betas, (len(state), len(betas))).copy())
    for scale, residual in ((0.6, False), (0.15, False), (0.15, True), (_NEAR, True)):
        stage = Stage(Unknowns(residual=residual), MARKER_WEIGHTS, heard_within(scale), iterations=15, tolerance=1e-2)
        state, _ = minimise(problem, state, stage)
    return state


def _sharpened(problem: Problem, state: PoseState, shared: Shared, prior: SharedPrior) -> tuple[PoseState, Shared]:
    """Poses of the first third of the frames and what all share, as sharp as the markers allow.

    Args:
        problem: of 3 K frames, see `with_neighbours`.
        state: K frames.
        shared: as estimated with a sigma of `_soft(K)`.
        prior: of the shared unknowns.
    """
    n, sigma, weights = len(state), _soft(len(state)), _shared_weights(3 * len(state))
    some = np.arange(min(n, _FEW))
    state = joined([state] * 3)
    for _ in range(_TURNS):
        rows = np.concatenate([some, some + n, some + 2 * n])  # enough to tell noise from misfit
        r, heard, part = _missed(problem.take(rows), state.take(rows), shared, sigma, weights)
        found = min(_sigma_of(r, heard, 3 * n), sigma)
        if found > _SHARPER * sigma:
            break
        sigma, state = found, state.put(rows, part)
        stage = _stage(weights, _NEAR, sigma, 10)
        state, shared, _ = calibrate(_heard_at(problem, sigma), state, shared, prior, stage)
    return state.take(np.arange(n)), shared


def _missed(
    problem: Problem, state: PoseState, shared: Shared, sigma: float, weights: Weights
) -> tuple[np.ndarray, np.ndarray, PoseState]:
    """Errors (3, K, M, 3) metres of 3 K frames posed on the subject, which of them (3, K, M) are heard; the poses."""
    position = _position(problem)
    points = position.points.with_offsets(shared.offsets).with_betas(shared.betas)
    there, n = replace(position, points=points, sigma=sigma), len(state) // 3
    poses = Problem(points.bones, problem.prior, (there,))
    alone = state.changed(betas=np.zeros((len(state), 0)))
    alone, _ = minimise_in_chunks(poses, alone, _stage(weights, _NEAR, sigma, 6))
    r = there.error(alone.on(points.bones))
    heard = (position.confidence > 0) & (np.linalg.norm(r, axis=-1) < _NEAR)
    return r.reshape(3, n, -1, 3), heard.reshape(3, n, -1), alone.changed(betas=state.betas)


def _sigma_of(r: np.ndarray, heard: np.ndarray, n_frames: int) -> float:
    """The sigma of a marker by which F frames count for what they tell, metres.

    `sigma^2 = 2 noise^2 + F misfit^2`: what neighbouring frames have in common is misfit, it repeats in all F frames,
    which so tell no more than one; the rest is noise, about half of which the poses have followed.

    Args:
        r: (3, K, M, 3) metres, errors in frames, those after them and those before them.
        heard: (3, K, M) bool.
        n_frames: F.
    """
    both = heard[[0, 0]] & heard[[1, 2]]
    if not both.any():
        return np.inf
    here, there = r[[0, 0]][both], r[[1, 2]][both]
    misfit = max(float(np.mean(here * there)), 0.0)
    noise = max(float(np.mean(here * here + there * there)) / 2 - misfit, _LEAST_SIGMA**2)
    return float(np.sqrt(2 * noise + n_frames * misfit))


def _soft(n_frames: int) -> float:
    """The sigma of a marker, metres, before it is known how well the model explains markers.

    Few frames are to tell as much of what they share as many.
    """
    return _SOFT * float(np.sqrt(n_frames / N_FRAMES))


def _shared_weights(n_frames: int) -> Weights:
    """Weights by which F frames together ask of the poses what one would: the prior's errors do not average out."""
    return Weights(latent=_LATENT_WEIGHT / n_frames, residual=_POSE_WEIGHT / n_frames)


def _heard_at(problem: Problem, sigma: float) -> Problem:
    """The problem with another sigma, metres, of its markers."""
    return replace(problem, residuals=tuple(replace(residual, sigma=sigma) for residual in problem.residuals))


def heard_within(metres: float) -> Hearing:
    """Markers farther than this from their place are believed less and less."""
    return Hearing(robust=metres / MARKER_SIGMA)


def _stage(weights: Weights, scale: float, sigma: float, iterations: int, tolerance: float = 1e-4) -> Stage:
    return Stage(Unknowns(), weights, Hearing(robust=scale / sigma), iterations, damping=1e-2, tolerance=tolerance)


def _reanchored(
    position: Position, state: PoseState, sigma: np.ndarray, fixed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (M, 3) and sigmas of markers that are seen far from the table's place; zero offsets for the others,
    and for those that are fixed (M,).
    """
    pose = state.on(position.points.bones)
    G = blended_rotations(position.points, pose.G)
    local = (np.swapaxes(G, 2, 3) @ -position.error(pose)[..., None])[..., 0]
    local[position.confidence == 0] = np.nan
    seen = (position.confidence > 0).any(0)
    median = np.zeros_like(sigma)
    median[seen] = np.nanmedian(local[:, seen], axis=0)
    far = (np.linalg.norm(median / sigma, axis=1) > _FAR) & ~fixed
    return np.where(far[:, None], median, 0.0), np.where(far[:, None], np.maximum(sigma, _LOOSE), sigma)
