# SPDX-License-Identifier: Apache-2.0
"""Poses from key to key, every key hit exactly, at a speed that is asked for.

Speed is how far the skin moves, on average over its vertices: a path is re-timed by its arc length, then by a few
passes that bring the steps between frames to their shares. A loop is a path whose last key is its first again.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..body import default_body
from ..body.patches import default_patches
from ..errors import MotionError
from ..linalg import one_blas_thread
from ..rotations import matrix_to_quaternion
from ..skeleton import N_BODY, N_POSE
from .base import Prior
from .geodesic import geodesic
from .segment_paths import LatentPath, SegmentPath, slerp_path

PathKind = Literal["latent", "slerp", "geodesic"]
Timing = Literal["constant", "ease", "ease_in", "ease_out", "linear"]

_EASES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "constant": lambda s: s,
    "ease": lambda s: s * s * (3 - 2 * s),
    "ease_in": lambda s: s * s,
    "ease_out": lambda s: s * (2 - s),
}
"""Shares of a segment's way (0 to 1) by shares of its time."""

_FINE = 61  # points that measure a segment's arc length
_PASSES = 8
_EVEN = 1e-4  # steps exceed what they should be by this share at most: no further pass
_SKEWED = 1e-2  # of a matrix times its transpose: no rotation that was rounded is that far from one
_STILL = 1e-6  # metres: a path this short has no speed to speak of


@dataclass(frozen=True)
class Inbetweens:
    """Frames from key to key."""

    R: np.ndarray  # (N, 21, 3, 3), float64
    times: np.ndarray  # (N,) 0 at the first key, 1 at the second, and so on: where else to take what goes with the pose


def segment_counts(n_keys: int, n_frames: int) -> list[int]:
    """Steps of each of the n_keys - 1 segments, as equal as can be, for n_frames frames in all, keys included.

    Raises:
        MotionError: fewer than two keys, or fewer frames than keys.
    """
    if n_keys < 2 or n_frames < n_keys:
        raise MotionError(
            f"{n_keys} keys and {n_frames} frames; expected two keys or more and no fewer frames than keys"
        )
    ends = np.linspace(0, n_frames - 1, n_keys).round().astype(int)
    return np.diff(ends).tolist()


def interpolate_poses(
    prior: Prior,
    R_keys: np.ndarray,
    counts: Sequence[int],
    path: PathKind = "latent",
    timing: Timing = "constant",
    rest_joints: np.ndarray | None = None,
) -> np.ndarray:
    """The poses of `inbetweens`, (sum(counts) + 1, 21, 3, 3), without their times."""
    return inbetweens(prior, R_keys, counts, path, timing, rest_joints).R


@one_blas_thread
def inbetweens(
    prior: Prior,
    R_keys: np.ndarray,
    counts: Sequence[int],
    path: PathKind = "latent",
    timing: Timing = "constant",
    rest_joints: np.ndarray | None = None,
) -> Inbetweens:
    """Poses from key to key, keys included and hit exactly.

    Args:
        prior: decodes the latent path.
        R_keys: key poses (K, 21, 3, 3).
        counts: K - 1 numbers of steps; segment i spans counts[i] of them.
        path: "latent" through the prior; "geodesic" too, and moving the skin as little as it can; "slerp" each joint
            on its own.
        timing: "constant" speed of the skin within each segment; "ease": from rest to rest, "ease_in": from rest,
            "ease_out": to rest; "linear" in the path's parameter.
        rest_joints: rest positions (22, 3), metres, of the body to measure speed on, under the default body's skin;
            its own where None.

    Returns:
        sum(counts) + 1 poses and their times.

    Raises:
        MotionError: keys and counts do not fit, or keys are not finite.
    """
    R_keys, counts = _checked(R_keys, counts)
    _check_names(path, timing)
    rest = np.asarray(default_body().joints_template[:N_BODY] if rest_joints is None else rest_joints, dtype=np.float64)
    if rest.shape != (N_BODY, 3):
        raise MotionError(f"rest joints of shape {rest.shape}; expected ({N_BODY}, 3) metres")
    frames, times = [R_keys[:1]], list[np.ndarray]([np.zeros(1)])
    for i, count in enumerate(counts):
        along = _path(prior, R_keys[i], R_keys[i + 1], path, rest)
        t = np.linspace(0, 1, count + 1)
        if timing != "linear" and count > 1:
            t = _times_of_shares(along, _EASES[timing](t), rest)
        poses = along(t)
        poses[-1] = R_keys[i + 1]
        frames.append(poses[1:])
        times.append(i + t[1:])
    return Inbetweens(np.concatenate(frames), np.concatenate(times))


