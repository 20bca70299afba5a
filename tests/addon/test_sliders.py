# SPDX-License-Identifier: Apache-2.0
"""Pose sliders start from any pose, never throw one away, and play back where they have keys."""

import bpy
import numpy as np
import pytest
from support import addon, bone_heads, core, evaluated_vertices, snapshot, window
from test_generate import MODES, changed, channels, limb
from test_poses import local_rotations

CROUCH, ARM_UP = 0, 3


def slide(rig: bpy.types.Object, i: int, value: float) -> None:
    """Move one slider as the panel does."""
    rig.poise.sliders[i] = value
    rig.poise.sliders = list(rig.poise.sliders)  # assigning an item calls no update


def test_the_panel_names_what_the_core_found(poise) -> None:
    prior = core("prior").load_prior()
    assert core("prior.directions").principal_directions(prior).names == addon("sliders").NAMES


@pytest.mark.parametrize("mode", MODES)
def test_sliders_move_the_pose_and_lead_back_to_it(body, mode: str) -> None:
    for bone in body.pose.bones:
        bone.rotation_mode = mode
    bpy.ops.poise.generate_pose(seed=4)
    before, low = bone_heads(body), evaluated_vertices(body)[:, 2].min()
    slide(body, CROUCH, 2.0)
    crouched = bone_heads(body)
    assert crouched[15, 2] < before[15, 2] - 0.05  # the head comes down
    assert evaluated_vertices(body)[:, 2].min() == pytest.approx(low, abs=0.02)  # the feet stay
    slide(body, ARM_UP, 1.0)
    assert bone_heads(body)[20, 2] > crouched[20, 2] + 0.05
    slide(body, CROUCH, 0.0)
    slide(body, ARM_UP, 0.0)
    assert np.allclose(bone_heads(body), before, atol=1e-4)


def test_no_work_is_thrown_away_and_nothing_jumps(body) -> None:
    bpy.ops.poise.generate_pose(seed=4)
    slide(body, CROUCH, 1.5)
    bpy.ops.poise.generate_pose(seed=5)
    mine = local_rotations(body)[1:22]
    slide(body, CROUCH, 1.5 + 1e-4)
    assert np.abs(local_rotations(body)[1:22] - mine).max() < 1e-3
    slide(body, CROUCH, 1.0)
    assert np.abs(local_rotations(body)[1:22] - mine).max() > 0.01
    slide(body, CROUCH, 1.5)
    assert np.allclose(local_rotations(body)[1:22], mine, atol=1e-4)


def test_locked_limbs_and_fingers_stay_to_the_bit(body) -> None:
    bpy.ops.poise.generate_pose(seed=4)
    body.poise.locked = [True] + 5 * [False]
    before, mine = channels(body), local_rotations(body)[1:22]
    slide(body, ARM_UP, 2.0)
    slide(body, ARM_UP, 1.0)
    assert changed(before, body) and not changed(before, body) & limb("left_arm")
    slide(body, ARM_UP, 0.0)
    assert np.allclose(local_rotations(body)[1:22], mine, atol=1e-4)


def test_keyed_sliders_play(body) -> None:
    bpy.ops.poise.generate_pose(seed=4)
    scene, start = bpy.context.scene, bone_heads(body)
    scene.frame_set(1)
    bpy.ops.poise.key_sliders()
    scene.frame_set(21)
    slide(body, CROUCH, 2.0)
    end = bone_heads(body)
    bpy.ops.poise.key_sliders()
    assert len(addon("rig.keying.actions").curves_of(body)) == 10
    scene.frame_set(1)
    assert np.allclose(bone_heads(body), start, atol=1e-4)
    scene.frame_set(11)
    halfway = bone_heads(body)
    assert start[15, 2] > halfway[15, 2] > end[15, 2]
    scene.frame_set(21)
    assert np.allclose(bone_heads(body), end, atol=1e-4)
    for frame in (*range(2, 22), 7, 1):
        scene.frame_set(frame)
    assert np.allclose(bone_heads(body), start, atol=1e-4)  # nothing adds up


def test_keyed_sliders_play_in_a_file_opened_again(body, tmp_path) -> None:
    bpy.ops.poise.generate_pose(seed=4)
    bpy.ops.poise.key_sliders()
    bpy.context.scene.frame_set(11)
    slide(body, CROUCH, 2.0)
    bpy.ops.poise.key_sliders()
    end = bone_heads(body)
    bpy.context.scene.frame_set(1)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "slid.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "slid.blend"))
    bpy.context.scene.frame_set(11)
    assert np.allclose(bone_heads(bpy.data.objects["Body"]), end, atol=1e-4)


def test_bones_with_keys_of_their_own_follow_these(body) -> None:
    bpy.ops.poise.generate_pose(seed=4)
    scene = bpy.context.scene
    scene.frame_set(1)
    bpy.ops.poise.key_sliders()
    body.pose.bones["left_knee"].keyframe_insert("rotation_quaternion", frame=1)
    knee = tuple(body.pose.bones["left_knee"].rotation_quaternion)
    scene.frame_set(11)
    slide(body, CROUCH, 2.0)
    bpy.ops.poise.key_sliders()
    scene.frame_set(1)
    scene.frame_set(11)
    assert tuple(body.pose.bones["left_knee"].rotation_quaternion) == knee


