# SPDX-License-Identifier: Apache-2.0
"""Takes of marker trajectories, whatever file they come in."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..arrays import FARTHEST
from ..errors import C3DError
from .c3d import C3D, FASTEST, read_c3d
from .trc import read_trc

SUFFIXES = (".c3d", ".trc")


def read_take(path: str | Path) -> C3D:
    """Read a C3D or TRC file.

    Raises:
        C3DError: the file is missing, damaged, or holds no markers.
    """
    return read_trc(path) if Path(path).suffix.lower() == ".trc" else read_c3d(path)


def take_of_points(points: np.ndarray, labels: Sequence[str], rate: float, up_axis: str = "Z") -> C3D:
    """A take of marker positions that come from anywhere.

    Args:
        points: (F, P, 3) metres, NaN where unseen.
        labels: P names, each of one marker.
        rate: Hz.
        up_axis: "X", "Y" or "Z": what is vertical.

    Raises:
        C3DError: shapes, labels, rate or axis that do not fit.
    """
    labels, points = tuple(map(str, labels)), _numbers(points)
    if points.shape[1:] != (len(labels), 3) or not points.size:
        raise C3DError(f"points of shape {points.shape} and {len(labels)} labels; expected (frames, {len(labels)}, 3)")
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise C3DError(f'two markers are called "{twice}"; expected a label of its own for each')
    if up_axis not in ("X", "Y", "Z") or not 0 < rate <= FASTEST:
        raise C3DError(f'a rate of {rate} Hz and the axis "{up_axis}" up; expected a positive rate, and X, Y or Z')
    seen = np.all(np.abs(points) <= FARTHEST, axis=-1)  # not where NaN
    points = np.where(seen[..., None], points, np.nan)
    residuals = np.where(seen, 0.0, -1.0).astype(np.float32)
    return C3D(points, residuals, labels, float(rate), "m", 1, up_axis, (), (), "intel", ())


def _numbers(points: np.ndarray) -> np.ndarray:
    try:
        return np.asarray(points, dtype=np.float32)
    except (TypeError, ValueError):
        raise C3DError("points are no array of numbers; expected (frames, markers, 3) metres") from None
