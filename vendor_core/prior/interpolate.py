# SPDX-License-Identifier: Apache-2.0
"""Paths through poses that hit every key exactly, at constant speed if asked.

The latent path between two keys is the decoded straight line between their encodings. What the decoder misses at
each key is a rotation a joint; its logarithm is blended in along the segment, so the keys are exact. Constant timing
re-times a segment by arc length, then by a few passes that make the chords between frames equal.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from ..body.kinematics import BODY_TREE
from ..errors import MotionError
from ..rotations import exp_so3, log_so3, matrix_to_quaternion
from ..skeleton import N_POSE
from .base import Prior

_FINE = 181  # points that measure a segment's arc length
_PASSES = 4
_TIP = 0.1  # metres: points beside each joint, so that twist counts as motion, as it does on the skin

SegmentPath = Callable[[np.ndarray], np.ndarray]
"""Poses (T, 21, 3, 3) at times (T,) from 0 to 1 within a segment."""


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
    path: Literal["latent", "slerp"] = "latent",
    timing: Literal["constant", "linear"] = "constant",
    rest_joints: np.ndarray | None = None,
) -> np.ndarray:
    """Poses from key to key, keys included and hit exactly.

    Args:
        prior: decodes the latent path.
        R_keys: key poses (K, 21, 3, 3).
        counts: K - 1 numbers of steps; segment i spans counts[i] of them.
        path: "latent" through the prior, "slerp" each joint on its own.
        timing: "constant" speed within each segment, in metres of the body's points; "linear" in the path's parameter.
        rest_joints: rest positions (22, 3) of the body to measure speed on; the prior's own where None.

    Returns:
        Poses (sum(counts) + 1, 21, 3, 3), float64.

    Raises:
        MotionError: keys and counts do not fit.
    """
    R_keys = np.asarray(R_keys, dtype=np.float64)
    if (
        R_keys.ndim != 4
        or R_keys.shape[1:] != (N_POSE, 3, 3)
        or len(counts) != len(R_keys) - 1
        or min(counts, default=0) < 1
    ):
        raise MotionError(
            f"keys of shape {R_keys.shape} with steps {list(counts)}; expected keys (K, 21, 3, 3), two or more, "
            "and K - 1 steps of at least 1"
        )
    rest = prior.rest_joints if rest_joints is None else np.asarray(rest_joints, dtype=np.float64)
    frames = [R_keys[:1]]
    for start, end, count in zip(R_keys[:-1], R_keys[1:], counts, strict=True):
        along = _latent_path(prior, start, end) if path == "latent" else _slerp_path(start, end)
        t = np.linspace(0, 1, count + 1)
        poses = along(_constant_speed(along, t, rest) if timing == "constant" else t)
        poses[-1] = end
        frames.append(poses[1:])
    return np.concatenate(frames)


def continuous_quaternions(R: np.ndarray) -> np.ndarray:
    """Quaternions (N, ..., 4), wxyz, of rotations R (N, ..., 3, 3) in time, signs chosen so that none jumps."""
    q = matrix_to_quaternion(R)
    flips = np.where(np.sum(q[1:] * q[:-1], axis=-1, keepdims=True) < 0, -1.0, 1.0)
    q[1:] *= np.cumprod(flips, axis=0)
    return q


def _latent_path(prior: Prior, start: np.ndarray, end: np.ndarray) -> SegmentPath:
    ends = np.stack([start, end])
    z = prior.encode(ends)
    missed = log_so3(np.swapaxes(prior.decode(z), -1, -2) @ ends)

    def along(t: np.ndarray) -> np.ndarray:
        blend = np.stack([1 - t, t], axis=-1)
        return prior.decode(blend @ z) @ exp_so3(np.tensordot(blend, missed, axes=1))

    return along


def _slerp_path(start: np.ndarray, end: np.ndarray) -> SegmentPath:
    w = log_so3(np.swapaxes(start, -1, -2) @ end)
    return lambda t: start @ exp_so3(t[:, None, None] * w)


def _constant_speed(along: SegmentPath, t: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Times (T,) at which the path's points make equal steps, starting from even times t (T,)."""
    fine = np.linspace(0, 1, _FINE)
    s = _arc_length(along(fine), rest)
    if s[-1] == 0:  # both keys are one pose: nothing moves
        return t
    times = np.interp(t, s / s[-1], fine)
    for _ in range(_PASSES):
        s = _arc_length(along(times), rest)
        times = np.interp(t, s / s[-1], times)
    return times


def _arc_length(R: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Length (T,), in metres, of the way up to each pose: mean chord of the body's points."""
    p = pose_points(R, rest)
    chords = np.mean(np.linalg.norm(np.diff(p, axis=0), axis=-1), axis=-1)
    return np.concatenate([[0.0], np.cumsum(chords)])


def pose_points(R: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Points (T, 88, 3) of poses R (T, 21, 3, 3), pelvis at rest: every joint and three points beside it."""
    root = np.broadcast_to(np.eye(3), (len(R), 1, 3, 3))
    G = BODY_TREE.global_rotations(np.concatenate([root, R], axis=1))
    p = BODY_TREE.positions(G, rest, np.zeros(3))
    tips = p[:, :, None] + _TIP * np.swapaxes(G, -1, -2)
    return np.concatenate([p, tips.reshape(len(R), -1, 3)], axis=1)
