# SPDX-License-Identifier: Apache-2.0
"""How far a solved skeleton is from the true one; distances of joints are `vendor_core.evaluation.metrics`."""

from collections.abc import Sequence

import numpy as np

from vendor_core.skeleton import BODY_PARENTS

LIMBS = ((1, 4), (2, 5), (4, 7), (5, 8), (16, 18), (17, 19), (18, 20), (19, 21))
"""Thighs, shanks, upper arms and forearms, as pairs of joints."""


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
