# SPDX-License-Identifier: Apache-2.0
"""The inverse-kinematics engine: poses from keypoints of every kind, on a prior."""

from .balls import BodyBalls, body_balls, default_balls
from .bones import Bones, Kinematics
from .camera import Camera
from .denoise import denoise
from .kinematic_jacobian import ancestors_turn, point_jacobian
from .live import LivePose, LiveSolver
from .live_targets import Ground
from .points import BodyPoints, joint_points, place
from .residuals import Residual
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
    Target,
)
from .untangle import gaps_of, untangle

__all__ = [
    "BodyBalls", "BodyPoints", "Bones", "Camera", "DirectionTargets", "Ground", "GroundTargets", "ImageTargets",
    "JointTargets", "Kinematics", "LivePose", "LiveSolver", "LookTargets", "OrientationTargets", "Residual",
    "RigidTargets", "Solution", "SurfaceTargets", "Target", "Unknowns", "ancestors_turn", "body_balls",
    "default_balls", "denoise", "fit_joints", "gaps_of", "joint_points", "place", "point_jacobian", "solve", "untangle",
]  # fmt: skip
