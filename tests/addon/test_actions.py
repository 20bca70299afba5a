# SPDX-License-Identifier: Apache-2.0
"""Actions that keys go to: shared by others, without a slot, linked, locked, in the NLA."""

import bpy
import pytest
from support import addon, core, link_action, snapshot, tweak
from test_animation import angle, keyed, keys_of, rotations_at
from test_timeline import changed, curves


def test_locked_bones_stay_and_the_rest_is_filled(body) -> None:
    keyed(body, {1: 1, 11: 2})
    found = addon("rig.keying.actions").curves_of(body)
    next(c for c in found if "left_knee" in c.data_path).lock = True
    next(c for c in found if "head" in c.data_path).group.lock = True
    before = curves(body)
    assert bpy.ops.poise.interpolate() == {"FINISHED"}
    unchanged = {name for name in ("left_knee", "head", "right_knee") if name not in changed(before, curves(body))}
    assert unchanged == {"left_knee", "head"}


def test_a_linked_action_is_refused_in_one_line(body, tmp_path) -> None:
    keyed(body, {1: 1, 11: 2})
    link_action(body, tmp_path)
    before = snapshot()
    for name in ("interpolate", "reduce_keys", "key_variations", "key_sliders"):
        with pytest.raises(RuntimeError, match="linked from another file"):
            getattr(bpy.ops.poise, name)()
    assert snapshot() == before


def test_tweak_mode_is_refused_in_one_line(body) -> None:
    keyed(body, {1: 1, 11: 2})
    tweak(body)
    before = snapshot()
    for name in ("interpolate", "reduce_keys", "key_variations", "key_sliders", "denoise"):
        with pytest.raises(RuntimeError, match="tweak mode"):
            getattr(bpy.ops.poise, name)()
    assert snapshot() == before


def test_in_tweak_mode_no_action_is_made(body) -> None:
    keyed(body, {1: 1, 11: 2})
    tweak(body)
    before, actions = snapshot(), addon("rig.keying.actions")
    for make in (actions.new_action, actions.copied_action):
        with pytest.raises(core("errors").PoiseError, match=r"another action now\. Leave the NLA's tweak mode"):
            make(body, "Other")
    assert snapshot() == before


def test_keys_of_poses_are_not_added_to_the_nla(body, scene) -> None:
    keyed(body, {1: 1, 11: 2})
    data = body.animation_data
    data.nla_tracks.new().strips.new("Walk", 1, data.action)
    data.action_blend_type = "COMBINE"
    scene.frame_set(12)
    with pytest.raises(RuntimeError, match="only a part of what the NLA shows"):
        bpy.ops.poise.interpolate(source="GENERATED")
    assert bpy.ops.poise.interpolate() == {"FINISHED"}  # between its own keys all is well


@pytest.mark.skipif(bpy.app.version < (4, 4), reason="no slots before Blender 4.4")
def test_two_bodies_and_a_camera_share_an_action(scene) -> None:
    """Each object has its slot: the others' keys stay to the bit."""
    bodies, action = [], bpy.data.actions.new("Shared")
    for seeds in ({1: 1, 11: 2}, {1: 3, 16: 4}):
        bpy.ops.poise.add_body()
        body = bpy.context.object
        body.animation_data_create().action = action
        body.animation_data.action_slot = action.slots.new(id_type="OBJECT", name=body.name)
        keyed(body, seeds)
        bodies.append(body)
    assert bodies[0].animation_data.action is bodies[1].animation_data.action
    other, expected = curves(bodies[1]), {f: rotations_at(bodies[0], f) for f in (1, 11)}
    bpy.context.view_layer.objects.active = bodies[0]
    assert bpy.ops.poise.interpolate() == {"FINISHED"}
    assert curves(bodies[1]) == other
    for frame, R in expected.items():
        assert angle(rotations_at(bodies[0], frame), R) < 1e-4
    assert keys_of(bodies[0]) == list(range(1, 12)) and len(bpy.data.actions) == 1


@pytest.mark.skipif(bpy.app.version < (4, 4), reason="no slots before Blender 4.4")
def test_a_body_without_a_slot_gets_one_of_its_own(body, scene) -> None:
    bpy.ops.object.camera_add()
    camera = bpy.context.object
    camera.keyframe_insert("location", frame=1)
    before, shared = curves(camera), camera.animation_data.action
    body.animation_data_create().action = shared
    body.animation_data.action_slot = None
    bpy.context.view_layer.objects.active = body
    assert bpy.ops.poise.interpolate(source="GENERATED", seed=1, spacing=4) == {"FINISHED"}
    assert curves(camera) == before
    assert body.animation_data.action is shared
    assert body.animation_data.action_slot != camera.animation_data.action_slot


def test_stored_poses_never_overwrite_an_action(body, scene) -> None:
    keyed(body, {1: 1, 21: 2})
    old = body.animation_data.action
    for seed in (3, 4):
        bpy.ops.poise.generate_pose(seed=seed)
        bpy.ops.poise.store_pose()
    scene.frame_set(1)
    bpy.ops.poise.interpolate(source="STORED", spacing=10)
    assert body.animation_data.action != old and old.use_fake_user
    new = body.animation_data.action
    body.animation_data.action = old
    if bpy.app.version >= (4, 4):
        body.animation_data.action_slot = old.slots[0]
    assert keys_of(body) == [1, 21]
    assert new.name in bpy.data.actions


def test_stored_poses_leave_the_objects_own_animation_in_place(body, scene) -> None:
    """The action that they get is a copy: what moves the object itself goes on."""
    keyed(body, {1: 1, 21: 2})
    for frame, x in ((1, 0.0), (21, 2.0)):
        body.location.x = x
        body.keyframe_insert("location", frame=frame)
    for seed in (3, 4):
        bpy.ops.poise.generate_pose(seed=seed)
        bpy.ops.poise.store_pose()
    scene.frame_set(1)
    assert bpy.ops.poise.interpolate(source="STORED", spacing=10) == {"FINISHED"}
    scene.frame_set(21)
    assert abs(body.location.x - 2) < 1e-6
