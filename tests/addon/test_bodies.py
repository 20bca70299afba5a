# SPDX-License-Identifier: Apache-2.0
"""Bodies in the scene are the core's bodies: joints, skin, shape; the default one and a user's."""

import bpy
import numpy as np
import pytest
from support import Z_UP, addon, asset, bone_heads, core, evaluated_vertices


def random_rotations(n: int, seed: int = 3, size: float = 0.5) -> np.ndarray:
    return core("rotations").exp_so3(np.random.default_rng(seed).normal(size=(n, 3)) * size)


def write_random_pose(obj: bpy.types.Object, seed: int = 3):
    """A random pose on all of a rig's joints; its local rotations (55, 3, 3) and translation in the world."""
    convert, pose_module = addon("rig.convert"), addon("rig.pose")
    R = random_rotations(55, seed)
    R[22:25] = np.eye(3)  # jaw and eyes are the artist's
    R[0] = R[0] @ Z_UP
    trans = np.array([0.4, -0.2, 1.3])
    rig = pose_module.read_rig(obj)
    pose_module.write_pose(obj, convert.to_bones(rig, convert.Pose(R[None], trans[None]), hands=True))
    return R, trans


def test_body_stands_on_the_cursor(scene) -> None:
    scene.cursor.location = (1.0, 2.0, 0.5)
    bpy.ops.poise.add_body()
    rig = bpy.context.object
    v = evaluated_vertices(rig)
    assert v[:, 2].min() == pytest.approx(0.5, abs=1e-4)
    assert np.allclose(v[:, :2].mean(0), (1.0, 2.0), atol=0.1)
    assert np.allclose(rig.matrix_world, np.eye(4))
    front = rig.pose.bones["left_foot"].head - rig.pose.bones["left_ankle"].head
    assert front.y < -0.05  # faces -Y, as Blender's front view expects


def test_bones_lie_at_the_joints_and_along_the_limbs(body) -> None:
    model = core("body").default_body()
    bones = body.data.bones
    assert tuple(b.name for b in bones) == tuple(bones.keys()) and set(bones.keys()) == set(model.joint_names)
    heads = np.array([bones[name].head_local for name in model.joint_names])
    assert np.allclose(heads, model.rest_joints() @ Z_UP.T, atol=1e-6)
    for parent, child in (("left_hip", "left_knee"), ("right_elbow", "right_wrist"), ("spine1", "spine2")):
        assert (bones[parent].tail_local - bones[child].head_local).length < 1e-6
    assert all(b.length > 0.004 for b in bones)


def test_mesh_follows_the_bones_as_the_core_skins(body) -> None:
    model = core("body").default_body()
    R, trans = write_random_pose(body)
    expected = model.pose(R, trans, vertices=True)
    assert np.allclose(bone_heads(body, model.joint_names), expected.joints, atol=1e-5)
    assert np.abs(evaluated_vertices(body) - expected.vertices).max() < 1e-4


def test_shape_sliders_move_joints_and_skin_and_keep_the_pose(body) -> None:
    model = core("body").default_body()
    R, trans = write_random_pose(body)
    before = [tuple(map(tuple, b.matrix_basis.to_3x3())) for b in body.pose.bones]
    axes = {b.name: b.matrix_local.to_3x3() for b in body.data.bones}
    body.poise.betas[0].value = 1.5
    body.poise.betas[2].value = -2.0
    betas = np.zeros(model.num_betas)
    betas[[0, 2]] = 1.5, -2.0
    expected = model.pose(R, trans, betas, vertices=True)
    moved = bone_heads(body, model.joint_names) - expected.joints
    assert np.allclose(moved, moved[0], atol=1e-5) and np.allclose(moved[:, :2], 0, atol=1e-5)  # straight up or down
    assert np.abs(evaluated_vertices(body) - moved[0] - expected.vertices).max() < 1e-4
    assert [tuple(map(tuple, b.matrix_basis.to_3x3())) for b in body.pose.bones] == before
    assert all(np.allclose(b.matrix_local.to_3x3(), axes[b.name], atol=1e-4) for b in body.data.bones)
    for beta in body.poise.betas:
        beta.value = 0.0
    assert np.allclose(bone_heads(body, model.joint_names), model.pose(R, trans).joints, atol=1e-5)


@pytest.mark.parametrize("height", [2.0, -2.0])
def test_a_taller_body_stands_where_it_stood(body, height: float) -> None:
    bpy.ops.poise.generate_pose(seed=3)
    before = evaluated_vertices(body)[:, 2]
    pelvis = body.pose.bones["pelvis"].location.copy()
    body.poise.betas["height"].value = height
    after = evaluated_vertices(body)[:, 2]
    assert abs(after.min() - before.min()) < 0.006 and abs(np.ptp(after) - np.ptp(before)) > 0.05
    body.poise.betas["height"].value = 0.0
    assert (body.pose.bones["pelvis"].location - pelvis).length < 1e-5


