# SPDX-License-Identifier: Apache-2.0
"""The kinds of keypoints that a solve mixes, each an error with its Jacobian beside it."""

from .base import Hearing, Normal, Residual
from .bounded import BoundedLookAt, BoundedOrientation, BoundedPosition
from .ground import AbovePlane, OnPlane
from .look_at import Facing, LookAt
from .orientation import Orientation
from .pinhole import Pinhole
from .position import Position

__all__ = [
    "AbovePlane", "BoundedLookAt", "BoundedOrientation", "BoundedPosition", "Facing", "Hearing", "LookAt", "Normal",
    "OnPlane", "Orientation", "Pinhole", "Position", "Residual",
]  # fmt: skip
