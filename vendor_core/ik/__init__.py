# SPDX-License-Identifier: Apache-2.0
"""The inverse-kinematics engine: poses from points, on a prior."""

from .fit import Solution, fit_joints

__all__ = ["Solution", "fit_joints"]