def test_a_keyed_pelvis_is_left_where_its_keys_say(body) -> None:
    pelvis = body.pose.bones["pelvis"]
    pelvis.keyframe_insert("location", frame=1)
    before = pelvis.location.copy()
    body.poise.betas["height"].value = 2.0
    assert pelvis.location == before


def test_the_height_is_told_in_the_scenes_units(body, scene) -> None:
    panel, length_text = addon("panels.body"), addon("texts").length_text
    units = scene.unit_settings
    for value in (0.0, 1.5, -1.5):
        body.poise.betas["height"].value = value
        body.poise.betas[2].value = value
        assert panel._height(body) == pytest.approx(np.ptp(evaluated_vertices(body)[:, 2]), abs=0.01)
    body.scale = (0.5, 0.5, 0.5)
    bpy.context.view_layer.update()
    assert panel._height(body) == pytest.approx(np.ptp(evaluated_vertices(body)[:, 2]), abs=0.01)
    assert length_text(units, 1.72) == "1.72 m"
    units.system = "IMPERIAL"
    assert "'" in length_text(units, 1.72) or "ft" in length_text(units, 1.72)
    units.system, units.scale_length = "METRIC", 0.01
    assert length_text(units, 172.0) == "1.72 m"
    units.system = "NONE"
    assert length_text(units, 172.0) == "172"


def test_shape_sliders_leave_mode_and_selection_alone(body) -> None:
    bpy.ops.object.mode_set(mode="POSE")
    body.poise.betas[1].value = 1.0
    assert bpy.context.mode == "POSE" and bpy.context.object == body
    bpy.ops.object.mode_set(mode="OBJECT")


def test_mesh_has_what_an_artist_expects(body) -> None:
    mesh_object = next(o for o in body.children if o.type == "MESH")
    mesh = mesh_object.data
    assert all(len(p.vertices) == 4 for p in mesh.polygons) and mesh.polygons[0].use_smooth
    assert mesh.uv_layers and len(mesh.materials) >= 2
    assert not mesh.validate()
    keys = mesh.shape_keys.key_blocks
    assert [k.name for k in keys[1:7]] == [b.name for b in body.poise.betas][:6]
    assert keys[1].slider_min == -3 and keys[1].slider_max == 3 and keys[1].value == 0
    assert keys["jawOpen"].slider_min == 0 and keys["jawOpen"].slider_max == 1
    assert max(len(v.groups) for v in mesh.vertices) <= 4


def user_body(path, n_joints: int):
    """A SMPL-X (55) or SMPL (24) file of the default body's data, as a user might own one."""
    arrays = dict(np.load(asset()))
    names = ("v_template", "f", "weights", "J_regressor", "kintree_table", "shapedirs")
    arrays = {name: arrays[name] for name in names}
    if n_joints == 24:
        weights, parents = arrays["weights"], arrays["kintree_table"][0]
        left, right = range(25, 40), range(40, 55)
        w = np.concatenate([weights[:, :22], weights[:, left].sum(1)[:, None], weights[:, right].sum(1)[:, None]], 1)
        w[:, 15] += weights[:, 22:25].sum(1)
        w[:, 20] += w[:, 22]
        w[:, 22] = 0  # a joint that moves no skin
        arrays["weights"] = w
        arrays["J_regressor"] = arrays["J_regressor"][[*range(22), 25, 40]]
        arrays["kintree_table"] = np.array([[*parents[:22], 20, 21], range(24)])
        arrays["shapedirs"] = arrays["shapedirs"][..., :10]
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("n_joints", [24, 55])
def test_users_own_body(scene, tmp_path, n_joints: int) -> None:
    path = user_body(tmp_path / "MINE.npz", n_joints)
    assert bpy.ops.poise.add_body_from_file(filepath=str(path)) == {"FINISHED"}
    rig = bpy.context.object
    model = core("body").load_body(path)
    assert rig["poise_body"] == str(path) and len(rig.data.bones) == n_joints
    R, trans = write_random_pose(rig, seed=5)
    rig.poise.betas[1].value = 1.0
    betas = np.zeros(model.num_betas)
    betas[1] = 1.0
    expected = model.pose(R[:22] if n_joints == 24 else R, trans, betas, vertices=True)
    moved = bone_heads(rig) - expected.joints[:22]
    assert np.allclose(moved, (0, 0, moved[0, 2]), atol=1e-5)  # straight up or down: the feet stay on their height
    assert np.abs(evaluated_vertices(rig) - moved[0] - expected.vertices).max() < 1e-4


def test_body_files_of_many_coefficients_get_a_few_sliders(scene, tmp_path) -> None:
    path = user_body(tmp_path / "MANY.npz", 55)
    arrays = dict(np.load(path))
    arrays["shapedirs"] = np.concatenate([arrays["shapedirs"]] * 5, axis=-1)
    np.savez(path, **arrays)
    bpy.ops.poise.add_body_from_file(filepath=str(path))
    assert [b.name for b in bpy.context.object.poise.betas] == [f"Shape{i:03d}" for i in range(10)]
