# SPDX-License-Identifier: Apache-2.0
"""Poses to start from: the prior's centre laid onto the trunk's markers, or the most similar of poses known already."""

import numpy as np

from ..ik.initialiser import moved_rigidly, rigid_alignment
from ..ik.points import BodyPoints, place
from ..ik.residuals import Position
from ..ik.state import PoseState, rest_state
from ..prior.base import Prior

TRUNK = ("LFWT", "RFWT", "LBWT", "RBWT", "C7", "CLAV", "T10", "STRN", "LSHO", "RSHO")
_FAR = 0.3  # metres: a marker farther off than this is no worse


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


def most_similar(points: BodyPoints, poses: PoseState, targets: np.ndarray, seen: np.ndarray) -> PoseState:
    """For each frame the pose that fits its markers best after a rigid motion, so moved.

    Args:
        points: M markers on the body of the subject's betas.
        poses: K poses to choose from; their betas are ignored.
        targets: (F, M, 3) metres, any finite number where unseen.
        seen: (F, M).

    Returns:
        States of F frames, without betas.
    """
    poses = poses.changed(betas=np.zeros((len(poses), 0)))
    candidates = place(points, poses.on(points.bones))[0]  # (K, M, 3)
    confidence = seen.astype(float)
    best = np.full(len(targets), np.inf)
    R, t, chosen = np.zeros((len(targets), 3, 3)), np.zeros((len(targets), 3)), np.zeros(len(targets), int)
    for k, candidate in enumerate(candidates):
        R_k, t_k = rigid_alignment(np.broadcast_to(candidate, targets.shape), targets, confidence)
        apart = np.linalg.norm(candidate @ np.swapaxes(R_k, 1, 2) + t_k[:, None] - targets, axis=-1)
        error = np.sum(np.minimum(apart, _FAR) * confidence, axis=1)
        better = error < best
        best = np.where(better, error, best)
        R, t, chosen = (
            np.where(better[:, None, None], R_k, R),
            np.where(better[:, None], t_k, t),
            np.where(better, k, chosen),
        )
    return moved_rigidly(points.bones, poses.take(chosen), R, t)
