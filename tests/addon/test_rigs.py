# SPDX-License-Identifier: Apache-2.0
"""Rotations go to and from any rig of the SMPL family through its rest matrices, wherever its object stands."""

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix
from support import addon, bone_heads, core, smplx_addon_rig
from test_bodies import write_random_pose


def moved(obj: bpy.types.Object) -> None:
    turn = Matrix.LocRotScale((0.5, -1.0, 0.3), Euler((0.3, -0.4, 1.1)), None)
    obj.matrix_world = turn @ obj.matrix_world
    bpy.context.view_layer.update()


def own_rig() -> bpy.types.Object:
    bpy.ops.poise.add_body()
    return bpy.context.object


def foreign_rig() -> bpy.types.Object:
    return smplx_addon_rig(core("body").default_body().rest_joints())


RIGS = {"own": own_rig, "smplx_addon": foreign_rig}


@pytest.fixture(params=[(kind, move) for kind in RIGS for move in (False, True)], ids=lambda p: f"{p[0]}-{p[1]}")
def rig(request, scene) -> bpy.types.Object:
    obj = RIGS[request.param[0]]()
    if request.param[1]:
        moved(obj)
    return obj


def test_rest_joints_are_found_in_smpl_axes_and_metres(rig) -> None:
    found = addon("rig.pose").read_rig(rig).rest_joints()
    assert np.allclose(found, core("body").default_body().rest_joints()[:22], atol=1e-6)


def test_bones_stand_where_the_core_puts_joints(rig) -> None:
    R, trans = write_random_pose(rig)
    body = core("body").default_body()
    assert np.allclose(bone_heads(rig, body.joint_names), body.pose(R, trans).joints, atol=1e-5)


def test_pose_read_back_is_the_pose_written(rig) -> None:
    R, trans = write_random_pose(rig)
    bpy.context.view_layer.update()
    pose_module = addon("rig.pose")
    pose = pose_module.read_pose(rig, pose_module.read_rig(rig))
    assert np.allclose(pose.R_local[0], R, atol=1e-5) and np.allclose(pose.trans[0], trans, atol=1e-5)


def test_a_posed_bone_above_the_pelvis_counts(scene) -> None:
    obj = foreign_rig()
    obj.pose.bones["root"].rotation_mode = "XYZ"
    obj.pose.bones["root"].rotation_euler = (-np.pi / 2, 0.2, 0.1)
    obj.pose.bones["root"].location = (3, 20, 1)
    bpy.context.view_layer.update()
    R, trans = write_random_pose(obj)
    assert np.allclose(bone_heads(obj), core("body").default_body().pose(R, trans).joints[:22], atol=1e-5)


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "ZYX", "AXIS_ANGLE"])
def test_every_rotation_mode_is_written_in_its_own_channel(body, mode: str) -> None:
    for bone in body.pose.bones:
        bone.rotation_mode = mode
    R, trans = write_random_pose(body)
    assert {bone.rotation_mode for bone in body.pose.bones} == {mode}
    assert np.allclose(bone_heads(body), core("body").default_body().pose(R, trans).joints[:22], atol=1e-5)


def test_other_names_of_the_same_bones(scene) -> None:
    obj = foreign_rig()
    for bone in obj.data.bones:
        side, _, part = bone.name.partition("_")
        if side in ("left", "right") and not part[-1].isdigit():
            bone.name = f"m_avg_{side[0].upper()}_{part.capitalize()}"
        elif bone.name in ("pelvis", "spine1", "spine2", "spine3", "neck", "head"):
            bone.name = f"m_avg_{bone.name.capitalize()}"
    R, trans = write_random_pose(obj)
    names = [addon("rig.pose").read_rig(obj).bones[j] for j in range(22)]
    assert np.allclose(bone_heads(obj, names), core("body").default_body().pose(R, trans).joints[:22], atol=1e-5)


def test_names_of_bones_and_empties() -> None:
    names = addon("rig.names")
    expected = {"L_Hip": "left_hip", "f_avg_R_Ankle": "right_ankle", "J15": "head", "left_index2": "left_index2"}
    assert {name: names.joint_of_bone(name) for name in expected} == expected
    assert names.joint_of_bone("Bone") is None and names.joint_of_bone("J23") is None
    expected = {
        "Target.left_wrist": "left_wrist", "left_wrist.001": "left_wrist", "LeftHand": "left_wrist",
        "hand.L": "left_wrist", "mixamorig:RightForeArm": "right_elbow", "Hips": "pelvis", "target_Head": "head",
        "r_foot": "right_foot", "RightToeBase": "right_foot",
    }  # fmt: skip
    assert {name: names.joint_of_target(name) for name in expected} == expected
    assert names.joint_of_target("Empty") is None and names.joint_of_target("hand") is None
