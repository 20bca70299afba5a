# SPDX-License-Identifier: GPL-3.0-or-later
"""Which handles are out of reach, and how the artist is told."""

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ....vendor_core.ik import LivePose
from ...texts import joint_text, length_text
from ..names import LOOK_AT

_FAR = 0.02  # metres from its handle, from which on a joint is called out of reach
_ASKEW = 0.15  # radians, the same of a turn and of the gaze


@dataclass(frozen=True)
class Miss:
    """How a joint misses its handle."""

    far: float  # metres
    askew: float  # radians

    @property
    def times(self) -> float:
        """How many times as much as what counts as a miss."""
        return max(self.far / _FAR, self.askew / _ASKEW)


def misses_of(pose: LivePose, joints: Sequence[str]) -> dict[str, Miss]:
    """The handles that are out of reach, by joint."""
    found = {}
    for joint, far, askew in zip(joints, pose.residual.tolist(), pose.angle.tolist(), strict=True):
        if far > _FAR or askew > _ASKEW:  # false for the NaN of what is not asked for
            found[joint] = Miss(*np.nan_to_num([far, askew]).tolist())
    return found | ({LOOK_AT: Miss(0.0, pose.gaze_angle)} if pose.gaze_angle > _ASKEW else {})


def miss_text(misses: dict[str, Miss], scene: bpy.types.Scene) -> str:
    """The worst miss in one line, in the scene's units; empty where there is none."""
    if not misses:
        return ""
    joint, miss = max(misses.items(), key=lambda item: item[1].times)
    name, degrees = joint_text(joint), f"{np.rad2deg(miss.askew):.0f}°"
    if joint == LOOK_AT:
        return f"Look At: the head cannot turn so far, {degrees} short"
    if miss.far / _FAR < miss.askew / _ASKEW:
        return f"{name}: cannot turn so far, {degrees} short"
    return f"{name}: cannot reach its handle, {length_text(scene.unit_settings, miss.far)} short"
