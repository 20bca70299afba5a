# SPDX-License-Identifier: Apache-2.0
"""Bringing a take's markers into the world that motions live in: Z up, at the rate asked for."""

from collections.abc import Sequence

import numpy as np

from ..errors import TargetError
from ..rotations import TO_Z_UP

_HIGH = ("C7", "CLAV", "T10", "STRN", "LFHD", "RFHD", "LSHO", "RSHO")
_LOW = ("LANK", "RANK", "LHEE", "RHEE", "LTOE", "RTOE", "LKNE", "RKNE")
_MOST_FRAMES = 1_000_000
_CLEAR = 0.9  # cosine between the trunk's mean direction and an axis that makes the axis "up"


def z_up(markers: np.ndarray, labels: Sequence[str], up_axis: str) -> np.ndarray:
    """Markers (F, M, 3) turned so that Z is up, as `up_axis_of` finds it."""
    return turned_to_z(markers, up_axis_of(markers, labels, up_axis))


def up_axis_of(markers: np.ndarray, labels: Sequence[str], told: str) -> str:
    """The axis that is up, "X", "Y", "Z" or one of these after a minus.

    What the body says beats the file: where head and shoulders stand clearly above the feet along one axis, over the
    take's mean, that axis is up. Otherwise the file's word counts.

    Args:
        markers: (F, M, 3), NaN where unseen.
        labels: M canonical labels.
        told: "X", "Y" or "Z", as the file says.
    """
    high, low = ([labels.index(name) for name in names if name in labels] for names in (_HIGH, _LOW))
    if high and low and np.isfinite(markers[:, high]).any() and np.isfinite(markers[:, low]).any():
        upright = np.nanmean(markers[:, high], axis=(0, 1)) - np.nanmean(markers[:, low], axis=(0, 1))
        axis = int(np.abs(upright).argmax())
        if abs(upright[axis]) > _CLEAR * np.linalg.norm(upright):
            return "XYZ"[axis] if upright[axis] > 0 else f"-{'XYZ'[axis]}"
    return told


def turned_to_z(points: np.ndarray, axis: str) -> np.ndarray:
    """Points (..., 3), float64, turned so that an axis, such as "Y" or "-Y", is Z."""
    turn = TO_Z_UP[axis[-1]]
    if axis.startswith("-"):  # half a turn about X keeps the frame right-handed
        turn = np.diag([1, -1, -1]) @ turn
    return np.asarray(points, dtype=np.float64) @ turn.T


def resampled(markers: np.ndarray, rate: float, fps: float | None) -> tuple[np.ndarray, float]:
    """Markers (F', M, 3) at fps frames a second, and that rate; the source's own for None.

    Between two source frames a marker is interpolated where it is seen in both.

    Raises:
        TargetError: fps is no positive number.
    """
    if fps is None or fps == rate:
        return markers, rate
    if not (np.isfinite(fps) and fps > 0):
        raise TargetError(f"{fps} frames a second; expected a positive number")
    n_frames = int(np.floor((len(markers) - 1) * fps / rate + 1e-9)) + 1
    if n_frames > _MOST_FRAMES:
        raise TargetError(f"{fps:g} Hz makes {n_frames} frames of a take at {rate:g} Hz; expected a lower rate")
    at = np.arange(n_frames) * rate / fps
    left = np.minimum(np.floor(at + 1e-9).astype(int), len(markers) - 1)
    right, part = np.minimum(left + 1, len(markers) - 1), np.clip(at - left, 0, 1)[:, None, None]
    exact = part < 1e-6
    return np.where(exact, markers[left], markers[left] * (1 - part) + markers[right] * part), float(fps)
