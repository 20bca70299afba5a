# SPDX-License-Identifier: Apache-2.0
"""Generated, stored and solved poses: the bones stand where the core says, undo is exact, bad input changes nothing."""

import bpy
import numpy as np
import pytest
from support import addon, bone_heads, core, evaluated_vertices, snapshot, window
from test_rigs import RIGS, moved


@pytest.fixture(params=["own", "smplx_addon", "smplx_addon-moved"])
def rig(request, scene) -> bpy.types.Object:
    kind, _, move = request.param.partition("-")
    obj = RIGS[kind]()
    if move:
        moved(obj)
    return obj


def local_rotations(rig: bpy.types.Object) -> np.ndarray:
    bpy.context.view_layer.update()
    pose_module = addon("rig.pose")
    return pose_module.read_pose(rig, pose_module.read_rig(rig)).R_local[0]


def test_generated_pose_is_the_priors(rig) -> None:
    assert bpy.ops.poise.generate_pose(seed=7) == {"FINISHED"}
    prior = core("prior").load_prior()
    R = local_rotations(rig)
    assert np.allclose(R[1:22], prior.decode(prior.sample(1, 7))[0], atol=1e-5)
    body = core("body").body_from_joints(addon("rig.pose").read_rig(rig).rest_joints())
    heads = bone_heads(rig)
    expected = body.pose(R[:22], heads[0] - body.rest_joints()[0]).joints
    assert np.allclose(heads, expected, atol=1e-5)
    up = R[0] @ (0, 1, 0)
    assert np.allclose(up, (0, 0, 1), atol=1e-5)


def test_generated_pose_stands_on_the_ground(body) -> None:
    body.poise.betas[0].value = 1.0
    for seed in (1, 2):
        bpy.ops.poise.generate_pose(seed=seed)
        assert evaluated_vertices(body)[:, 2].min() == pytest.approx(0, abs=1e-4)


def test_generated_pose_keeps_the_heading(body) -> None:
    body.rotation_euler = (0, 0, 1.0)
    bpy.ops.poise.generate_pose(seed=3)
    front = local_rotations(body)[0] @ (0, 0, 1)
    assert np.allclose(front, (np.sin(1.0), -np.cos(1.0), 0), atol=1e-5)


def test_root_and_fingers_can_stay(body) -> None:
    body.pose.bones["pelvis"].rotation_quaternion = (0.8, 0.6, 0, 0)
    body.pose.bones["left_index1"].rotation_quaternion = (0.6, 0.8, 0, 0)
    before = [tuple(body.pose.bones["pelvis"].matrix_basis.row[i]) for i in range(3)]
    bpy.ops.poise.generate_pose(seed=3, root="KEEP", hands="KEEP")
    after = [tuple(body.pose.bones["pelvis"].matrix_basis.row[i]) for i in range(3)]
    assert np.allclose(before, after, atol=1e-6)
    assert np.allclose(body.pose.bones["left_index1"].rotation_quaternion, (0.6, 0.8, 0, 0))
    bpy.ops.poise.generate_pose(seed=3, hands="FLAT")
    assert np.allclose(local_rotations(body)[25:], np.eye(3), atol=1e-5)


def test_amount_leads_from_the_present_pose_to_the_new_one(body) -> None:
    start = local_rotations(body)[1:22]
    far = []
    for amount in (0.0, 0.3, 0.7, 1.0):
        for bone in body.pose.bones:
            bone.rotation_quaternion = (1, 0, 0, 0)
        bpy.ops.poise.generate_pose(seed=4, amount=amount)
        far.append(np.abs(local_rotations(body)[1:22] - start).max())
    assert far[0] < 1e-5 and far == sorted(far) and far[3] > 0.2


def test_stored_pose_comes_back(rig) -> None:
    bpy.ops.poise.generate_pose(seed=11)
    bpy.ops.poise.store_pose(name="A")
    before = bone_heads(rig)
    bpy.ops.poise.generate_pose(seed=12)
    bpy.ops.poise.store_pose()
    assert [p.name for p in rig.poise.poses] == ["A", "Pose 2"] and rig.poise.active_pose == 1
    rig.poise.active_pose = 0
    bpy.ops.poise.apply_pose()
    assert np.allclose(bone_heads(rig), before, atol=1e-5)
    bpy.ops.poise.remove_pose()
    bpy.ops.poise.remove_pose()
    assert not bpy.ops.poise.apply_pose.poll() and not bpy.ops.poise.remove_pose.poll()


