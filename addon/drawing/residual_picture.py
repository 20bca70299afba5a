# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of a take's residuals for the panel: above the curve over time, below each marker's as a row of colours."""

import numpy as np

from ..rig.takes.shown import ramp

_SIZE, _CURVE, _GAP = 480, 232, 10  # pixels: of the picture, and the curve's height in it
_GROUND, _EMPTY, _MEAN, _HIGH = (0.10, 0.10, 0.11), (0.16, 0.16, 0.17), (1.0, 1.0, 1.0), (1.0, 0.72, 0.35)
_LEAST_SCALE = 0.010  # metres that the curve's height stands for at least
_HEADROOM, _PEAKS = 1.15, 3.0  # above the highest peak; times the 95 % line, beyond which peaks are cut off
_MARK = 9  # pixels of a triangle at a worst moment


def residual_picture(
    residuals: np.ndarray, per_frame: np.ndarray, mean: float, high: float, worst: tuple[int, ...]
) -> np.ndarray:
    """A picture (S, S, 4), float32, its first row at the bottom.

    Args:
        residuals: (F, P) metres, NaN where there is none.
        per_frame: (F,) metres.
        mean, high: metres, where lines are drawn.
        worst: frames to mark.
    """
    picture = np.empty((_SIZE, _SIZE, 3), np.float32)
    picture[:] = _GROUND
    starts = np.arange(_SIZE) * len(per_frame) // _SIZE
    columns = _by_column(per_frame, starts)
    top = min(_HEADROOM * np.nanmax(per_frame, initial=0.0), _PEAKS * high)
    scale = (_CURVE - _MARK) / max(top, _LEAST_SCALE)
    picture[-_CURVE:] = _curve(columns, scale, mean, high)
    for frame in worst:
        _mark(picture, min(frame * _SIZE // len(per_frame), _SIZE - 1))
    mapped = np.isfinite(residuals).any(0)
    if mapped.any():
        picture[: _SIZE - _CURVE - _GAP] = _rows(_by_column(residuals[:, mapped], starts), _SIZE - _CURVE - _GAP)
    return np.concatenate([picture, np.ones((_SIZE, _SIZE, 1), np.float32)], axis=-1)


def _by_column(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The largest of values (F, ...) of the frames of each column; NaN where there is none."""
    largest = np.maximum.reduceat(np.where(np.isnan(values), -1.0, values), starts, axis=0)
    return np.where(largest < 0, np.nan, largest)


def _curve(columns: np.ndarray, scale: float, mean: float, high: float) -> np.ndarray:
    """The area under the curve in the colours of its values, with lines at the mean and the 95th percentile."""
    height = np.arange(_CURVE)[:, None]
    known = np.isfinite(columns)
    top = np.where(known, columns, 0.0) * scale
    colours = ramp(np.where(known, columns, 0.0))[:, :3]
    image = np.empty((_CURVE, _SIZE, 3), np.float32)
    image[:] = np.where(known[None, :, None], _EMPTY, _GROUND)
    shade = np.clip(0.45 + 0.55 * height / np.maximum(top, 1.0), 0, 1)[..., None]
    image = np.where((height <= top)[..., None] & known[None, :, None], colours[None] * shade, image)
    dashes = (np.arange(_SIZE) // 8 % 2 == 0)[None, :, None]
    for value, colour in ((mean, _MEAN), (high, _HIGH)):
        line = (np.abs(height - round(value * scale)) <= 1)[..., None] & dashes
        image = np.where(line, 0.25 * image + 0.75 * np.array(colour, np.float32), image)
    return image


def _rows(columns: np.ndarray, height: int) -> np.ndarray:
    """A band of colours for each marker, the first above; what is not seen is grey."""
    n = columns.shape[1]
    of_row = (np.arange(height)[::-1] * n) // height
    values = columns.T[of_row]
    known = np.isfinite(values)
    image = np.where(known[..., None], ramp(np.where(known, values, 0.0))[..., :3], np.array(_EMPTY, np.float32))
    edges = np.flatnonzero(np.diff(of_row, prepend=of_row[0]))
    image[edges] *= 0.6
    return image


def _mark(picture: np.ndarray, column: int) -> None:
    """A small white triangle at the top, pointing down."""
    for k in range(_MARK):
        half = _MARK // 2 * (_MARK - k) // _MARK
        picture[-1 - k, max(column - half, 0) : column + half + 1] = 1.0
