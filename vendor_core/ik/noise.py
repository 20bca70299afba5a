# SPDX-License-Identifier: Apache-2.0
"""How noisy targets are: what they do from frame to frame that the pose does not."""

import numpy as np

from ..arrays import as_float64
from .problem import Problem
from .residuals import OnPlane
from .state import PoseState

_LEAST = 0.01  # sigmas
_BELIEVED = 4.0  # times the median miss
_FOLLOWED = 45.0  # numbers of a pose that follow noise, of its 69: the prior holds the others


def noise_of(problem: Problem, state: PoseState) -> float:
    """Standard deviation of the noise of targets in a row, each number in sigmas of its kind.

    Robust: what is much farther from the pose than the median does not count, of the rest half may be outliers. What
    the pose follows of the noise is added by counting degrees of freedom. Contacts are no measurements.
    """
    pose, found, seen = state.on(problem.bones), [], 0.0
    for residual in (r for r in problem.residuals if not isinstance(r, OnPlane)):
        r, known = as_float64(residual.error(pose)) / residual.sigma, as_float64(residual.confidence) > 0
        apart = np.linalg.norm(r, axis=-1)
        near = known & (apart <= _BELIEVED * np.median(apart[known])) if known.any() else known
        triple = near[2:] & near[1:-1] & near[:-2]
        jitter = (r[1:-1] - 0.5 * (r[2:] + r[:-2]))[triple].reshape(-1)
        found.append(
            jitter[jitter != 0]
        )  # a number that is zero by nature, as of points before a camera, tells nothing
        seen += r.shape[-1] * known.sum() / max(len(known), 1)
    jitter = np.concatenate(found) if found else np.zeros(0)
    if len(jitter) < 3:
        return _LEAST
    spread = 1.4826 * float(np.median(np.abs(jitter))) / np.sqrt(1.5)
    followed = min(_FOLLOWED, 0.75 * seen)
    return max(spread / np.sqrt(1 - followed / max(seen, 1.0)), _LEAST)