def test_targets_snap_to_the_joints(rig) -> None:
    bpy.ops.poise.generate_pose(seed=5)
    heads = dict(zip(core("skeleton").BODY_JOINTS, bone_heads(rig), strict=True))
    assert bpy.ops.poise.add_targets() == {"FINISHED"}
    targets = bpy.context.selected_objects
    assert {t["poise_joint"] for t in targets} == set(addon("rig.targets").EFFECTORS)
    bpy.context.view_layer.update()
    for target in targets:
        assert np.allclose(target.matrix_world.translation, heads[target["poise_joint"]], atol=1e-5)
    assert bpy.context.object == rig
    n = len(bpy.data.objects)
    bpy.ops.poise.generate_pose(seed=6)
    bpy.ops.poise.add_targets()
    assert len(bpy.data.objects) == n  # moved, not added once more


def test_solve_reaches_all_joints_of_a_generated_pose(rig) -> None:
    bpy.ops.poise.generate_pose(seed=5)
    expected = bone_heads(rig)
    bpy.ops.poise.add_targets(joints="ALL")
    bpy.ops.poise.generate_pose(seed=1)
    assert bpy.ops.poise.solve_targets() == {"FINISHED"}
    missed = np.linalg.norm(bone_heads(rig) - expected, axis=1)
    assert missed.mean() < 0.002


def test_solve_puts_bones_where_the_core_does(rig) -> None:
    bpy.ops.poise.generate_pose(seed=8)
    bpy.ops.poise.add_targets()
    bpy.context.view_layer.update()
    selected = bpy.context.selected_objects
    targets = {t["poise_joint"]: t for t in selected}
    targets["left_wrist"].location = targets["left_wrist"].location.lerp(targets["head"].location, 0.3)
    bpy.context.view_layer.update()
    names = [t["poise_joint"] for t in selected]
    positions = np.array([[t.matrix_world.translation for t in selected]])
    body = core("body").body_from_joints(addon("rig.pose").read_rig(rig).rest_joints())
    solved = core("ik").fit_joints(body, core("prior").load_prior(), names, positions)
    bpy.ops.poise.solve_targets()
    assert np.allclose(bone_heads(rig), body.pose(solved.R_local[0], solved.trans[0]).joints, atol=1e-5)
    heads = bone_heads(rig, [addon("rig.names").bones_of_joints(rig.data.bones.keys())[n] for n in names])
    assert np.linalg.norm(heads - positions[0], axis=1).max() < 0.005


def test_one_target_leaves_the_rest_where_it_is(body) -> None:
    bpy.ops.poise.generate_pose(seed=2)
    before = bone_heads(body)
    wrist = bpy.data.objects.new("LeftHand", None)
    bpy.context.collection.objects.link(wrist)
    names = core("skeleton").BODY_JOINTS
    wrist.location = before[names.index("left_wrist")] + (0, -0.1, 0.1)
    wrist.select_set(True)
    bpy.ops.poise.solve_targets()
    after = bone_heads(body)
    assert np.linalg.norm(after[names.index("left_wrist")] - np.array(wrist.location)) < 0.005
    assert np.linalg.norm(after - before, axis=1)[[0, 7, 8, 15, 21]].max() < 0.05


def test_weights_decide_between_targets_that_cannot_all_be_met(body) -> None:
    bpy.ops.poise.add_targets()
    targets = {t["poise_joint"]: t for t in bpy.context.selected_objects}
    targets["head"].location.z += 1.0
    names = core("skeleton").BODY_JOINTS

    def head_error(weight: float) -> float:
        targets["head"]["poise_weight"] = weight
        bpy.ops.poise.solve_targets()
        return np.linalg.norm(bone_heads(body)[names.index("head")] - np.array(targets["head"].location))

    assert head_error(100.0) < 0.5 * head_error(0.01)


@pytest.mark.parametrize("operator", ["generate_pose", "store_pose", "add_targets"])
def test_undo_is_exact(body, operator: str) -> None:
    with window():
        bpy.ops.ed.undo_push(message="before")
        before = snapshot()
        assert getattr(bpy.ops.poise, operator)("EXEC_DEFAULT", True) == {"FINISHED"}
        assert snapshot() != before
        bpy.ops.ed.undo()
        assert snapshot() == before


def test_undo_of_a_new_body_leaves_nothing(scene) -> None:
    with window():
        bpy.ops.ed.undo_push(message="before")
        before = snapshot()
        bpy.ops.poise.add_body("EXEC_DEFAULT", True)
        bpy.ops.ed.undo()
        assert snapshot() == before and not bpy.data.objects


def test_auto_keying_keys_what_was_posed(body, scene) -> None:
    scene.frame_set(12)
    scene.tool_settings.use_keyframe_insert_auto = True
    try:
        bpy.ops.poise.generate_pose(seed=9)
    finally:
        scene.tool_settings.use_keyframe_insert_auto = False
    posed = bone_heads(body)
    for bone in body.pose.bones:
        bone.matrix_basis.identity()
    scene.frame_set(12)
    assert np.allclose(bone_heads(body), posed, atol=1e-5)
    scene.frame_set(12)
    bpy.ops.poise.generate_pose(seed=10)
    scene.frame_set(13)
    assert np.allclose(bone_heads(body), posed, atol=1e-5)  # without auto-keying nothing was keyed