def continuous_quaternions(R: np.ndarray) -> np.ndarray:
    """Quaternions (N, ..., 4), wxyz, of rotations R (N, ..., 3, 3) in time, signs chosen so that none jumps."""
    return without_jumps(matrix_to_quaternion(R))


def without_jumps(q: np.ndarray) -> np.ndarray:
    """The same rotations as quaternions q (N, ..., 4) in time, signs chosen so that none jumps; the first stay."""
    flips = np.where(np.sum(q[1:] * q[:-1], axis=-1, keepdims=True) < 0, -1.0, 1.0)
    return np.concatenate([q[:1], q[1:] * np.cumprod(flips, axis=0)])


def _checked(R_keys: np.ndarray, counts: Sequence[int]) -> tuple[np.ndarray, list[int]]:
    try:
        R_keys = np.asarray(R_keys, dtype=np.float64)
        counts = [operator.index(count) for count in counts]
    except (TypeError, ValueError):
        raise MotionError("keys or steps are no numbers; expected keys (K, 21, 3, 3) and K - 1 whole steps") from None
    fits = R_keys.ndim == 4 and R_keys.shape[1:] == (N_POSE, 3, 3) and len(counts) == len(R_keys) - 1
    if not fits or min(counts, default=0) < 1:
        raise MotionError(
            f"keys of shape {R_keys.shape} with steps {counts}; expected keys (K, 21, 3, 3), two or more, "
            "and K - 1 steps of at least 1"
        )
    if not np.isfinite(R_keys).all():
        bad = np.flatnonzero(~np.isfinite(R_keys).all(axis=(1, 2, 3)))
        raise MotionError(f"key {bad[0]} holds numbers that are not finite; expected rotations of all 21 joints")
    if np.abs(R_keys @ np.swapaxes(R_keys, -1, -2) - np.eye(3)).max() > _SKEWED:
        raise MotionError("keys are no rotations; expected orthonormal matrices, such as rotations.exp_so3 makes")
    return R_keys, counts


def _check_names(path: str, timing: str) -> None:
    for found, known in ((path, get_args(PathKind)), (timing, get_args(Timing))):
        if found not in known:
            raise MotionError(f'"{found}" is no path or timing; expected one of {", ".join(known)}')


def _path(prior: Prior, start: np.ndarray, end: np.ndarray, kind: PathKind, rest: np.ndarray) -> SegmentPath:
    if kind == "slerp":
        return slerp_path(start, end)
    line = LatentPath(prior, start, end)
    return line if kind == "latent" else geodesic(line, default_patches(), rest)


def _times_of_shares(along: SegmentPath, shares: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Times (T,) at which the skin has gone given shares (T,), from 0 to 1, of its way."""
    times, wanted = np.linspace(0, 1, _FINE), np.full(_FINE - 1, np.nan)
    for _ in range(1 + _PASSES):
        steps = default_patches().steps(along(times), rest)
        if steps.sum() < _STILL:  # both keys are one pose: nothing moves
            return shares
        s = np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()
        if np.all(np.abs(np.diff(s) / wanted - 1) <= _EVEN):  # never at first: nothing is wanted of the fine times
            break
        times, wanted = np.interp(shares, s, times), np.diff(shares)
    return times
