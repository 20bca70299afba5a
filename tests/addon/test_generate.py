# SPDX-License-Identifier: Apache-2.0
"""What may change when a pose is generated: locks and unselected bones stay to the bit, and the rest fits them."""

from pathlib import Path

import bpy
import numpy as np
import pytest
from support import addon, bone_heads, core, evaluated_vertices, snapshot
from test_poses import local_rotations

MODES = ("QUATERNION", "XYZ", "ZYX", "AXIS_ANGLE")


def channels(rig: bpy.types.Object) -> dict[str, tuple[float, ...]]:
    """What each bone's channels hold, to the bit."""
    return {
        b.name: (*b.location, *b.rotation_quaternion, *b.rotation_euler, *b.rotation_axis_angle, *b.scale)
        for b in rig.pose.bones
    }


def changed(before: dict, rig: bpy.types.Object) -> set[str]:
    return {name for name, values in channels(rig).items() if values != before[name]}


def limb(*groups: str) -> set[str]:
    skeleton = core("skeleton")
    fingers = {n for n in skeleton.JOINTS[25:] for g in groups if g.endswith("arm") and n.startswith(g.split("_")[0])}
    return {name for group in groups for name in skeleton.JOINT_GROUPS[group]} | fingers


@pytest.mark.parametrize("mode", MODES)
def test_a_locked_limb_differs_by_exactly_nothing(body, mode: str) -> None:
    for bone in body.pose.bones:
        bone.rotation_mode = mode
    bpy.ops.poise.generate_pose(seed=1)
    before = channels(body)
    bpy.ops.poise.generate_pose(seed=2, lock={"left_arm", "right_leg"}, hands="FIST")
    locked = limb("left_arm", "right_leg")
    assert len(locked) == 23 and not changed(before, body) & locked
    assert {"left_knee", "right_elbow", "right_index2", "spine2", "pelvis"} <= changed(before, body)
    assert evaluated_vertices(body)[:, 2].min() == pytest.approx(0, abs=1e-4)


def test_locked_poses_are_plausible(body) -> None:
    score, poses = core("prior.plausibility").load_plausibility().score, []
    for seed in range(6):
        bpy.ops.poise.generate_pose(seed=seed)
        bpy.ops.poise.generate_pose(seed=100 + seed, lock={"left_arm"})
        poses.append(local_rotations(body)[1:22])
    assert score(np.array(poses)).min() > 0.2


def test_only_selected_bones_change(body) -> None:
    bpy.ops.poise.generate_pose(seed=1)
    for collection in body.data.collections:
        collection.is_visible = True  # fingers cannot be selected while they are hidden
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.pose.select_all(action="DESELECT")
    chosen = {"left_shoulder", "left_elbow", "right_index1"}
    for name in chosen:
        bone = body.pose.bones[name]
        (bone if bpy.app.version >= (5, 0) else bone.bone).select = True
    before = channels(body)
    bpy.ops.poise.generate_pose(seed=5, bones="SELECTED", hands="POINT")
    assert changed(before, body) == chosen
    before = channels(body)
    bpy.ops.poise.generate_pose(seed=6, bones="UNSELECTED", hands="RELAXED")
    assert not changed(before, body) & chosen and "left_wrist" in changed(before, body)
    bpy.ops.pose.select_all(action="DESELECT")
    before = snapshot()
    with pytest.raises(RuntimeError, match="No body bone but the pelvis is selected"):
        bpy.ops.poise.generate_pose(bones="SELECTED")
    assert snapshot() == before


def test_the_height_can_stay(body) -> None:
    body.location.z = 0.7
    bpy.ops.poise.generate_pose(seed=3, root="HEIGHT")
    assert evaluated_vertices(body)[:, 2].min() == pytest.approx(0.7, abs=1e-4)


@pytest.mark.parametrize("hands", ["RELAXED", "FLAT", "FIST", "POINT"])
def test_fingers_take_the_preset(body, hands: str) -> None:
    bpy.ops.poise.generate_pose(seed=3, hands=hands)
    expected = core("rotations").exp_so3(core("body.hands").preset_hands(hands.lower()))
    assert np.allclose(local_rotations(body)[25:], expected, atol=1e-5)


def test_a_prior_of_ones_own_is_used(body, tmp_path) -> None:
    arrays = dict(np.load(Path(core("prior").__file__).parent / "weights" / "vae.npz"))
    arrays["decoder_b0"] = arrays["decoder_b0"] + 0.05
    own = tmp_path / "own.npz"
    np.savez(own, **arrays)
    bpy.ops.poise.generate_pose(seed=3)
    with_shipped = bone_heads(body)
    bpy.ops.poise.generate_pose(seed=3, prior=str(own))
    assert np.abs(bone_heads(body) - with_shipped).max() > 0.01
    bpy.ops.poise.generate_pose(seed=3)
    assert np.allclose(bone_heads(body), with_shipped, atol=1e-6)
    before = snapshot()
    with pytest.raises(RuntimeError, match="No prior or file is called"):
        bpy.ops.poise.generate_pose(prior=str(tmp_path / "none.npz"))
    assert snapshot() == before


def test_auto_keying_leaves_locked_bones_without_keys(body) -> None:
    bpy.context.scene.tool_settings.use_keyframe_insert_auto = True
    bpy.ops.poise.generate_pose(seed=1, lock={"head", "torso"})
    keyed = addon("rig.keying.keys").animated_bones(body)
    assert keyed and not keyed & limb("head", "torso")