def test_auto_keying_keys_the_bones_or_leaves_it_to_the_sliders(body) -> None:
    bpy.context.scene.tool_settings.use_keyframe_insert_auto = True
    slide(body, CROUCH, 1.0)
    assert "left_knee" in addon("rig.keying.keys").animated_bones(body)
    body.animation_data_clear()
    bpy.ops.poise.key_sliders()
    slide(body, CROUCH, 2.0)
    assert not addon("rig.keying.keys").animated_bones(body) & set(body.pose.bones.keys())


def test_reset_returns_or_keeps(body) -> None:
    bpy.ops.poise.generate_pose(seed=4)
    before = bone_heads(body)
    slide(body, CROUCH, 2.0)
    there = bone_heads(body)
    bpy.ops.poise.reset_sliders(pose="KEEP")
    assert not any(body.poise.sliders) and np.allclose(bone_heads(body), there, atol=1e-6)
    slide(body, CROUCH, -2.0)
    assert np.allclose(bone_heads(body), before, atol=0.02)
    bpy.ops.poise.reset_sliders(pose="RETURN")
    assert not any(body.poise.sliders) and np.allclose(bone_heads(body), there, atol=1e-4)


def test_a_slider_goes_with_undo(body) -> None:
    with window():
        bpy.ops.poise.generate_pose(seed=4)
        name, before = body.name, bone_heads(body)
        bpy.ops.ed.undo_push(message="Start")
        slide(body, CROUCH, 2.0)
        bpy.ops.ed.undo_push(message="Slider")
        there = bone_heads(body)
        bpy.ops.ed.undo()
        assert np.allclose(bone_heads(bpy.data.objects[name]), before, atol=1e-6)
        bpy.ops.ed.redo()
        assert np.allclose(bone_heads(bpy.data.objects[name]), there, atol=1e-6)


def test_keyed_sliders_play_whatever_becomes_of_the_body(body) -> None:
    scene = bpy.context.scene
    for frame in (1, 21):
        scene.frame_set(frame)
        slide(body, CROUCH, frame / 10)
        bpy.ops.poise.key_sliders()
    scene.frame_set(7)
    heads = bone_heads(body)
    scene.frame_set(14)
    knee = tuple(body.pose.bones["left_knee"].rotation_quaternion)
    body.name = "Renamed"
    twin = body.copy()
    scene.collection.objects.link(twin)
    scene.frame_set(7)
    assert np.allclose(bone_heads(body), heads, atol=1e-4) and np.allclose(bone_heads(twin), heads, atol=1e-4)
    bpy.data.objects.remove(body)
    other = bpy.data.scenes.new("Other")
    other.collection.objects.link(twin)
    other.frame_set(14)
    assert np.allclose(twin.pose.bones["left_knee"].rotation_quaternion, knee, atol=1e-4)


def test_a_changed_rest_pose_is_read_anew(body) -> None:
    pose = addon("rig.pose")
    before = pose.read_rig(body)
    with bpy.context.temp_override(object=body, active_object=body):
        bpy.ops.object.mode_set(mode="EDIT")
        bones = body.data.edit_bones
        bones["left_wrist"].head.x += 0.1
        bones["right_wrist"].parent = bones["right_shoulder"]
        bpy.ops.object.mode_set(mode="OBJECT")
    after = pose.read_rig(body)
    wrists = [after.bones.index(f"{side}_wrist") for side in ("left", "right")]
    assert after.rest[wrists[0], 0, 3] == pytest.approx(before.rest[wrists[0], 0, 3] + 0.1)
    assert after.hangs_from[wrists[1]] == after.bones.index("right_shoulder") != before.hangs_from[wrists[1]]
    assert np.allclose(after.rest[after.hangs_from[wrists]] @ after.link[wrists], after.rest[wrists], atol=1e-5)


def test_a_rig_that_cannot_be_posed_is_left_alone(body, capfd) -> None:
    body.scale = (1, 1, 2)
    before = snapshot()
    slide(body, CROUCH, 1.0)
    after = snapshot()
    assert after[f"pose {body.name}"] == before[f"pose {body.name}"]
    assert "apply its scale" in capfd.readouterr().out


def test_keyed_sliders_are_rendered(body, tmp_path) -> None:
    scene = bpy.context.scene
    scene.render.engine, scene.render.resolution_x, scene.render.resolution_y = "BLENDER_WORKBENCH", 64, 64
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    bpy.context.collection.objects.link(scene.camera)
    scene.camera.location, scene.camera.rotation_euler = (0, -4, 1), (np.pi / 2, 0, 0)
    for frame in (1, 3):
        scene.frame_set(frame)
        slide(body, ARM_UP, frame - 1.0)
        bpy.ops.poise.key_sliders()
    scene.frame_set(1)
    scene.frame_start, scene.frame_end, scene.render.filepath = 1, 3, str(tmp_path / "film")
    bpy.ops.render.render(animation=True)
    scene.frame_set(3)
    scene.render.filepath = str(tmp_path / "still.png")
    bpy.ops.render.render(write_still=True)
    first, last, still = (
        np.array(bpy.data.images.load(str(tmp_path / name)).pixels)
        for name in ("film0001.png", "film0003.png", "still.png")
    )
    assert np.abs(last - still).mean() < 1e-4 < 1e-3 < np.abs(last - first).mean()


def test_a_refused_slider_goes_back(body) -> None:
    body.poise.sliders[0] = 1.0
    body.scale = (1, 2, 1)
    body.poise.sliders[0] = 2.0
    assert body.poise.sliders[0] == pytest.approx(1.0)
    body.scale = (1, 1, 1)
    body.hide_set(True)
    body.poise.betas[0].value = 2.0
    assert body.poise.betas[0].value == 0.0
