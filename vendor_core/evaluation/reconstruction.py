# SPDX-License-Identifier: Apache-2.0
"""How well a prior gives back poses that it has not seen: encoded and decoded, and the nearest latent found."""

import numpy as np

from ..prior.base import Prior
from ..rotations import log_so3, rotation_angle
from .data import EvaluationData, chunks

_ITERATIONS = 15
_PULL = 1e-4  # on the latent, beside squared radians: keeps the step finite along dead dimensions


def reconstruction(prior: Prior, data: EvaluationData) -> dict[str, object]:
    """Errors of encoding and decoding every pose of the split, and of the latent nearest to each in rotation.

    Returns:
        `encoded` and `inverted`, each with `mpjpe` and `mpvpe` (mm) and `deg`, means over the poses.
    """
    R = data.held_out.R
    z = prior.encode(R)
    return {
        "encoded": errors(data, prior.decode(z), R),
        "inverted": errors(data, prior.decode(nearest_latent(prior, R, z)), R),
    }


def errors(data: EvaluationData, R: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Mean joint and vertex distance, mm, and mean joint angle, degrees, of poses (N, 21, 3, 3) from the truth."""
    angle = rotation_angle(np.swapaxes(R, -1, -2) @ truth)
    joints, vertices = (
        1e3 * float(np.linalg.norm(place(R) - place(truth), axis=-1).mean()) for place in (data.joints, data.surface)
    )
    return {"mpjpe": joints, "mpvpe": vertices, "deg": float(np.degrees(angle.mean()))}


def nearest_latent(prior: Prior, R: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Latents (N, L) whose poses are nearest in rotation to R (N, 21, 3, 3), from z on, by damped Gauss-Newton."""
    return np.concatenate([_nearest(prior, *parts) for parts in zip(chunks(R), chunks(z), strict=True)])


def _nearest(prior: Prior, R: np.ndarray, z: np.ndarray) -> np.ndarray:
    damping = np.full(len(z), 1e-3, z.dtype)
    cost = _missed(prior.decode(z), R)[1]
    for _ in range(_ITERATIONS):
        D, W = prior.decode_with_jacobian(z)
        missed = _missed(D, R)[0]
        J = W.reshape(len(z), -1, z.shape[-1])
        H = np.swapaxes(J, 1, 2) @ J + (_PULL + damping)[:, None, None] * np.eye(z.shape[-1], dtype=z.dtype)
        step = np.linalg.solve(H, np.swapaxes(J, 1, 2) @ missed[..., None])[..., 0]
        there = _missed(prior.decode(z + step), R)[1]
        better = there < cost
        z, cost = np.where(better[:, None], z + step, z), np.where(better, there, cost)
        damping = np.where(better, damping / 4, damping * 8)
    return z


def _missed(D: np.ndarray, R: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation vectors (N, 63) from decoded to wanted poses, and their squares' sums (N,)."""
    w = log_so3(np.swapaxes(D, -1, -2) @ R).reshape(len(R), -1)
    return w, np.sum(w * w, axis=-1)
