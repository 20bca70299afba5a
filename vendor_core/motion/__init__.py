# SPDX-License-Identifier: Apache-2.0
"""Motion files."""

from .amass import BRIDGED, HELD, SOLVED, Motion, read_motion, status_counts, write_motion
from .bvh import BvhClip, read_bvh, write_bvh
from .bvh_motion import bvh_of
from .resample import resampled

__all__ = [
    "BRIDGED", "HELD", "SOLVED", "BvhClip", "Motion", "bvh_of", "read_bvh", "read_motion", "resampled",
    "status_counts", "write_bvh", "write_motion",
]  # fmt: skip
