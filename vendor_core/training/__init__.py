# SPDX-License-Identifier: Apache-2.0
"""Priors trained on motion of your own. Training needs torch, which is imported when it begins."""

from .data import PoseSet, load_clips, load_poses
from .train_prior import train_prior

__all__ = ["PoseSet", "load_clips", "load_poses", "train_prior"]
