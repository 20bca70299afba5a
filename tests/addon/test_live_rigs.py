# SPDX-License-Identifier: Apache-2.0
"""Live posing on rigs with locks, drivers, constraints and parents, in scenes with units and layers of their own."""

import bpy
import numpy as np
import pytest
from support import bone_heads, core
from test_live import drag, handle, session_of, tick, told
from test_live_handles import settle


def test_locked_and_driven_bones_stay_and_are_named(body) -> None:
    neck, elbow = body.pose.bones["neck"], body.pose.bones["left_elbow"]
    neck.lock_rotation = (True, False, False)
    curve = elbow.driver_add("rotation_quaternion", 1)
    curve.driver.expression = "0.1"
    body.pose.bones["right_knee"].constraints.new("LIMIT_ROTATION")
    bpy.context.view_layer.update()
    session = session_of(body)
    assert session.held.notes == ("Locked or driven: neck, left elbow", "Constrained, may not follow: right knee")
    before = [tuple(bone.rotation_quaternion) for bone in (neck, elbow)]
    drag(session, "left_wrist", (0.0, -0.1, 0.15))
    assert [tuple(bone.rotation_quaternion) for bone in (neck, elbow)] == before and session.steps > 5
    with pytest.raises(core("errors").PoiseError, match="free them first"):
        session.mirror()


def test_a_pelvis_whose_place_is_locked_stays_there(body) -> None:
    body.pose.bones["pelvis"].lock_location[2] = True
    session = session_of(body)
    before = bone_heads(body, ["pelvis"])
    drag(session, "right_wrist", (0.0, -0.4, 0.4))
    assert np.allclose(bone_heads(body, ["pelvis"]), before, atol=1e-6) and session.steps > 5
    assert session.held.notes == ("Locked or driven: the body's place",)


def test_an_armature_with_a_parent_and_a_constraint_is_posed_where_it_stands(body) -> None:
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.collection.objects.link(parent)
    parent.location, parent.rotation_euler, parent.scale = (1, 2, 0.5), (0.1, 0.2, 0.9), (1.1,) * 3
    body.parent = parent
    body.constraints.new("LIMIT_LOCATION").use_min_z = True
    bpy.context.view_layer.update()
    session = session_of(body)
    assert not tick(session)
    wrist, shoulder = bone_heads(body, ["right_wrist", "right_shoulder"])
    drag(session, "right_wrist", tuple(0.3 * (shoulder - wrist)))
    goal = np.array(handle(session, "right_wrist").matrix_world.translation)
    assert np.linalg.norm(bone_heads(body, ["right_wrist"])[0] - goal) < 0.01


def test_a_handle_with_a_parent_is_followed_too(body) -> None:
    session = session_of(body)
    wrist, parent = handle(session, "right_wrist"), bpy.data.objects.new("Prop", None)
    bpy.context.collection.objects.link(parent)
    frame = wrist.matrix_world.copy()
    parent.location, parent.rotation_euler = (0.5, 0.2, 1.0), (0.3, 0.0, 0.5)
    wrist.parent = parent
    bpy.context.view_layer.update()
    wrist.matrix_world = frame
    settle(session)
    for _ in range(5):
        parent.location.z += 0.02
        assert tick(session)
    settle(session)
    goal = np.array(wrist.matrix_world.translation)
    assert abs(goal[2] - frame.translation.z - 0.1) < 1e-4
    assert np.linalg.norm(bone_heads(body, ["right_wrist"])[0] - goal) < 0.01


def test_misses_are_told_in_the_units_of_the_scene(body) -> None:
    session = session_of(body)
    drag(session, "right_wrist", (0.0, -3.0, 0.0), steps=20)
    settings = bpy.context.scene.unit_settings
    assert told(session).endswith(" m short")
    settings.scale_length = 0.01
    assert told(session).endswith(" cm short")
    settings.system = "NONE"
    assert told(session).split()[-2].replace(".", "").isdigit()


def test_a_changed_view_layer_ends_the_session(body) -> None:
    session = session_of(body)
    other = bpy.context.scene.view_layers.new("Other")
    with bpy.context.temp_override(view_layer=other), pytest.raises(core("errors").PoiseError, match="view layer"):
        session.tick(bpy.context)


def test_a_body_linked_from_a_library_is_refused_by_the_poll(body, tmp_path) -> None:
    path = str(tmp_path / "body.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
    name = body.name
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(path, link=True) as (_there, wanted):
        wanted.objects = [name]
    linked = wanted.objects[0]
    bpy.context.collection.objects.link(linked)
    bpy.context.view_layer.objects.active = linked
    assert not bpy.ops.poise.pose_live.poll()
