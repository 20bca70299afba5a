# SPDX-License-Identifier: Apache-2.0
"""Bodies of the SMPL family and the default body."""

from .formats import load_body
from .model import BodyModel, PosedBody

__all__ = ["BodyModel", "PosedBody", "load_body"]
