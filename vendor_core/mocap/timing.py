# SPDX-License-Identifier: Apache-2.0
"""Bringing a take's markers into the world that motions live in: Z up, at the rate asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import TargetError
from ..rotations import TO_Z_UP

_HIGH = ("C7", "CLAV", "T10", "STRN", "LFHD", "RFHD", "LSHO", "RSHO")
_LOW = ("LANK", "RANK", "LHEE", "RHEE", "LTOE", "RTOE", "LKNE", "RKNE")
_MOST_FRAMES = 1_000_000
_WAIST = ("LFWT", "RFWT", "LBWT", "RBWT", "SACR")
_NEAR_FLOOR = (-0.05, 0.25)  # metres above the floor at which the lowest marker of somebody on it is
_NEARLY = 0.95  # of the frames
_CLEAR = 0.9  # cosine between the trunk's mean direction and an axis that makes the axis "up"


def up_axis_of(markers: np.ndarray, labels: Sequence[str], told: str) -> str:
    """The axis that is up, "X", "Y", "Z" or one of these after a minus.

    What the body says beats the file: where head and shoulders (or, without them, the waist) stand clearly above the
    feet (or the waist) along one axis, over the take's mean, that axis is up. Otherwise the file's word counts, and
    where along the axis that it names the lowest marker always is just above zero, and along the other it is not: then
    somebody lies on the floor.

    Args:
        markers: (F, M, 3), NaN where unseen.
        labels: M canonical labels.
        told: "X", "Y" or "Z", as the file says.
    """
    seen = np.isfinite(markers).all(-1).any(0).reshape(-1)
    there = {label: i for i, (label, any_frame) in enumerate(zip(labels, seen.tolist(), strict=True)) if any_frame}
    known = [[there[name] for name in names if name in there] for names in (_HIGH, _WAIST, _LOW)]
    high, low = known[0] or known[1], known[2] or known[1]
    if high and low and high != low:
        upright = np.nanmean(markers[:, high], axis=(0, 1)) - np.nanmean(markers[:, low], axis=(0, 1))
        axis = int(np.abs(upright).argmax())
        if abs(upright[axis]) > _CLEAR * np.linalg.norm(upright):
            sign = float(np.sign(upright[axis]))
            lies = _on_floor(markers[..., "XYZ".index(told)]) and not _on_floor(sign * markers[..., axis])
            if "XYZ"[axis] == told or not lies:
                return "XYZ"[axis] if sign > 0 else f"-{'XYZ'[axis]}"
    return told


def _on_floor(heights: np.ndarray) -> bool:
    """Whether the lowest of the heights (F, M), metres, NaN where unseen, is just above zero nearly always."""
    lowest = np.nanmin(heights[np.isfinite(heights).any(1)], axis=1)
    return bool(np.mean((lowest > _NEAR_FLOOR[0]) & (lowest < _NEAR_FLOOR[1])) > _NEARLY)


def turned_to_z(points: np.ndarray, axis: str) -> np.ndarray:
    """Points (..., 3), float64, turned so that an axis, such as "Y" or "-Y", is Z."""
    turn = TO_Z_UP[axis[-1]]
    if axis.startswith("-"):  # half a turn about X keeps the frame right-handed
        turn = np.diag([1, -1, -1]) @ turn
    return np.asarray(points, dtype=np.float64) @ turn.T


@dataclass(frozen=True)
class Sampling:
    """At which of a source's frames a take is solved."""

    at: np.ndarray  # (F,) in source frames, not always whole
    rate: float  # Hz
    inside: slice  # of the F, those asked for; those around them only steady their ends


def sampling(
    n_frames: int, rate: float, fps: float | None = None, first: int = 0, last: int | None = None, halo: float = 0.0
) -> Sampling:
    """The frames of a range, at fps frames a second (the source's own for None), which the first of the range starts.

    Args:
        n_frames: of the source.
        rate: Hz, of the source.
        fps: Hz asked for.
        first, last: source frames, both included; to the end for None.
        halo: seconds on both sides, as far as the source goes.

    Raises:
        TargetError: fps is no positive number, or the range holds no frame.
    """
    last = n_frames - 1 if last is None else min(last, n_frames - 1)
    if not 0 <= first <= last:
        raise TargetError(f"the range {first}..{last} holds no frame; expected frames 0..{n_frames - 1}")
    fps = rate if fps is None else float(fps)
    if not (np.isfinite(fps) and fps > 0):
        raise TargetError(f"{fps} frames a second; expected a positive number")

    def fitting(frames: int) -> int:
        return int(np.floor(frames * fps / rate + 1e-9))

    count, around = fitting(last - first) + 1, int(np.ceil(halo * fps))
    if count > _MOST_FRAMES:
        raise TargetError(f"{fps:g} Hz makes {count} frames of a take at {rate:g} Hz; expected a lower rate")
    before, after = min(around, fitting(first)), min(around, fitting(n_frames - 1 - first) + 1 - count)
    at = first + np.arange(-before, count + after) * (rate / fps)
    return Sampling(at, fps, slice(before, before + count))


def sampling_within(
    whole: Sampling, source_rate: float, first: int, last: int, halo: float, step: int
) -> Sampling | None:
    """The frames of an earlier sampling, without halo, that lie in a range; None where it does not lie in that.

    Args:
        whole: the earlier one.
        source_rate: Hz.
        first, last: source frames, both included.
        halo: seconds on both sides, as far as the earlier frames go.
        step: the frames begin with a whole number of these.
    """
    per_frame = source_rate / whole.rate
    if first < whole.at[0] - 1e-6 or last > whole.at[-1] + per_frame:
        return None
    inside = np.flatnonzero((whole.at > first - 1e-6) & (whole.at < last + 1e-6))
    if not len(inside):
        return None
    around = int(np.ceil(halo * whole.rate))
    begin = max(inside[0] - around, 0) // step * step
    part = whole.at[begin : inside[-1] + 1 + around]
    return Sampling(part, whole.rate, slice(int(inside[0]) - begin, int(inside[-1]) + 1 - begin))


def sampled(markers: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Markers (F', M, 3) at frames (F',) of markers (F, M, 3); between two frames where a marker is seen in both."""
    left = np.clip(np.floor(at + 1e-9).astype(int), 0, len(markers) - 1)
    right, part = np.minimum(left + 1, len(markers) - 1), np.clip(at - left, 0, 1)[:, None, None]
    exact = part < 1e-6
    if exact.all():
        return markers[left]
    return np.where(exact, markers[left], markers[left] * (1 - part) + markers[right] * part)
