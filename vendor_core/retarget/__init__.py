# SPDX-License-Identifier: Apache-2.0
"""Motions of other skeletons and shapes on a body: by rotation, with feet where they belong."""

from .footing import leg_scale
from .load import FORMATS, LoadedMotion, load_motion, require_format

__all__ = ["FORMATS", "LoadedMotion", "leg_scale", "load_motion", "require_format"]
