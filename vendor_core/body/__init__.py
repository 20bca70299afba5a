# SPDX-License-Identifier: Apache-2.0
"""Bodies of the SMPL family and the default body."""

from .default_body import DefaultMesh, body_from_joints, default_body, default_mesh
from .formats import load_body
from .model import BodyModel, PosedBody

__all__ = ["BodyModel", "DefaultMesh", "PosedBody", "body_from_joints", "default_body", "default_mesh", "load_body"]
