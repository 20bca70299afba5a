# SPDX-License-Identifier: GPL-3.0-or-later
"""What a take's markers look like at a moment: where they are, and in which colours. Asked at every drawing."""

import bpy
import numpy as np

REJECTED = 0.04  # metres: residuals above it are hardly listened to by the solve
"""The end of the scale of colours."""
MAPPED, UNMAPPED, NAMELESS = (0.30, 0.66, 1.0, 1.0), (1.0, 0.66, 0.16, 1.0), (0.68, 0.68, 0.70, 1.0)
"""Colours of markers without a residual: of those that mean a place on the body, of those that mean none, and of those
that have no name.
"""
_SAME = 1e-3  # frames: nearer to one than this, a time is that frame
# Even steps in OKLab from mint over yellow and orange to dark red: it darkens, so hues need not be told apart.
_RAMP = np.array(
    [[0.561, 0.941, 0.816], [0.770, 0.905, 0.619], [0.933, 0.858, 0.366], [0.964, 0.754, 0.246], [0.954, 0.634, 0.187],
     [0.929, 0.513, 0.150], [0.880, 0.395, 0.173], [0.826, 0.266, 0.183], [0.769, 0.071, 0.184]]
)  # fmt: skip


def markers_at(points: np.ndarray, frame: float) -> np.ndarray:
    """Markers (P, 3) of trajectories (F, P, 3) at a frame, which may lie between two; NaN where unseen.

    Between two frames a marker is seen where it is seen in both; before the first and after the last, nowhere.
    """
    left = int(np.floor(frame + _SAME))
    part = frame - left
    last = len(points) - 1
    if left < 0 or left > last or (part > _SAME and left == last):
        return np.full(points.shape[1:], np.nan, points.dtype)
    if part <= _SAME:
        return points[left]
    return points[left] + np.float32(part) * (points[left + 1] - points[left])


def residuals_at(residuals: np.ndarray | None, frame: float, n: int) -> np.ndarray:
    """Residuals (n,) of the frame next to a time; NaN where there is none."""
    row = round(frame)
    if residuals is None or not 0 <= row < len(residuals):
        return np.full(n, np.nan, np.float32)
    return residuals[row]


def ramp(residual: np.ndarray) -> np.ndarray:
    """Colours (..., 4), float32, of residuals (...) in metres, from none to `REJECTED`."""
    at = np.clip(residual / REJECTED, 0, 1) * (len(_RAMP) - 1)
    grid = np.arange(len(_RAMP))
    return np.stack([*(np.interp(at, grid, _RAMP[:, k]) for k in range(3)), np.ones_like(at)], -1).astype(np.float32)


def marker_colours(base: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Colours (P, 4), float32: by residual (P,) where there is one, else the base colours (P, 4)."""
    solved = np.isfinite(residual)
    return np.where(solved[:, None], ramp(np.where(solved, residual, 0)), base)


def base_colours(take: bpy.types.Object) -> np.ndarray:
    """Colours (P, 4), float32, of a take's markers where they have no residual."""
    labels = take.poise_take.labels  # type: ignore[attr-defined]
    kinds = [MAPPED if label.marker else NAMELESS if label.name.startswith("*") else UNMAPPED for label in labels]
    return np.array(kinds, np.float32).reshape(-1, 4)
