# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an armature object and its pose from the scene, and writing a pose onto its bones."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import bpy
import numpy as np
from mathutils import Quaternion

from ...vendor_core.errors import PoiseError
from ...vendor_core.skeleton import JOINTS, N_BODY
from .convert import FIRST_FINGER, BonePose, Pose, Rig, from_matrices, snapped_axes
from .names import bones_of_joints, missing_body_bones


class RigError(PoiseError):
    """The armature is no rig of the SMPL family, or stands in a way that no pose can be given to it."""


@dataclass(frozen=True)
class _Rest:
    """What of a rig depends neither on the pose nor on the object's place."""

    bones: tuple[str, ...]
    joints: np.ndarray
    rest: np.ndarray
    link: np.ndarray  # of bones that hang from a bone of another kind: of the rest pose
    hangs_from: np.ndarray
    axes: np.ndarray
    to_parent: dict[int, np.ndarray]  # rows of such bones: their rest matrices (4, 4) relative to the bone above


def read_rig(obj: bpy.types.Object) -> Rig:
    """The conversion data of an armature object, in the pose and place it has now.

    Raises:
        RigError: bones are missing, or the object is scaled unevenly or mirrored.
    """
    bones = obj.data.bones
    names = tuple(bones.keys())
    missing = missing_body_bones(names)
    if missing:
        raise RigError(
            f'"{obj.name}" lacks {len(missing)} of the {N_BODY} body bones ({_shortened(missing)}); expected a rig of '
            "the SMPL family, with bones such as pelvis, left_hip, left_knee: use Add Body"
        )
    parents = tuple(-1 if (above := bone.parent) is None else names.index(above.name) for bone in bones)
    found = _rest_of(names, parents, bone_matrices(bones, "matrix_local", names).tobytes())
    return Rig(
        object_name=obj.name,
        bones=found.bones,
        joints=found.joints,
        rest=found.rest,
        link=_links(obj, found) if found.to_parent else found.link,
        hangs_from=found.hangs_from,
        axes=found.axes,
        world=_checked_world(obj),
    )


def read_pose(obj: bpy.types.Object, rig: Rig) -> Pose:
    """The pose that the bones show now, whatever makes them do so: keys, constraints or hand."""
    return from_matrices(rig, bone_matrices(obj.pose.bones, "matrix", rig.bones))


def bone_matrices(bones: bpy.types.bpy_prop_collection, attribute: str, names: Sequence[str]) -> np.ndarray:
    """A matrix (n, 4, 4) of each of some bones, read in bulk. Blender gives them column by column."""
    flat, row = np.empty(16 * len(bones), np.float32), {name: i for i, name in enumerate(bones.keys())}
    bones.foreach_get(attribute, flat)
    return flat.reshape(-1, 4, 4)[[row[name] for name in names]].swapaxes(-1, -2).astype(np.float64)


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


@lru_cache(maxsize=8)
def _rest_of(names: tuple[str, ...], parents: tuple[int, ...], matrices: bytes) -> _Rest:
    """What bones with rest matrices (m, 4, 4), as bytes, make of a rig. Kept, for it is asked at each frame played."""
    all_rest = np.frombuffer(matrices).reshape(-1, 4, 4)
    found = bones_of_joints(names)
    if any(joint not in found for joint in JOINTS[FIRST_FINGER:]):  # half a hand is treated as none
        found = {joint: bone for joint, bone in found.items() if JOINTS.index(joint) < FIRST_FINGER}
    at = [names.index(bone) for bone in found.values()]
    hangs_from, link, to_parent = [], all_rest[at], {}
    for row, bone in enumerate(at):
        ancestor = above = parents[bone]
        while ancestor >= 0 and ancestor not in at:
            ancestor = parents[ancestor]
        hangs_from.append(at.index(ancestor) if ancestor >= 0 else -1)
        if above >= 0:
            link[row] = np.linalg.inv(all_rest[above]) @ all_rest[bone]
            if above != ancestor:
                to_parent[row] = link[row].copy()
    rest = all_rest[at]
    joints = np.array([JOINTS.index(joint) for joint in found])
    axes = snapped_axes(rest[:N_BODY, :3, 3])
    for array in (joints, rest, link, axes, hung := np.array(hangs_from)):
        array.flags.writeable = False  # shared by all that read the rig
    return _Rest(tuple(found.values()), joints, rest, link, hung, axes, to_parent)


def _links(obj: bpy.types.Object, found: _Rest) -> np.ndarray:
    """Matrices (n, 4, 4) of bones before their own rotation, relative to the nearest ancestors that stand for joints.

    Bones between the two, such as the `root` of the SMPL-X add-on's rig, count in the pose they have now.
    """
    link = found.link.copy()
    for row, rest_to_parent in found.to_parent.items():
        above = obj.pose.bones[found.bones[row]].parent
        M = np.array(above.matrix, dtype=np.float64)
        if found.hangs_from[row] >= 0:
            M = np.array(obj.pose.bones[found.bones[found.hangs_from[row]]].matrix.inverted_safe() @ above.matrix)
        link[row] = M @ rest_to_parent
    return link


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
