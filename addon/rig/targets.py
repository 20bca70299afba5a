# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets: empties that say where joints are to be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ...vendor_core.errors import TargetError
from ...vendor_core.skeleton import BODY_JOINTS, JOINTS
from .names import bones_of_joints, joint_of_target

EFFECTORS = ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
_SIZE = 0.06  # metres


@dataclass(frozen=True)
class Targets:
    """Positions for P joints."""

    joints: tuple[str, ...]  # (P,)
    positions: np.ndarray  # (P, 3) metres, world
    weights: np.ndarray  # (P,)


def add_targets(context: bpy.types.Context, obj: bpy.types.Object, joints: Sequence[str]) -> list[bpy.types.Object]:
    """An empty at each joint of a rig, in its present pose; those that it has already are moved there instead."""
    bones = bones_of_joints(obj.data.bones.keys())
    there = {t["poise_joint"]: t for t in _empties(context.view_layer.objects) if t.get("poise_rig") == obj.name}
    made = []
    for joint in joints:
        target = there.get(joint)
        if target is None:
            target = bpy.data.objects.new(f"Target.{joint}", None)
            target.empty_display_type, target.empty_display_size = "SPHERE", _SIZE
            target.show_in_front = True
            target["poise_joint"], target["poise_rig"], target["poise_weight"] = joint, obj.name, 1.0
            context.collection.objects.link(target)
        target.matrix_world.translation = obj.matrix_world @ obj.pose.bones[bones[joint]].head
        made.append(target)
    return made


def read_targets(empties: Iterable[bpy.types.Object]) -> Targets:
    """The joints, places and weights that empties stand for.

    Raises:
        TargetError: an empty stands for no joint, or two for the same.
    """
    found: dict[str, bpy.types.Object] = {}
    unknown = []
    for empty in empties:
        joint = str(empty.get("poise_joint", "")) or joint_of_target(empty.name)
        if joint not in JOINTS:
            unknown.append(f'"{empty.name}"')
        elif joint in found:
            raise TargetError(f'"{found[joint].name}" and "{empty.name}" both stand for {joint}; deselect one of them')
        else:
            found[joint] = empty
    if unknown:
        raise TargetError(
            f"{', '.join(unknown)}: no joint has that name; expected a name such as left_wrist, or the property "
            f"poise_joint with one of {', '.join(BODY_JOINTS)}"
        )
    positions = np.array([empty.matrix_world.translation for empty in found.values()], dtype=np.float64).reshape(-1, 3)
    weights = [_weight(empty) for empty in found.values()]
    return Targets(tuple(found), positions, np.array(weights))


def with_body_held(targets: Targets, joints_now: np.ndarray, weight: float) -> Targets:
    """The targets, and each other body joint's present place (22, 3) as a target of its own with a small weight."""
    others = [j for j in range(len(BODY_JOINTS)) if BODY_JOINTS[j] not in targets.joints]
    return Targets(
        (*targets.joints, *(BODY_JOINTS[j] for j in others)),
        np.concatenate([targets.positions, joints_now[others]]),
        np.concatenate([targets.weights, np.full(len(others), weight)]),
    )


def _weight(empty: bpy.types.Object) -> float:
    weight = empty.get("poise_weight", 1.0)
    if not isinstance(weight, (int, float)) or not 0 <= weight < np.inf:
        raise TargetError(f'"{empty.name}": poise_weight is {weight!r}; expected a number of at least 0')
    return float(weight)


def _empties(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    return [obj for obj in objects if obj.type == "EMPTY" and "poise_joint" in obj]
