# SPDX-License-Identifier: Apache-2.0
"""A subject's shape and marker offsets, estimated once from a few spread frames of a take.

Stages (figures of MARKERS.md taught their order): poses on the mean body under a wide robust loss; betas; markers that
sit far from the table are moved to where they are seen; betas and offsets together.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..ik.calibration import Shared, SharedPrior, calibrate
from ..ik.initialiser import moved_rigidly, rigid_alignment
from ..ik.points import BodyPoints, blended_rotations, fitted_length, place
from ..ik.problem import Problem, Stage, Weights
from ..ik.residuals import Hearing, Position
from ..ik.solver import minimise
from ..ik.state import PoseState, Unknowns, rest_state
from ..prior.base import Prior
from .marker_points import PlacedMarkers

MARKER_SIGMA = 0.010  # metres: the error of a marker that costs one unit
MARKER_WEIGHTS = Weights(residual=10.0)
N_FRAMES = 40
TRUNK = ("LFWT", "RFWT", "LBWT", "RBWT", "C7", "CLAV", "T10", "STRN", "LSHO", "RSHO")
_OFFSET_WEIGHT = 0.25  # of the offset prior, per frame
_BETAS_WEIGHT = 2.0
_KNOWN_BETAS_WEIGHT = 1e9  # holds betas that are given to a millionth
_FAR = 4.0  # sigmas from its place at which a marker is re-anchored
_LOOSE = 0.10  # metres, sigma of a re-anchored marker


@dataclass(frozen=True)
class Subject:
    """What is known of a subject after calibration."""

    points: BodyPoints  # the markers where they sit, on the body of the subject's betas
    betas: np.ndarray  # (B,)
    offsets: np.ndarray  # (M, 3) metres from the table's places
    frames: np.ndarray  # (K,) the frames used
    poses: PoseState  # of those frames


def spread_frames(markers: np.ndarray, seen: np.ndarray, n: int = N_FRAMES) -> np.ndarray:
    """Up to n well-seen frames whose poses differ most, by farthest-point selection.

    Args:
        markers: (F, M, 3) metres, any number where unseen.
        seen: (F, M) bool.
    """
    count = seen.sum(1)
    good = np.flatnonzero(count >= min(markers.shape[1], np.quantile(count[count > 0], 0.6)))
    good = good[:: max(1, len(good) // 400)]
    weights = seen[good].astype(float)
    centre = np.sum(markers[good] * weights[..., None], axis=1) / weights.sum(1)[:, None]
    centred = (markers[good] - centre[:, None]) * weights[..., None]
    chosen, nearest = [0], np.full(len(good), np.inf)
    while len(chosen) < min(n, len(good)):
        apart = np.linalg.norm(centred - centred[chosen[-1]], axis=-1).mean(1)
        nearest = np.minimum(nearest, apart)
        chosen.append(int(nearest.argmax()))
    return np.sort(good[chosen])


def trunk_start(position: Position, prior: Prior, n_betas: int) -> PoseState:
    """The prior's centre, laid rigidly onto the trunk's markers (all markers where fewer than four are seen)."""
    bones = position.points.bones
    state = rest_state(prior, len(position.targets), n_betas, np.zeros(0))
    trunk = np.array([name in TRUNK for name in position.points.names])
    confidence = position.confidence * trunk
    few = (confidence > 0).sum(1) < 4
    confidence = np.where(few[:, None], position.confidence, confidence)
    R, t = rigid_alignment(place(position.points, state.on(bones))[0], position.targets, confidence)
    return moved_rigidly(bones, state, R, t)


def calibrate_subject(
    placed: PlacedMarkers, prior: Prior, markers: np.ndarray, seen: np.ndarray, betas: np.ndarray | None,
    report: Callable[[float, str], None],
) -> Subject:  # fmt: skip
    """Estimate betas (unless they are given) and marker offsets.

    Args:
        placed: the take's markers on the body.
        prior: of poses.
        markers: (F, M, 3) metres, any number where unseen.
        seen: (F, M) bool.
        betas: (B,) known betas, or None to estimate them.
        report: progress, fraction and text.
    """
    frames = spread_frames(markers, seen)
    n_betas = placed.points.shape_dirs.shape[2]
    position = Position(seen[frames].astype(float), MARKER_SIGMA, placed.points, markers[frames])
    problem = Problem(placed.points.bones, prior, (position,))
    state = trunk_start(position, prior, n_betas)
    shared = Shared(
        np.zeros(n_betas) if betas is None else fitted_length(betas, n_betas), np.zeros((len(placed.points), 3))
    )
    state = state.changed(betas=np.broadcast_to(shared.betas, (len(frames), n_betas)).copy())
    for scale, residual in ((0.6, False), (0.15, False), (0.15, True), (0.04, True)):
        stage = Stage(Unknowns(residual=residual), MARKER_WEIGHTS, heard_within(scale), iterations=15)
        state, _ = minimise(problem, state, stage)
    report(0.3, "Estimating shape")
    stiffness, expected = (_BETAS_WEIGHT, np.zeros(n_betas)) if betas is None else (_KNOWN_BETAS_WEIGHT, shared.betas)
    known = SharedPrior(stiffness, expected, offset_sigma=None)
    for scale in (0.3, 0.1, 0.04) if betas is None else ():
        state, shared, _ = calibrate(problem, state, shared, known, _stage(scale, 10))
    report(0.6, "Estimating marker offsets")
    offsets, sigma = _reanchored(position, state, placed.sigma)
    shared = replace(shared, offsets=offsets)
    full = SharedPrior(stiffness, expected, sigma, _OFFSET_WEIGHT * len(frames))
    for scale in (0.15, 0.04):
        state, shared, _ = calibrate(problem, state, shared, full, _stage(scale, 15))
    points = placed.points.with_offsets(shared.offsets).with_betas(shared.betas)
    return Subject(points, shared.betas, shared.offsets, frames, state)


def heard_within(metres: float) -> Hearing:
    """Markers farther than this from their place are believed less and less."""
    return Hearing(robust=metres / MARKER_SIGMA)


def _stage(scale: float, iterations: int) -> Stage:
    return Stage(Unknowns(), MARKER_WEIGHTS, heard_within(scale), iterations, damping=1e-2, tolerance=1e-4)


def _reanchored(position: Position, state: PoseState, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (M, 3) and sigmas of markers that are seen far from the table's place; zero offsets for the others."""
    pose = state.on(position.points.bones)
    G = blended_rotations(position.points, pose.G)
    local = (np.swapaxes(G, 2, 3) @ -position.error(pose)[..., None])[..., 0]
    local[position.confidence == 0] = np.nan
    seen = (position.confidence > 0).any(0)
    median = np.zeros_like(sigma)
    median[seen] = np.nanmedian(local[:, seen], axis=0)
    far = np.linalg.norm(median / sigma, axis=1) > _FAR
    return np.where(far[:, None], median, 0.0), np.where(far[:, None], np.maximum(sigma, _LOOSE), sigma)
