# SPDX-License-Identifier: Apache-2.0
"""Noise taken from motion: the 22 joints of continuous clips, each frame some millimetres off.

The pelvis turns as it was captured and stays where it is. The solver is told how noisy the joints are, as it would be
by whoever knows the sensor.
"""

from dataclasses import dataclass

import numpy as np

from ..ik import JointTargets, solve
from ..prior.base import Prior
from ..skeleton import BODY_JOINTS, N_BODY
from .data import SEED, EvaluationData
from .metrics import acceleration_error, joint_error

_RATE = 30.0  # Hz


@dataclass(frozen=True)
class DenoisingSizes:
    """How much motion each figure is made from."""

    clips: int = 12
    frames: int = 60
    noises: tuple[float, ...] = (0.020, 0.040, 0.100)  # metres, sigma along each axis


def denoising(
    prior: Prior, data: EvaluationData, sizes: DenoisingSizes = DenoisingSizes()
) -> dict[str, dict[str, dict[str, float]]]:
    """Solve noisy clips, as sequences and frame by frame.

    Returns:
        For each noise (`noise_20`, in mm) and each of `noisy`, `sequence` and `single_frames`: `mm` (joints from the
        truth) and `acceleration` (mm/frame^2, of the difference). Nothing where no clip is long enough.
    """
    clips = _clips(data, sizes)
    truths = [data.body.pose(R).joints[:, :N_BODY] for R in clips]
    rng, found = np.random.default_rng(SEED), {}
    for noise in sizes.noises if clips else ():
        noisy = [truth + rng.normal(scale=noise, size=truth.shape) for truth in truths]
        ways = {
            "noisy": noisy,
            "sequence": [_solved(prior, data, joints, noise, _RATE) for joints in noisy],
            "single_frames": [_solved(prior, data, joints, noise, None) for joints in noisy],
        }
        found[f"noise_{1e3 * noise:g}"] = {way: _errors(joints, truths) for way, joints in ways.items()}
    return found


def _clips(data: EvaluationData, sizes: DenoisingSizes) -> list[np.ndarray]:
    """The middles (F, 22, 3, 3) of clips that are long enough, in an order that the seed decides."""
    long = [clip for clip in data.clips if len(clip) >= sizes.frames]
    order = np.random.default_rng(SEED).permutation(len(long))[: sizes.clips]
    firsts = ((clip, (len(clip) - sizes.frames) // 2) for clip in (long[i] for i in order))
    return [clip[first : first + sizes.frames].astype(np.float64) for clip, first in firsts]


def _solved(
    prior: Prior, data: EvaluationData, joints: np.ndarray, noise: float, rate: float | None
) -> np.ndarray:  # fmt: skip
    solved = solve(data.body, prior, [JointTargets(BODY_JOINTS, joints, sigma=noise)], rate=rate)
    return data.body.pose(solved.R_local, solved.trans).joints[:, :N_BODY]


def _errors(joints: list[np.ndarray], truths: list[np.ndarray]) -> dict[str, float]:
    pairs = list(zip(joints, truths, strict=True))
    return {
        "mm": float(np.mean([joint_error(a, b) for a, b in pairs])),
        "acceleration": float(np.mean([acceleration_error(a, b) for a, b in pairs])),
    }
