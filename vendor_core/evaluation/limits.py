# SPDX-License-Identifier: Apache-2.0
"""Joint limits as the training poses show them: the range of every component of every joint's rotation vector."""

from dataclasses import dataclass

import numpy as np

from ..rotations import log_so3

_TAIL = 0.0005  # share of training poses beyond each end
_MARGIN = np.radians(5)


@dataclass(frozen=True)
class JointLimits:
    """Least and greatest rotation vectors (21, 3), radians."""

    low: np.ndarray
    high: np.ndarray

    def over(self, R: np.ndarray) -> float:
        """Share of poses R (N, 21, 3, 3) in which any joint is beyond its limits."""
        w = log_so3(np.asarray(R, dtype=np.float64))
        return float(((w < self.low) | (w > self.high)).any((1, 2)).mean())


def joint_limits(R: np.ndarray) -> JointLimits:
    """[0.05, 99.95] % of the rotation vectors of poses R (N, 21, 3, 3), and five degrees more."""
    low, high = np.quantile(log_so3(np.asarray(R, dtype=np.float64)), (_TAIL, 1 - _TAIL), axis=0)
    return JointLimits(low - _MARGIN, high + _MARGIN)
