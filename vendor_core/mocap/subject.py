# SPDX-License-Identifier: Apache-2.0
"""A subject's shape and marker offsets, estimated once from a few spread frames of a take.

Stages (figures of MARKERS.md taught their order): poses on the mean body under a wide robust loss; betas; markers that
sit far from the table are moved to where they are seen; betas and offsets together.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..ik.calibration import Shared, SharedPrior, calibrate
from ..ik.initialiser import rigid_alignment
from ..ik.kinematic_jacobian import blended_rotations, point_positions, pose_joints
from ..ik.objective import Objective, Stage, Weights
from ..ik.points import BodyPoints, fitted_length
from ..ik.solver import minimise
from ..ik.state import PoseState, Unknowns, rest_state
from ..prior.base import Prior
from .marker_points import PlacedMarkers

MARKER_WEIGHTS = Weights(sigma=0.010, latent=1.0, residual=10.0)
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


def trunk_start(objective: Objective, n_betas: int) -> PoseState:
    """The prior's centre, laid rigidly onto the trunk's markers (all markers where fewer than four are seen)."""
    state = rest_state(objective.prior, len(objective.targets), n_betas, np.zeros(0))
    trunk = np.array([name in TRUNK for name in objective.points.names])
    confidence = objective.confidence * trunk
    few = (confidence > 0).sum(1) < 4
    confidence = np.where(few[:, None], objective.confidence, confidence)
    J0 = np.asarray(objective.points.rest_joints[0])
    R, t = rigid_alignment(objective.place(state), objective.targets, confidence)
    return state.changed(R_root=R, trans=(R @ J0[:, None])[..., 0] + t - J0)


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
    objective = Objective(placed.points, prior, markers[frames], seen[frames].astype(float))
    state = trunk_start(objective, n_betas)
    shared = Shared(
        np.zeros(n_betas) if betas is None else fitted_length(betas, n_betas), np.zeros((len(placed.points), 3))
    )
    state = state.changed(betas=np.broadcast_to(shared.betas, (len(frames), n_betas)).copy())
    for scale, residual in ((0.6, False), (0.15, False), (0.15, True), (0.04, True)):
        state, _ = minimise(objective, state, Stage(Unknowns(residual), MARKER_WEIGHTS, scale, iterations=15))
    report(0.3, "Estimating shape")
    stiffness, expected = (_BETAS_WEIGHT, np.zeros(n_betas)) if betas is None else (_KNOWN_BETAS_WEIGHT, shared.betas)
    known = SharedPrior(stiffness, expected, offset_sigma=None)
    for scale in (0.3, 0.1, 0.04) if betas is None else ():
        state, shared, _ = calibrate(objective, state, shared, known, _stage(scale, 10))
    report(0.6, "Estimating marker offsets")
    offsets, sigma = _reanchored(objective, state, placed.sigma)
    shared = replace(shared, offsets=offsets)
    full = SharedPrior(stiffness, expected, sigma, _OFFSET_WEIGHT * len(frames))
    for scale in (0.15, 0.04):
        state, shared, _ = calibrate(objective, state, shared, full, _stage(scale, 15))
    points = placed.points.with_offsets(shared.offsets).with_betas(shared.betas)
    return Subject(points, shared.betas, shared.offsets, frames, state)


def _stage(scale: float, iterations: int) -> Stage:
    return Stage(Unknowns(True), MARKER_WEIGHTS, scale, iterations, damping=1e-2, tolerance=1e-4)


def _reanchored(objective: Objective, state: PoseState, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (M, 3) and sigmas of markers that are seen far from the table's place; zero offsets for the others."""
    pose = pose_joints(objective.points, state.rotations(objective.prior), state.trans, state.betas)
    x, _ = point_positions(objective.points, pose, state.betas)
    G = blended_rotations(objective.points, pose.G)
    local = (np.swapaxes(G, 2, 3) @ (objective.targets - x)[..., None])[..., 0]
    local[objective.confidence == 0] = np.nan
    seen = (objective.confidence > 0).any(0)
    median = np.zeros_like(sigma)
    median[seen] = np.nanmedian(local[:, seen], axis=0)
    far = np.linalg.norm(median / sigma, axis=1) > _FAR
    return np.where(far[:, None], median, 0.0), np.where(far[:, None], np.maximum(sigma, _LOOSE), sigma)
