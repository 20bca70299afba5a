# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets: empties that say where joints are to be, how they are to be turned, and what the face looks at.

An empty stands with the axes of the world while its joint is turned as in the rest pose of a body that stands upright
and faces -Y; it turns with the joint.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from ...vendor_core.body import BodyModel, body_from_joints
from ...vendor_core.errors import TargetError
from ...vendor_core.ik import JointTargets, LookTargets, OrientationTargets
from ...vendor_core.ik.bones import bones_of, posed
from ...vendor_core.ik.live_targets import FORWARD, HEAD, eyes_of, eyes_offset
from ...vendor_core.ik.points import place
from ...vendor_core.ik.targets import Target
from ...vendor_core.rotations import Y_UP_TO_Z_UP, quaternion_to_matrix
from ...vendor_core.skeleton import BODY_JOINTS, JOINTS, N_BODY
from .names import LOOK_AT, bones_of_joints, joint_of_target
from .pose import read_pose, read_rig

EFFECTORS = ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
TURNED = "poise_turned"
"""The property of a target that gives its joint a rotation too."""
AHEAD = 0.8  # metres from the eyes to a new target of the gaze
_SIZE = 0.06  # metres


@dataclass(frozen=True)
class Targets:
    """What P joints are to do."""

    joints: tuple[str, ...]  # (P,)
    positions: np.ndarray  # (P, 3) metres, world
    weights: np.ndarray  # (P,)
    rotations: np.ndarray  # (P, 3, 3) of the joints in the world; NaN where any will do
    gaze: np.ndarray | None  # (3,) metres, world: what the face looks at


def add_targets(context: bpy.types.Context, obj: bpy.types.Object, joints: Sequence[str]) -> list[bpy.types.Object]:
    """An empty at each joint of a rig, in its present pose; those that it has already are moved there instead.

    Args:
        context: of the operator.
        obj: the armature object.
        joints: names of body joints, or LOOK_AT.

    Raises:
        RigError: as `read_rig`.
    """
    frames = standing(obj)
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
        target.hide_set(False)
        stand(target, frames[joint])
        made.append(target)
    return made


def standing(obj: bpy.types.Object) -> dict[str, Matrix]:
    """The frames in the world of targets that stand on a rig in its present pose, by body joint, and LOOK_AT's.

    Raises:
        RigError: as `read_rig`.
    """
    rig = read_rig(obj)
    now = read_pose(obj, rig)
    body = body_from_joints(rig.rest_joints(), obj.name)
    pose = posed(bones_of(body), now.R_local[:, :N_BODY], now.trans)
    turns = [Matrix(rows) for rows in target_frames(pose.G[0]).tolist()]
    bones = bones_of_joints(obj.data.bones.keys())
    heads = [obj.matrix_world @ obj.pose.bones[bones[joint]].head for joint in BODY_JOINTS]
    eyes = place(eyes_of(body), pose)[0][0, 0]
    frames = {j: Matrix.LocRotScale(x, q, None) for j, x, q in zip(BODY_JOINTS, heads, turns, strict=True)}
    return frames | {LOOK_AT: Matrix.Translation((eyes + AHEAD * pose.G[0, HEAD] @ FORWARD[0]).tolist())}


def stand(target: bpy.types.Object, frame: Matrix) -> None:
    """Put a target at a frame in the world; its scale stays."""
    place, turn, _ = frame.decompose()
    target.matrix_world = Matrix.LocRotScale(place, turn, target.matrix_world.to_scale())


def target_frames(R_world_joint: np.ndarray) -> np.ndarray:
    """World rotations (P, 3, 3) of targets of joints that are turned to (P, 3, 3) in the world."""
    return R_world_joint @ Y_UP_TO_Z_UP.T


def joint_rotations(quaternions: np.ndarray) -> np.ndarray:
    """World rotations (P, 3, 3) that targets with quaternions (P, 4) in the world ask of their joints."""
    return quaternion_to_matrix(quaternions) @ Y_UP_TO_Z_UP


def read_targets(empties: Iterable[bpy.types.Object]) -> Targets:
    """The joints, places, turns and weights that empties stand for.

    Raises:
        TargetError: an empty stands for no joint, or two for the same.
    """
    found: dict[str, bpy.types.Object] = {}
    unknown = []
    for empty in empties:
        joint = str(empty.get("poise_joint", "")) or joint_of_target(empty.name)
        if joint not in (*JOINTS, LOOK_AT):
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
    look = found.pop(LOOK_AT, None)
    positions = np.array([empty.matrix_world.translation for empty in found.values()], dtype=np.float64).reshape(-1, 3)
    q = np.array([empty.matrix_world.to_quaternion() for empty in found.values()], dtype=np.float64).reshape(-1, 4)
    turned = np.array([bool(empty.get(TURNED, False)) for empty in found.values()], dtype=bool)
    weights = np.array([weight_of(empty) for empty in found.values()])
    rotations = np.where(turned[:, None, None], joint_rotations(q), np.nan)
    gaze = None if look is None else np.array(look.matrix_world.translation, dtype=np.float64)
    return Targets(tuple(found), positions, weights, rotations, gaze)


def keypoints_of(targets: Targets, body: BodyModel) -> list[Target]:
    """The targets as the solver takes them: places first, which there may be none of."""
    asked: list[Target] = [JointTargets(targets.joints, targets.positions[None], targets.weights)]
    turned = np.flatnonzero(~np.isnan(targets.rotations[:, 0, 0]))
    if len(turned):
        names = [targets.joints[i] for i in turned]
        asked.append(OrientationTargets(names, targets.rotations[None, turned], targets.weights[turned]))
    if targets.gaze is not None:
        asked.append(LookTargets(("head",), targets.gaze[None, None], FORWARD, eyes=eyes_offset(body)[None]))
    return asked


def with_body_held(targets: Targets, joints_now: np.ndarray, weight: float) -> Targets:
    """The targets, and each other body joint's present place (22, 3) as a target of its own with a small weight."""
    others = [j for j in range(len(BODY_JOINTS)) if BODY_JOINTS[j] not in targets.joints]
    return Targets(
        (*targets.joints, *(BODY_JOINTS[j] for j in others)),
        np.concatenate([targets.positions, joints_now[others]]),
        np.concatenate([targets.weights, np.full(len(others), weight)]),
        np.concatenate([targets.rotations, np.full((len(others), 3, 3), np.nan)]),
        targets.gaze,
    )


def weight_of(empty: bpy.types.Object) -> float:
    """How much a target counts.

    Raises:
        TargetError: its property says no number of at least 0.
    """
    weight = empty.get("poise_weight", 1.0)
    if not isinstance(weight, (int, float)) or not 0 <= weight < np.inf:
        raise TargetError(f'"{empty.name}": poise_weight is {weight!r}; expected a number of at least 0')
    return float(weight)


def _empties(objects: Iterable[bpy.types.Object | None]) -> list[bpy.types.Object]:
    """Those of the objects that are targets; for what was just removed Blender lists None."""
    return [obj for obj in objects if obj is not None and obj.type == "EMPTY" and "poise_joint" in obj]
