# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an armature object and its pose from the scene, and writing a pose onto its bones."""

import bpy
import numpy as np
from mathutils import Matrix, Quaternion

from ...vendor_core.errors import PoiseError
from ...vendor_core.skeleton import JOINTS, N_BODY
from .convert import FIRST_FINGER, BonePose, Pose, Rig, from_matrices, snapped_axes
from .names import bones_of_joints, missing_body_bones


class RigError(PoiseError):
    """The armature is no rig of the SMPL family, or stands in a way that no pose can be given to it."""


def read_rig(obj: bpy.types.Object) -> Rig:
    """The conversion data of an armature object, in the pose and place it has now.

    Raises:
        RigError: bones are missing, or the object is scaled unevenly or mirrored.
    """
    bones = obj.data.bones
    missing = missing_body_bones(bones.keys())
    if missing:
        raise RigError(
            f'"{obj.name}" lacks {len(missing)} of the {N_BODY} body bones ({_shortened(missing)}); expected a rig of '
            "the SMPL family, with bones such as pelvis, left_hip, left_knee: use Add Body"
        )
    found = bones_of_joints(bones.keys())
    if any(joint not in found for joint in JOINTS[FIRST_FINGER:]):  # half a hand is treated as none
        found = {joint: bone for joint, bone in found.items() if JOINTS.index(joint) < FIRST_FINGER}
    names = tuple(found.values())
    rest = np.array([bones[name].matrix_local for name in names], dtype=np.float64)
    hangs_from, link = _links(obj, names)
    return Rig(
        object_name=obj.name,
        bones=names,
        joints=np.array([JOINTS.index(joint) for joint in found]),
        rest=rest,
        link=link,
        hangs_from=hangs_from,
        axes=snapped_axes(rest[:N_BODY, :3, 3]),
        world=_checked_world(obj),
    )


def read_pose(obj: bpy.types.Object, rig: Rig) -> Pose:
    """The pose that the bones show now, whatever makes them do so: keys, constraints or hand."""
    matrices = np.array([obj.pose.bones[name].matrix for name in rig.bones], dtype=np.float64)
    return from_matrices(rig, matrices)


def write_pose(obj: bpy.types.Object, bones: BonePose) -> None:
    """Give the bones the first frame of a pose, each in its own rotation mode."""
    for name, q in zip(bones.bones, bones.quaternions[0], strict=True):
        set_rotation(obj.pose.bones[name], Quaternion(q))
    if bones.location is not None:
        obj.pose.bones[bones.bones[0]].location = bones.location[0]
    obj.update_tag(refresh={"DATA"})


def set_rotation(bone: bpy.types.PoseBone, q: Quaternion) -> None:
    """Set a bone's rotation in the channel that its rotation mode shows, near the value it has."""
    if bone.rotation_mode == "QUATERNION":
        if q.dot(bone.rotation_quaternion) < 0:
            q.negate()
        bone.rotation_quaternion = q
    elif bone.rotation_mode == "AXIS_ANGLE":
        axis, angle = q.to_axis_angle()
        bone.rotation_axis_angle = (angle, *axis)
    else:
        bone.rotation_euler = q.to_euler(bone.rotation_mode, bone.rotation_euler)


def lowest_point(context: bpy.types.Context, obj: bpy.types.Object) -> float:
    """World height (m) of the lowest vertex of the visible meshes that the armature deforms, or of its bones."""
    depsgraph = context.evaluated_depsgraph_get()
    depsgraph.update()
    lowest = np.inf
    for mesh_object in (m for m in meshes_of(context, obj) if m.visible_get()):  # hidden ones are not evaluated
        evaluated = mesh_object.evaluated_get(depsgraph)
        mesh = evaluated.to_mesh()
        co = np.empty(3 * len(mesh.vertices), dtype=np.float32)
        mesh.vertices.foreach_get("co", co)
        evaluated.to_mesh_clear()
        if len(co):
            M = np.array(evaluated.matrix_world)
            lowest = min(lowest, float(np.min(co.reshape(-1, 3) @ M[2, :3]) + M[2, 3]))
    if np.isfinite(lowest):
        return lowest
    return min((obj.matrix_world @ bone.tail).z for bone in obj.evaluated_get(depsgraph).pose.bones)


def meshes_of(context: bpy.types.Context, obj: bpy.types.Object) -> list[bpy.types.Object]:
    """The mesh objects of the scene that an armature object deforms."""
    return [
        other
        for other in context.view_layer.objects
        if other.type == "MESH" and any(m.type == "ARMATURE" and m.object == obj for m in other.modifiers)
    ]


def _links(obj: bpy.types.Object, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """For each bone the nearest ancestor among `names` (-1: none), and its matrix before its own rotation from there.

    Bones between the two, such as the `root` of the SMPL-X add-on's rig, count in the pose they have now.
    """
    row = {name: i for i, name in enumerate(names)}
    hangs_from, link = [], []
    for name in names:
        pose_bone = obj.pose.bones[name]
        above = pose_bone.parent
        rest_to_parent = Matrix() if above is None else above.bone.matrix_local.inverted() @ pose_bone.bone.matrix_local
        ancestor = above
        while ancestor is not None and ancestor.name not in row:
            ancestor = ancestor.parent
        if above is None:
            link.append(pose_bone.bone.matrix_local)
        elif ancestor is None:
            link.append(above.matrix @ rest_to_parent)
        else:
            link.append(ancestor.matrix.inverted_safe() @ above.matrix @ rest_to_parent)
        hangs_from.append(-1 if ancestor is None else row[ancestor.name])
    return np.array(hangs_from), np.array(link, dtype=np.float64)


def _checked_world(obj: bpy.types.Object) -> np.ndarray:
    world = np.array(obj.matrix_world, dtype=np.float64)
    scales = np.linalg.norm(world[:3, :3], axis=0)
    mirrored = np.linalg.det(world[:3, :3]) <= 0
    if mirrored or scales.max() > 1.001 * scales.min():
        found = "mirrored" if mirrored else f"scaled by {', '.join(f'{s:.3g}' for s in scales)}"
        raise RigError(f'"{obj.name}" is {found}; expected one positive scale: apply its scale (Ctrl A) first')
    return world


def _shortened(names: list[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
