# SPDX-License-Identifier: Apache-2.0
"""A motion at another frame rate; its speed stays."""

from dataclasses import replace

import numpy as np

from ..errors import MotionError
from ..rotations import exp_so3, log_so3
from .amass import Motion

_MOST_FRAMES = 1_000_000
_ON_FRAME = 1e-6  # of a frame: nearer than this to a frame of the source, it is taken as it is


def resampled(motion: Motion, rate: float) -> Motion:
    """A motion at a rate, Hz: the source's frames as they are where one lies there, else the shortest turn between two.

    Raises:
        MotionError: the rate is no positive number, or makes too many frames.
    """
    if not (np.isfinite(rate) and rate > 0):
        raise MotionError(f"{rate} frames a second; expected a positive number")
    if rate == motion.rate:
        return motion
    n = int(np.floor((len(motion) - 1) * rate / motion.rate + _ON_FRAME)) + 1
    if n > _MOST_FRAMES:
        raise MotionError(f"{rate:g} Hz makes {n} frames of a motion at {motion.rate:g} Hz; expected a lower rate")
    at = np.arange(n) * motion.rate / rate
    left = np.minimum(np.floor(at + _ON_FRAME).astype(int), len(motion) - 1)
    part = np.clip(at - left, 0, 1)
    between = np.flatnonzero(part > _ON_FRAME)
    poses, trans = motion.poses[left], motion.trans[left]
    if len(between):
        i, t = left[between], part[between, None]
        right = np.minimum(i + 1, len(motion) - 1)
        R = exp_so3(motion.poses[i])
        step = log_so3(np.swapaxes(R, -1, -2) @ exp_so3(motion.poses[right]))
        poses[between] = log_so3(R @ exp_so3(t[..., None] * step))
        trans[between] = (1 - t) * motion.trans[i] + t * motion.trans[right]
    status = motion.frame_status
    if status is not None:
        status = status[np.minimum(np.round(at).astype(int), len(motion) - 1)]
    return replace(motion, poses=poses, trans=trans, rate=float(rate), frame_status=status)
