# SPDX-License-Identifier: Apache-2.0
"""The kinds of keypoints that a solve mixes, each an error with its Jacobian beside it."""

from .base import Hearing, Normal, Residual
from .position import Position

__all__ = ["Hearing", "Normal", "Position", "Residual"]
