# SPDX-License-Identifier: Apache-2.0
"""The residuals of a solved take over time: what each frame misses, and its worst moments."""

import warnings
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moment:
    """A peak of the residual over time."""

    frame: int
    residual: float  # metres: of the frame, as `frame_residual` has it
    marker: int  # the one that is farthest from its place
    marker_residual: float  # metres: its own


def frame_residual(residual: np.ndarray) -> np.ndarray:
    """Root mean square (F,) of the residuals (F, M) that are no NaN; NaN for frames without any.

    The mean of squares, so that one marker that is far away among forty good ones shows.
    """
    seen = np.isfinite(residual)
    squares = np.where(seen, residual, 0.0).astype(np.float64) ** 2
    n = seen.sum(1)
    return np.where(n > 0, np.sqrt(squares.sum(1) / np.maximum(n, 1)), np.nan)


def worst_moments(residual: np.ndarray, apart: int, most: int) -> tuple[Moment, ...]:
    """The highest peaks of the residual over time, the worst first.

    Args:
        residual: (F, M) metres, NaN where a marker is unseen.
        apart: frames; a peak is the highest of all frames nearer than this to it.
        most: how many.
    """
    per_frame = frame_residual(residual)
    height = np.where(np.isnan(per_frame), -1.0, per_frame)
    padded = np.concatenate([np.full(apart, -1.0), height, np.full(apart, -1.0)])
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * apart + 1).max(-1)
    peaks = np.flatnonzero((height >= around) & (height > 0))
    chosen: list[int] = []
    for frame in peaks[np.argsort(-height[peaks], kind="stable")].tolist():
        if len(chosen) == most:
            break
        if all(abs(frame - other) >= apart for other in chosen):  # a plateau is one moment
            chosen.append(frame)
    own = [int(np.nanargmax(residual[frame])) for frame in chosen]
    return tuple(
        Moment(frame, float(per_frame[frame]), marker, float(residual[frame, marker]))
        for frame, marker in zip(chosen, own, strict=True)
    )


def marker_medians(residual: np.ndarray) -> np.ndarray:
    """The median residual (M,) of each marker of (F, M), NaN for those never seen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns without any
        return np.nanmedian(residual, axis=0)
