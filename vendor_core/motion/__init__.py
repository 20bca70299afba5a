# SPDX-License-Identifier: Apache-2.0
"""Motion files."""

from .amass import BRIDGED, HELD, SOLVED, Motion, read_motion, status_counts, write_motion

__all__ = ["BRIDGED", "HELD", "SOLVED", "Motion", "read_motion", "status_counts", "write_motion"]
