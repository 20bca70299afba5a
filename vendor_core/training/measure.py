# SPDX-License-Identifier: Apache-2.0
"""How well a prior gives back poses it has not seen, guesses them from joints, and draws what is like them."""

from collections.abc import Sequence

import numpy as np

from ..body.kinematics import BODY_TREE
from ..prior.base import Prior
from ..prior.guess import skeleton_size
from ..prior.vae import VaePrior
from ..rotations import rotation_angle
from ..skeleton import BODY_JOINTS, N_BODY
from .data import PoseSet


def joints_of(R: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Joint positions (N, 22, 3) of poses R (N, 21, 3, 3), root unturned."""
    root = np.broadcast_to(np.eye(3, dtype=R.dtype), (len(R), 1, 3, 3))
    return BODY_TREE.positions(BODY_TREE.global_rotations(np.concatenate([root, R], axis=1)), rest, np.zeros(3))


def reconstruction(prior: Prior, poses: PoseSet) -> dict[str, float]:
    """Mean joint error in mm and mean joint angle in degrees of encoding and decoding."""
    R = prior.decode(prior.encode(poses.R))
    error = joints_of(R, poses.rest_joints) - joints_of(poses.R, poses.rest_joints)
    angle = rotation_angle(np.swapaxes(R, -1, -2) @ poses.R)
    return {"mm": float(1000 * np.linalg.norm(error, axis=-1).mean()), "deg": float(np.degrees(angle).mean())}


def guess_error(prior: VaePrior, poses: PoseSet, seen: Sequence[str]) -> dict[str, float]:
    """The initialiser's error, some joints seen: of all joints about the pelvis in mm, of the pelvis in degrees."""
    joints = joints_of(poses.R, poses.rest_joints)
    world = joints @ np.swapaxes(poses.R_root, -1, -2)
    mask = np.broadcast_to([name in seen for name in BODY_JOINTS], world.shape[:2])
    scale = skeleton_size(prior.rest_joints) / skeleton_size(poses.rest_joints)
    z, R_root = prior.guess(scale * world, mask)
    guessed = joints_of(prior.decode(z), poses.rest_joints) @ np.swapaxes(R_root, -1, -2)
    angle = rotation_angle(np.swapaxes(R_root, -1, -2) @ poses.R_root)
    return {"mm": float(1000 * np.linalg.norm(guessed - world, axis=-1).mean()), "deg": float(np.degrees(angle).mean())}


def joint_points(R: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Joints (N, 66), mm by the root of 22, of poses R (N, 21, 3, 3), so that distances are the joints' RMS."""
    return (1000 / np.sqrt(N_BODY)) * joints_of(R, rest).reshape(len(R), -1).astype(np.float32)


def from_nearest(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance of points a (N, D) from the nearest of points b (M, D)."""
    half = 0.5 * np.sum(b * b, axis=1)
    squared = [np.sum(one * one, axis=1) - 2 * np.max(one @ b.T - half, axis=1) for one in np.array_split(a, 8)]
    return float(np.sqrt(np.clip(np.concatenate(squared), 0, None)).mean())


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """|m_a - m_b|^2 + tr(A + B - 2 (A B)^(1/2)) of the Gaussians of two sets of points (N, D)."""
    A, B = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(A)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ B @ root), 0, None)).sum()
    return float(np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(A) + np.trace(B) - 2 * cross)
