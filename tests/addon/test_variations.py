# SPDX-License-Identifier: Apache-2.0
"""Variations of the present pose: in its place, as keys, and in a gallery to choose from."""

import bpy
import numpy as np
import pytest
from support import addon, core, evaluated_vertices, snapshot, window
from test_generate import MODES, changed, channels, limb
from test_poses import local_rotations


def test_an_amount_of_0_is_the_pose_to_the_bit(body) -> None:
    bpy.ops.poise.generate_pose(seed=1)
    before = channels(body)
    assert bpy.ops.poise.vary_pose(seed=3, amount=0.0) == {"FINISHED"}
    assert not changed(before, body)


def test_a_seed_gives_the_same_variation_again_and_stays_near(body) -> None:
    poses = []
    for seed, amount in ((5, 0.3), (5, 0.3), (6, 0.3), (5, 0.9)):
        bpy.ops.poise.generate_pose(seed=1)
        start = local_rotations(body)[1:22]
        bpy.ops.poise.vary_pose(seed=seed, amount=amount)
        poses.append(local_rotations(body)[1:22])
    first, other, far = (np.abs(poses[i] - start).max() for i in (0, 2, 3))
    assert np.allclose(poses[0], poses[1], atol=1e-6) and np.abs(poses[0] - poses[2]).max() > 0.05
    assert 0.02 < first < far and other > 0.02


@pytest.mark.parametrize("mode", MODES)
def test_a_locked_limb_and_fingers_stay_to_the_bit(body, mode: str) -> None:
    for bone in body.pose.bones:
        bone.rotation_mode = mode
    bpy.ops.poise.generate_pose(seed=1)
    before, low = channels(body), evaluated_vertices(body)[:, 2].min()
    bpy.ops.poise.vary_pose(seed=2, amount=0.6, lock={"right_arm", "torso"})
    turned = changed(before, body)
    assert not turned & (limb("right_arm", "torso", "left_arm") - set(core("skeleton").JOINT_GROUPS["left_arm"]))
    assert {"left_elbow", "left_knee"} <= turned
    assert evaluated_vertices(body)[:, 2].min() == pytest.approx(low, abs=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_variations_are_keyed_as_they_are(body, mode: str) -> None:
    for bone in body.pose.bones:
        bone.rotation_mode = mode
    bpy.ops.poise.generate_pose(seed=1)
    before = channels(body)
    settings = {"seed": 9, "amount": 0.5, "lock": {"head"}}
    bpy.context.scene.frame_set(5)
    assert bpy.ops.poise.key_variations(count=4, spacing=3, **settings) == {"FINISHED"}
    keys = addon("rig.keying.keys")
    rig = addon("rig.pose").read_rig(body)
    assert keys.keyed_frames(body, rig, selected=False).tolist() == [5, 8, 11, 14]
    assert not keys.animated_bones(body) & (limb("head") | set(core("skeleton").JOINTS[25:]))
    shown, low = [], []
    for frame in (5, 8, 11, 14):
        bpy.context.scene.frame_set(frame)
        shown.append(local_rotations(body)[1:22])
        low.append(evaluated_vertices(body)[:, 2].min())
        assert not changed(before, body) & limb("head")
    assert np.abs(low).max() < 0.01  # the patches of skin know to a few millimetres
    for k, R in enumerate(shown):
        body.animation_data_clear()
        bpy.ops.poise.generate_pose(seed=1)
        bpy.ops.poise.vary_pose(**settings | {"seed": 9 + k})
        assert np.allclose(local_rotations(body)[1:22], R, atol=1e-4)


def test_keys_that_are_in_the_way_stay_in_the_file(body) -> None:
    from support import key_pose

    bpy.ops.poise.generate_pose(seed=1)
    key_pose(body, 4)
    key_pose(body, 200)
    old = body.animation_data.action
    before = snapshot()[f"keys {body.name}"]
    bpy.ops.poise.key_variations(count=3, spacing=2, seed=1)
    new = body.animation_data.action
    assert new != old and old.use_fake_user
    frames = addon("rig.keying.keys").keyed_frames(body, addon("rig.pose").read_rig(body), selected=False)
    assert frames.tolist() == [1, 3, 5, 200]
    body.animation_data.action = old
    if bpy.app.version >= (4, 4):
        body.animation_data.action_slot = old.slots[0]
    assert snapshot()[f"keys {body.name}"] == before


def test_a_picked_variation_is_the_one_of_its_seed_and_the_pose_before_comes_back(body) -> None:
    assert not bpy.ops.poise.pick_variation.poll()
    bpy.ops.poise.generate_pose(seed=1)
    before = snapshot()
    start = local_rotations(body)
    assert bpy.ops.poise.make_variations(count=5, seed=20, amount=0.4) == {"FINISHED"}
    assert snapshot() == before
    offered = addon("gallery").gallery_of(body)
    assert len(offered.icons) == 5  # all 0 without a window
    bpy.ops.poise.pick_variation(index=3)
    picked = local_rotations(body)
    assert offered.picked == 3 and np.abs(picked - start).max() > 0.02
    bpy.ops.poise.pick_variation(index=0)
    assert np.allclose(local_rotations(body), start, atol=1e-5)
    bpy.ops.poise.vary_pose(seed=22, amount=0.4)
    assert np.allclose(local_rotations(body), picked, atol=1e-4)
    state = snapshot()
    with pytest.raises(RuntimeError, match="There is no variation 6; expected 0 to 5"):
        bpy.ops.poise.pick_variation(index=6)
    assert snapshot() == state


def test_a_pick_goes_with_undo_and_the_gallery_stays(body) -> None:
    with window():
        bpy.ops.poise.generate_pose(seed=1)
        bpy.ops.ed.undo_push(message="Start")
        name, before = body.name, local_rotations(body)
        bpy.ops.poise.make_variations(count=2)
        bpy.ops.poise.pick_variation("EXEC_DEFAULT", True, index=1)
        assert np.abs(local_rotations(bpy.data.objects[name]) - before).max() > 0.01
        bpy.ops.ed.undo()
        rig = bpy.data.objects[name]
        assert np.allclose(local_rotations(rig), before, atol=1e-6)
        bpy.context.view_layer.objects.active = rig
        assert bpy.ops.poise.pick_variation.poll()


def test_a_gallery_belongs_to_its_body(body) -> None:
    bpy.ops.poise.make_variations(count=2)
    bpy.ops.poise.add_body()
    assert not bpy.ops.poise.pick_variation.poll()


def test_pictures_show_the_poses(body) -> None:
    bpy.ops.poise.make_variations(count=3, amount=0.8)
    pictures = addon("gallery")._pictures
    pixels = []
    for preview in pictures.values():
        assert tuple(preview.image_size) == (128, 128)
        flat = np.empty(4 * 128 * 128, dtype=np.float32)
        preview.image_pixels_float.foreach_get(flat)
        pixels.append(flat.reshape(128, 128, 4))
    assert all(0.03 < (p[..., 3] > 0.5).mean() < 0.6 for p in pixels)
    assert np.abs(pixels[0] - pixels[1]).mean() > 0.005