def empty(name: str, **properties) -> bpy.types.Object:
    obj = bpy.data.objects.new(name, None)
    bpy.context.collection.objects.link(obj)
    obj.select_set(True)
    for key, value in properties.items():
        obj[key] = value
    return obj


def wrong_rig() -> None:
    armature = bpy.data.armatures.new("Rigify")
    obj = bpy.data.objects.new("Rigify", armature)
    bpy.context.collection.objects.link(obj)
    bpy.context.view_layer.objects.active = obj


def stretched_rig() -> None:
    RIGS["own"]().scale = (1, 1, 2)


BAD = {
    "an armature of other bones": (wrong_rig, "generate_pose", {}, r"lacks 22 of the 22 body bones .*Add"),
    "uneven scale": (stretched_rig, "generate_pose", {}, r"scaled by 1, 1, 2.*apply its scale"),
    "unknown empty": (lambda: (RIGS["own"](), empty("Empty")), "solve_targets", {}, r'"Empty": no joint has that name'),
    "two for one": (
        lambda: (RIGS["own"](), empty("head"), empty("Target.head")), "solve_targets", {}, r"both stand for head",
    ),
    "weight of text": (
        lambda: (RIGS["own"](), empty("head", poise_weight="much")), "solve_targets", {}, r"poise_weight is 'much'",
    ),
    "no bone selected": (RIGS["own"], "add_targets", {"joints": "SELECTED"}, r"No body bone is selected"),
    "no keys": (RIGS["own"], "interpolate", {}, r"keys at 0 frames; expected two or more"),
    "no stored poses": (RIGS["own"], "interpolate", {"source": "STORED"}, r"has 0 stored poses"),
    "no file": (lambda: None, "add_body_from_file", {"filepath": "/nowhere/SMPL.npz"}, r"does not exist; check"),
    "no body in the file": (lambda: None, "add_body_from_file", {"filepath": __file__}, r"is no npz file"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line_and_changes_nothing(scene, case: str) -> None:
    prepare, operator, settings, message = BAD[case]
    prepare()
    before = snapshot()
    with pytest.raises(RuntimeError, match=message) as caught:
        getattr(bpy.ops.poise, operator)(**settings)
    line = str(caught.value).removeprefix("Error: ").strip()
    assert "\n" not in line and "Traceback" not in line
    assert snapshot() == before


@pytest.mark.parametrize(
    "operator", ["generate_pose", "store_pose", "interpolate", "add_targets", "solve_targets", "apply_pose"]
)
def test_buttons_are_grey_without_a_body(scene, operator: str) -> None:
    assert not getattr(bpy.ops.poise, operator).poll()
    with pytest.raises(RuntimeError, match="poll"):
        getattr(bpy.ops.poise, operator)()


def test_solve_is_grey_without_a_selected_empty(body) -> None:
    assert bpy.ops.poise.generate_pose.poll() and not bpy.ops.poise.solve_targets.poll()


def test_bodies_in_edit_mode_are_left_alone(body) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    assert not bpy.ops.poise.generate_pose.poll()
    bpy.ops.object.mode_set(mode="OBJECT")
    assert bpy.ops.poise.generate_pose.poll()


def test_generated_pose_without_a_visible_mesh_stands_on_its_bones(body) -> None:
    body.children[0].hide_set(True)
    bpy.ops.poise.generate_pose(seed=1)
    assert min((body.matrix_world @ b.tail).z for b in body.pose.bones) == pytest.approx(0, abs=1e-4)


def test_the_body_is_found_from_its_mesh_or_as_the_only_one(body) -> None:
    before = bone_heads(body)
    bpy.context.view_layer.objects.active = body.children[0]
    assert bpy.ops.poise.generate_pose(seed=1) == {"FINISHED"} and np.abs(bone_heads(body) - before).max() > 0.01
    bpy.context.view_layer.objects.active = None
    for obj in bpy.context.selected_objects:
        obj.select_set(False)
    assert bpy.ops.poise.generate_pose.poll()
    bpy.ops.poise.add_body()
    bpy.context.view_layer.objects.active = None
    for obj in bpy.context.selected_objects:
        obj.select_set(False)
    assert not bpy.ops.poise.generate_pose.poll()  # two bodies: which one?


def test_a_stored_pose_made_by_hand_is_refused_in_a_line(body) -> None:
    body.poise.poses.add().name = "Mine"
    with pytest.raises(RuntimeError, match='"Mine" has 0 joints; expected 55'):
        bpy.ops.poise.apply_pose()
