# SPDX-License-Identifier: Apache-2.0
"""Poise's core: bodies, a learned prior of human pose and an inverse-kinematics engine on it. Knows no Blender."""

__version__ = "0.1.0"
