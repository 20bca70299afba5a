# SPDX-License-Identifier: Apache-2.0
"""How far solved poses are from the truth, and how well numbers tell two kinds of poses apart."""

import numpy as np

from ..rotations import nearest_rotation, rotation_angle


def joint_error(joints: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance, mm, of joints (F, J, 3) from the truth; frames of NaN truth do not count."""
    return 1e3 * float(np.nanmean(np.linalg.norm(joints - truth, axis=-1)))


def acceleration_error(joints: np.ndarray, truth: np.ndarray) -> float:
    """Mean length, mm/frame^2, of the difference of the second differences of joints (F, J, 3) and of the truth."""
    return 1e3 * float(np.nanmean(np.linalg.norm(np.diff(joints - truth, n=2, axis=0), axis=-1)))


def aligned(joints: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Joints (F, J, 3), frame by frame turned, moved and scaled onto the truth (Umeyama 1991)."""
    a, b = joints - joints.mean(1, keepdims=True), truth - truth.mean(1, keepdims=True)
    R = nearest_rotation(np.swapaxes(b, 1, 2) @ a)
    turned = a @ np.swapaxes(R, 1, 2)
    scale = np.sum(turned * b, axis=(1, 2)) / np.sum(a * a, axis=(1, 2))
    return scale[:, None, None] * turned + truth.mean(1, keepdims=True)


def p_mpjpe(joints: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance, mm, after each frame is aligned with the truth (P-MPJPE, "protocol 2" of Human3.6M)."""
    return joint_error(aligned(joints, truth), truth)


def mean_angle(R: np.ndarray, truth: np.ndarray) -> float:
    """Mean angle, degrees, between rotations (..., 3, 3) and the true ones."""
    return float(np.degrees(rotation_angle(np.swapaxes(R, -1, -2) @ truth).mean()))


def auc(good: np.ndarray, bad: np.ndarray) -> float:
    """Share of pairs of which the bad one has the higher score, equal ones counted half (Mann and Whitney 1947).

    Args:
        good: scores (N,).
        bad: scores (M,).
    """
    ordered = np.sort(good)
    below, not_above = (np.searchsorted(ordered, bad, side=side) for side in ("left", "right"))
    return float((below + not_above).mean() / (2 * len(good)))
