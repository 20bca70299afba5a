# SPDX-License-Identifier: Apache-2.0
"""Auto-keying: only what the artist's preferences say, and nothing where keys cannot be written."""

import bpy
import pytest
from support import addon, bone_heads, link_action, snapshot, tweak
from test_animation import keyed
from test_timeline import curves

PELVIS = 'pose.bones["pelvis"].'


@pytest.fixture
def rig(body: bpy.types.Object) -> bpy.types.Object:
    """A body, with auto-keying on."""
    bpy.context.tool_settings.use_keyframe_insert_auto = True
    return body


def only(mode: str) -> None:
    """Let auto-keying touch only the keys, or the curves, that there are."""
    bpy.context.preferences.edit.use_keyframe_insert_available = mode == "AVAILABLE"
    bpy.context.tool_settings.auto_keying_mode = "REPLACE_KEYS" if mode == "REPLACE" else "ADD_REPLACE_KEYS"


@pytest.mark.parametrize("spoil", ["linked", "tweak"])
def test_what_cannot_be_keyed_is_posed_and_said(rig, tmp_path, capfd, spoil: str) -> None:
    bpy.context.tool_settings.use_keyframe_insert_auto = False
    keyed(rig, {1: 1, 11: 2})
    bpy.ops.poise.store_pose()
    link_action(rig, tmp_path) if spoil == "linked" else tweak(rig)
    bpy.context.scene.frame_set(5)
    bpy.context.tool_settings.use_keyframe_insert_auto = True
    before, actions = curves(rig), len(bpy.data.actions)
    for name in ("generate_pose", "vary_pose", "mirror_pose", "apply_pose"):
        heads = bone_heads(rig)
        capfd.readouterr()
        assert getattr(bpy.ops.poise, name)() == {"FINISHED"}
        words = "linked from another file" if spoil == "linked" else "tweak mode"
        assert words in (said := capfd.readouterr().out) and "The pose got no keys" in said
        assert abs(bone_heads(rig) - heads).max() > 1e-3
    assert curves(rig) == before and len(bpy.data.actions) == actions


def test_without_auto_keying_nothing_is_said(body, tmp_path, capfd) -> None:
    keyed(body, {1: 1, 11: 2})
    link_action(body, tmp_path)
    capfd.readouterr()
    bpy.ops.poise.generate_pose()
    assert "no keys" not in capfd.readouterr().out


@pytest.mark.parametrize("mode", ["REPLACE", "AVAILABLE"])
def test_a_pose_that_stays_as_it_is_gets_no_keys(rig, mode: str) -> None:
    only(mode)
    before = snapshot()
    assert bpy.ops.poise.vary_pose(amount=0.0) == {"FINISHED"}
    assert snapshot() == before
    assert bpy.ops.poise.vary_pose(amount=0.5) == {"FINISHED"}  # there are no keys or curves yet
    assert not addon("rig.keying.actions").curves_of(rig) and not bpy.data.actions


@pytest.mark.parametrize("mode", ["REPLACE", "AVAILABLE"])
@pytest.mark.parametrize("channel", ["location", "rotation_quaternion"])
def test_place_and_turn_of_the_pelvis_are_keyed_each_on_its_own(rig, mode: str, channel: str) -> None:
    pelvis, frame = rig.pose.bones["pelvis"], 1 if mode == "REPLACE" else 5
    pelvis.keyframe_insert(channel, frame=1)
    bpy.context.scene.frame_set(frame)
    only(mode)
    bpy.ops.poise.generate_pose(seed=3)
    found = addon("rig.keying.actions").curves_of(rig)
    assert {curve.data_path for curve in found} == {PELVIS + channel}
    for curve in found:
        assert len(curve.keyframe_points) == (1 if mode == "REPLACE" else 2)
        assert curve.evaluate(frame) == pytest.approx(getattr(pelvis, channel)[curve.array_index], abs=1e-6)
