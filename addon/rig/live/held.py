# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a rig live posing leaves alone: bones whose channels are locked or driven; and what may fight it."""

from dataclasses import dataclass

import bpy

from ....vendor_core.skeleton import BODY_JOINTS
from ..convert import Rig

_MOST = 4  # names in one line
_KINDS = ("quaternion", "euler", "axis_angle")


@dataclass(frozen=True)
class Held:
    """What stays as it is."""

    joints: tuple[str, ...]  # whose rotation is locked or driven
    place: bool  # the pelvis' location is, or its rotation: one without the other moves the body all the same
    constrained: tuple[str, ...]  # joints whose bones have constraints that act

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for the artist; none where nothing is in the way."""
        held = (*self.joints, *(("the body's place",) if self.place else ()))
        lines = [f"Locked or driven: {_listed(held)}"] if held else []
        return (*lines, *([f"Constrained, may not follow: {_listed(self.constrained)}"] if self.constrained else []))


def held_of(obj: bpy.types.Object, rig: Rig) -> Held:
    """What of the body's bones live posing does not change."""
    driven = _driven(obj)
    joints, constrained = [], []
    for joint, name in zip(BODY_JOINTS, rig.bones, strict=False):
        bone = obj.pose.bones[name]
        path = bone.path_from_id()
        if any(bone.lock_rotation) or any(f"{path}.rotation_{kind}" in driven for kind in _KINDS):
            joints.append(joint)
        if any(not constraint.mute and constraint.influence > 0 for constraint in bone.constraints):
            constrained.append(joint)
    pelvis = obj.pose.bones[rig.bones[0]]
    place = "pelvis" in joints or any(pelvis.lock_location) or f"{pelvis.path_from_id()}.location" in driven
    return Held(tuple(joints), place, tuple(constrained))


def _driven(obj: bpy.types.Object) -> set[str]:
    """Data paths that have drivers."""
    animation = obj.animation_data
    return set() if animation is None else {driver.data_path for driver in animation.drivers}


def _listed(joints: tuple[str, ...]) -> str:
    names = [joint.replace("_", " ") for joint in joints]
    return ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")
