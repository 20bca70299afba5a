# SPDX-License-Identifier: Apache-2.0
"""Motion files."""

from .amass import HELD, SOLVED, Motion, read_motion, write_motion

__all__ = ["HELD", "SOLVED", "Motion", "read_motion", "write_motion"]
