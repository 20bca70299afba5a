# SPDX-License-Identifier: Apache-2.0
"""The inverse-kinematics engine: poses from keypoints of every kind, on a prior."""

from .camera import Camera
from .live import LivePose, LiveSolver
from .live_targets import Ground
from .solving import Solution, fit_joints, solve
from .state import Unknowns
from .targets import (
    DirectionTargets,
    GroundTargets,
    ImageTargets,
    JointTargets,
    LookTargets,
    OrientationTargets,
    RigidTargets,
    SurfaceTargets,
)

__all__ = [
    "Camera", "DirectionTargets", "Ground", "GroundTargets", "ImageTargets", "JointTargets", "LivePose", "LiveSolver",
    "LookTargets", "OrientationTargets", "RigidTargets", "Solution", "SurfaceTargets", "Unknowns", "fit_joints",
    "solve",
]  # fmt: skip
