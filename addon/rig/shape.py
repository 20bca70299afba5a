# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of a body in the scene: its shape keys and, with them, the places of its bones at rest."""

import bpy
import numpy as np
from mathutils import Vector

from ...vendor_core.rotations import Y_UP_TO_Z_UP
from .create import SceneError, editing
from .keying.keys import curves_of
from .layout import bone_layout
from .pose import meshes_of


def reshape(context: bpy.types.Context, rig: bpy.types.Object, betas: np.ndarray) -> None:
    """`apply_shape`, and the pelvis rises or sinks so that the feet stay on the height that they stand on.

    A pelvis whose place is keyed, driven or constrained stays: its motion is the artist's.

    Raises:
        SceneError: the armature is hidden or lacks bones.
    """
    before = _lowest_bone(context, rig)
    apply_shape(context, rig, betas)
    pelvis = rig.pose.bones["pelvis"]
    data = rig.animation_data
    curves = () if data is None else (*curves_of(rig), *data.drivers)
    if pelvis.constraints or any(curve.data_path == 'pose.bones["pelvis"].location' for curve in curves):
        return
    step = rig.matrix_world.to_3x3().inverted_safe() @ Vector((0.0, 0.0, before - _lowest_bone(context, rig)))
    pelvis.location += pelvis.bone.matrix_local.to_3x3().inverted() @ step


def _lowest_bone(context: bpy.types.Context, rig: bpy.types.Object) -> float:
    """World height of the lowest end of a bone in the present pose."""
    context.view_layer.update()
    ends = np.array([(*bone.head, *bone.tail) for bone in rig.pose.bones]).reshape(-1, 3)
    M = np.array(rig.matrix_world)
    return float((ends @ M[2, :3]).min() + M[2, 3])


def apply_shape(context: bpy.types.Context, rig: bpy.types.Object, betas: np.ndarray) -> None:
    """Set the shape keys of a body made by Poise and move its bones to the joints of that shape; the pose stays.

    Bones keep the directions of the mean shape, so that rotations keyed before mean the same afterwards; heads and
    lengths change.

    Raises:
        SceneError: the armature is hidden or lacks bones.
    """
    names = [item.name for item in rig.poise.betas]
    values = np.zeros(len(names))
    given = np.asarray(betas, dtype=np.float64)[: len(names)]
    values[: len(given)] = given
    joints = shaped_joints(rig, values)
    joint_names = tuple(rig["poise_joint_names"].split(","))
    row = {name: i for i, name in enumerate(joint_names)}
    lost = [name for name in joint_names if name not in rig.data.bones]
    if lost:
        raise SceneError(f'"{rig.name}" has lost the bone {lost[0]}; expected all bones of the body: add a new body')
    above = [rig.data.bones[name].parent for name in joint_names]
    parents = tuple(-1 if bone is None else row.get(bone.name, -1) for bone in above)
    mean = bone_layout(joint_names, parents, shaped_joints(rig, np.zeros(0)) @ Y_UP_TO_Z_UP)
    layout = bone_layout(joint_names, parents, joints @ Y_UP_TO_Z_UP)
    with editing(context, rig):
        for bone in (rig.data.edit_bones[name] for name in joint_names):
            j, roll = row[bone.name], bone.roll
            bone.head = layout.heads[j]
            bone.tail = layout.heads[j] + layout.lengths[j] * mean.directions[j]
            bone.roll = roll
    for obj in meshes_of(context, rig):
        keys = obj.data.shape_keys.key_blocks if obj.data.shape_keys else {}
        for name, value in zip(names, values.tolist(), strict=True):
            if name in keys:
                key = keys[name]
                key.slider_min, key.slider_max = min(key.slider_min, value), max(key.slider_max, value)
                key.value = value


def shaped_joints(rig: bpy.types.Object, betas: np.ndarray) -> np.ndarray:
    """Rest joints (J, 3) of a shape, in the armature's axes, metres."""
    joints = np.array(rig["poise_joints"]).reshape(-1, 3)
    if not len(betas):
        return joints
    return joints + np.array(rig["poise_joint_dirs"]).reshape(len(joints), 3, -1) @ betas


def current_betas(rig: bpy.types.Object) -> np.ndarray:
    """The betas (B,) that the rig's sliders show; empty for a rig that Poise did not make."""
    return np.array([item.value for item in rig.poise.betas])


def shown_beta(context: bpy.types.Context, rig: bpy.types.Object, name: str) -> float:
    """The beta that the meshes of a rig show; 0 where it has none."""
    for obj in meshes_of(context, rig):
        if obj.data.shape_keys and name in obj.data.shape_keys.key_blocks:
            return float(obj.data.shape_keys.key_blocks[name].value)
    return 0.0
