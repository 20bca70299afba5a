# SPDX-License-Identifier: Apache-2.0
"""How a take was solved, so that a part of it can be solved again as if with the whole: the seam then does not show."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import SubjectError
from ..ik.smoothing import WINDOW
from ..ik.state import PoseState
from ..prior.base import Prior
from ..rotations import exp_so3, log_so3
from ..skeleton import N_BODY
from .solve_frames import N_STARTS, Trust
from .timing import Sampling, sampling_within

HALO = 1.5
"""Seconds solved on both sides of a part: more than smoothing and the longest bridged gap reach."""

_DIGITS = 5  # radians and latents of poses that only start a solve
_MOST_POSES, _MOST_LATENTS = 100, 1000
_LARGEST = 1e9


@dataclass(frozen=True, eq=False)
class TakeFit:
    """What the frames of a solved take have in common."""

    frames: int  # of the source
    source_rate: float  # Hz
    first: float  # source frame of the first frame solved
    count: int  # frames solved
    rate: float  # Hz, of these
    trust: Trust
    starts: np.ndarray  # (K, 66) rotation vectors of poses to start from, radians
    latents: np.ndarray  # (K, L) of these

    def is_of(self, frames: int, rate: float, fps: float | None, prior: Prior) -> bool:
        """Whether a take of so many frames, Hz, is solved as this was."""
        wanted = rate if fps is None else fps
        same = (frames, rate, wanted) == (self.frames, self.source_rate, self.rate)
        return same and self.latents.shape[1] == prior.latent_dim

    def part(self, first: int, last: int) -> Sampling | None:
        """The frames of a range of source frames as they were sampled, and those around; None where it is no part."""
        at = self.first + np.arange(self.count) * (self.source_rate / self.rate)
        whole = Sampling(at, self.rate, slice(0, self.count))
        part = sampling_within(whole, self.source_rate, first, last, HALO, WINDOW)
        return None if part is None or part.inside.stop - part.inside.start == self.count else part

    def poses(self) -> PoseState:
        """The poses to start from."""
        R = exp_so3(self.starts.reshape(-1, N_BODY, 3))
        return PoseState(R, np.zeros((len(R), 3)), self.latents, np.zeros((len(R), 0)))

    def as_dict(self) -> dict[str, Any]:
        """What JSON can hold; `take_fit_of` reads it."""
        return {
            "frames": self.frames,
            "source_rate": self.source_rate,
            "first": self.first,
            "count": self.count,
            "rate": self.rate,
            "softness": self.trust.softness,
            "noise": self.trust.noise,
            "starts": np.round(self.starts, _DIGITS).tolist(),
            "latents": np.round(self.latents, _DIGITS).tolist(),
        }


def fit_of(frames: int, source_rate: float, times: Sampling, trust: Trust, poses: PoseState) -> TakeFit:
    """How a take of so many frames, Hz, was solved, from these poses first."""
    poses = poses.take(np.arange(min(len(poses), N_STARTS)))
    starts = log_so3(poses.R_local).reshape(len(poses), -1)
    first, count = float(times.at[0]), len(times.at)
    return TakeFit(frames, source_rate, first, count, times.rate, trust, starts, np.asarray(poses.z))


def take_fit_of(data: Any) -> TakeFit:
    """From what `TakeFit.as_dict` gave.

    Raises:
        SubjectError: it is something else.
    """
    try:
        starts, latents = (np.array(data[key], dtype=np.float64) for key in ("starts", "latents"))
        frames, count = int(data["frames"]), int(data["count"])
        rates = {key: float(data[key]) for key in ("source_rate", "rate")}
        first, trust = float(data["first"]), Trust(float(data["softness"]), float(data["noise"]))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise SubjectError("The calibration's part on its take is damaged; expected what a solve answered") from None
    shaped = starts.ndim == latents.ndim == 2 and 0 < len(starts) == len(latents) <= _MOST_POSES
    if not (shaped and starts.shape[1] == 3 * N_BODY and latents.shape[1] <= _MOST_LATENTS):
        raise SubjectError(f"The calibration's poses are {starts.shape} and {latents.shape}; expected those of a solve")
    positive = [frames, count, *rates.values(), trust.softness, trust.noise]
    every = [first, *positive, *starts.reshape(-1), *latents.reshape(-1)]
    if not (np.abs(every) < _LARGEST).all() or first < 0 or min(positive) <= 0:
        raise SubjectError("The calibration's numbers of its take make no sense; expected what a solve answered")
    return TakeFit(frames, first=first, count=count, trust=trust, starts=starts, latents=latents, **rates)
