# SPDX-License-Identifier: Apache-2.0
"""Fingers that the artist has keyed: in-betweens of the body never cost a key of theirs."""

import bpy
import pytest
from support import addon, core, snapshot
from test_animation import keyed, keys_of
from test_timeline import changed, curves

FINGER = 'pose.bones["left_index1"].rotation_quaternion'


def test_fingers_are_keyed_only_where_they_were(body) -> None:
    def key(frame: float, *names: str) -> None:
        for name in (*core("skeleton").BODY_JOINTS, *names):
            body.pose.bones[name].keyframe_insert("rotation_quaternion", frame=frame)

    for frame, seed in ((1, 1), (6, 2)):
        bpy.ops.poise.generate_pose(seed=seed)
        key(frame, "jaw")
    bpy.ops.poise.interpolate()
    animated = addon("rig.keying.keys").animated_bones(body)
    assert "jaw" in animated and not any(name.endswith("index1") for name in animated)
    body.pose.bones["left_index1"].keyframe_insert("rotation_quaternion", frame=1)
    bpy.ops.poise.interpolate()
    assert "right_thumb3" in addon("rig.keying.keys").animated_bones(body)


def key_body(body: bpy.types.Object, seeds: dict[int, int]) -> None:
    """Key generated poses, without the fingers."""
    for frame, seed in seeds.items():
        bpy.ops.poise.generate_pose(seed=seed)
        for name in core("skeleton").BODY_JOINTS:
            body.pose.bones[name].keyframe_insert("rotation_quaternion", frame=frame)


def bend(body: bpy.types.Object, name: str, frame: int) -> None:
    body.pose.bones[name].rotation_quaternion = (0.9, 0.1, 0.0, 0.3)
    body.pose.bones[name].keyframe_insert("rotation_quaternion", frame=frame)


@pytest.mark.parametrize("reduce", [False, True])
def test_a_finger_keyed_between_the_bodys_keys_keeps_its_curves(body, reduce: bool) -> None:
    key_body(body, {1: 1, 21: 2})
    bend(body, "left_index1", 11)
    bend(body, "right_index1", 21)
    before = curves(body)
    assert bpy.ops.poise.interpolate(source="KEYS", reduce=reduce) == {"FINISHED"}
    found = changed(before, curves(body))
    assert keys_of(body, FINGER) == [11] and "left_index1" not in found
    assert {"left_knee", "right_index1", "left_index2"} <= found
    again = curves(body)
    bpy.ops.poise.interpolate(source="KEYS", path="slerp")
    assert "left_index1" not in changed(again, curves(body))


def test_fingers_keyed_with_the_body_follow_it(body) -> None:
    keyed(body, {1: 1, 11: 2, 21: 3})
    assert bpy.ops.poise.interpolate() == {"FINISHED"}
    assert keys_of(body, FINGER) == list(range(1, 22))


@pytest.mark.parametrize("source", ["KEYS", "GENERATED"])
def test_a_way_never_replaces_keys_of_fingers(body, scene, source: str) -> None:
    key_body(body, {1: 1, 11: 2})
    bend(body, "left_index1", 17)
    scene.frame_set(11)
    before = snapshot()
    with pytest.raises(RuntimeError, match="would replace your key at frame 17"):
        bpy.ops.poise.interpolate(source=source, loop=source == "KEYS", spacing=12)
    assert snapshot() == before
    assert bpy.ops.poise.interpolate(source=source, loop=source == "KEYS", spacing=5) == {"FINISHED"}
    assert 17 in keys_of(body, FINGER)


def test_variations_of_hands_leave_keys_of_fingers_in_the_file(body, scene) -> None:
    bend(body, "left_index1", 3)
    old = body.animation_data.action
    assert bpy.ops.poise.key_variations(count=3, spacing=2, seed=1, hands="FIST") == {"FINISHED"}
    assert body.animation_data.action != old and old.use_fake_user
    body.animation_data.action = old
    if bpy.app.version >= (4, 4):
        body.animation_data.action_slot = old.slots[0]
    assert keys_of(body, FINGER) == [3]
    assert addon("rig.keying.keys").animated_bones(body) == {"left_index1"}
