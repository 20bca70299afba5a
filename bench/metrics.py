# SPDX-License-Identifier: Apache-2.0
"""How far a solution is from the truth."""

from collections.abc import Sequence

import numpy as np

from vendor_core.rotations import nearest_rotation
from vendor_core.skeleton import BODY_PARENTS

LIMBS = ((1, 4), (2, 5), (4, 7), (5, 8), (16, 18), (17, 19), (18, 20), (19, 21))
"""Thighs, shanks, upper arms and forearms, as pairs of joints."""


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


def bone_length_errors(rest: np.ndarray, true_rest: np.ndarray) -> np.ndarray:
    """(21,) mm: by how much each bone of a rest skeleton (22, 3) is too long (+) or too short (-)."""
    parents = list(BODY_PARENTS[1:])
    length, true_length = (np.linalg.norm(p[1:] - p[parents], axis=-1) for p in (rest, true_rest))
    return 1e3 * (length - true_length)


def limb_angle(joints: np.ndarray, truth: np.ndarray, limbs: Sequence[tuple[int, int]] = LIMBS) -> float:
    """Mean angle, degrees, between the limbs of two skeletons (F, 22, 3), whatever their lengths."""
    a, b = (np.stack([p[:, end] - p[:, start] for start, end in limbs], axis=1) for p in (joints, truth))
    cosine = np.sum(a * b, axis=-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    return float(np.degrees(np.nanmean(np.arccos(np.clip(cosine, -1, 1)))))
