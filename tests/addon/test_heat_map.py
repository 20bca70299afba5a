# SPDX-License-Identifier: Apache-2.0
"""The heat map without a window: whose skin is how hot, and when it is looked at again."""

import bpy
import numpy as np
import pytest
from mathutils import Quaternion
from support import addon, core
from test_rigs import RIGS, moved

ELBOW = "left_elbow"


@pytest.fixture(params=["own", "own-moved", "smplx_addon", "smplx_addon-moved"])
def rig(request, scene) -> bpy.types.Object:
    kind, _, move = request.param.partition("-")
    obj = RIGS[kind]()
    if move:
        moved(obj)
    bpy.ops.poise.generate_pose(seed=3)
    return obj


@pytest.fixture
def heat():
    module = addon("drawing.heat_map")
    module.forget()
    yield module
    module.forget()


def bent(obj: bpy.types.Object, degrees: float, name: str = ELBOW) -> None:
    """Turn a bone about the world's vertical, from its rest."""
    bone = obj.pose.bones[name]
    rest = (obj.matrix_world @ bone.bone.matrix_local).to_quaternion()
    turn = rest.inverted() @ Quaternion((0, 0, 1), np.radians(degrees)) @ rest
    addon("rig.pose").set_rotation(bone, turn)
    bpy.context.view_layer.update()


def seen(heat, obj: bpy.types.Object):
    heat.refresh(bpy.context.evaluated_depsgraph_get())
    return heat._bodies[obj.session_uid]


def test_the_joints_turns_are_those_of_the_pose_reader(rig) -> None:
    bpy.context.view_layer.update()
    pose = addon("rig.pose")
    expected = pose.read_pose(rig, pose.read_rig(rig)).R_local[0, 1:22]
    assert np.abs(addon("rig.heat").body_turns(rig) - expected).max() < 1e-5


def test_a_plausible_body_is_not_coloured(body, heat) -> None:
    bpy.ops.poise.generate_pose(seed=3)
    found = seen(heat, body)
    assert found.heats == () and addon("pose_check").latest(body).plausibility > 0.05


def test_a_broken_elbow_colours_the_forearm_and_its_hand_no_other_limb(body, heat) -> None:
    bpy.ops.poise.generate_pose(seed=3)
    bent(body, 110)
    found = seen(heat, body)
    joints = core("skeleton").BODY_JOINTS
    assert joints[1 + int(found.blamed.argmax())] == ELBOW and found.blamed.max() == 1
    (hot,) = found.heats
    assert hot.object_name == body.children[0].name and hot.points.shape[1:] == (3,) and len(hot.points) % 3 == 0
    assert np.isfinite(hot.colours).all() and hot.colours[:, 3].max() == pytest.approx(0.9, abs=0.01)
    elbow = np.array(body.pose.bones[ELBOW].head)
    reddest = hot.points[hot.colours[:, 3] > 0.8]
    assert len(reddest) > 100
    if (found.blamed > 0).sum() == 1:
        assert np.linalg.norm(reddest - elbow, axis=1).max() < 0.6
    assert addon("pose_check").latest(body).mark == addon("pose_check").pose_mark(body)


def test_it_is_looked_at_again_only_when_something_changed(body, heat) -> None:
    bent(body, 110)
    first = seen(heat, body)
    assert seen(heat, body) is first
    bent(body, 100)
    second = seen(heat, body)
    assert second is not first and second.heats[0] is not first.heats[0]
    body.children[0].hide_set(True)
    bones = seen(heat, body)
    assert [h.kind for h in bones.heats] == ["LINES"] and bones.heats[0].object_name == body.name
    bpy.data.objects.remove(body)
    heat.refresh(bpy.context.evaluated_depsgraph_get())
    assert not heat._bodies


def test_a_skin_that_modifiers_changed_is_coloured_too(body, heat) -> None:
    bent(body, 110)
    plain = seen(heat, body).heats[0]
    body.children[0].modifiers.new("Thicker", "SOLIDIFY")
    bpy.context.view_layer.update()
    heat._bodies.clear()  # no handler tells of the modifier here
    thick = seen(heat, body).heats[0]
    assert 1.9 * len(plain.points) < len(thick.points) < 2.2 * len(plain.points)
    assert np.abs(thick.points.mean(0) - plain.points.mean(0)).max() < 0.02


def test_painted_weights_and_renamed_groups_are_noticed(body, heat) -> None:
    bent(body, 110)
    mesh = body.children[0]
    bpy.context.view_layer.objects.active = mesh
    handlers = bpy.app.handlers.depsgraph_update_post  # in the background the add-on adds none of these
    handlers.append(heat._edited)
    try:
        hot = len(seen(heat, body).heats[0].points)
        bpy.ops.object.mode_set(mode="WEIGHT_PAINT")
        mesh.vertex_groups[ELBOW].remove(range(len(mesh.data.vertices)))
        bpy.context.view_layer.update()
        bpy.ops.object.mode_set(mode="OBJECT")
        bent(body, 109)
        painted = [len(h.points) for h in seen(heat, body).heats]
    finally:
        handlers.remove(heat._edited)
    assert sum(painted) < hot / 2
    mesh.vertex_groups["right_knee"].name, mesh.vertex_groups[ELBOW].name = "Other", "Old"
    mesh.vertex_groups["Other"].name = ELBOW
    bent(body, 110)
    assert sum(len(h.points) for h in seen(heat, body).heats) > sum(painted)


def test_each_of_several_bodies_has_its_own_heat(body, heat) -> None:
    bpy.ops.poise.add_body()
    other = bpy.context.object
    bpy.ops.poise.generate_pose(seed=3)
    bent(body, 110)
    assert len(seen(heat, body).heats) == 1 and not seen(heat, other).heats


def test_the_scale_darkens_all_the_way() -> None:
    colours = addon("rig.heat").colours_of(np.linspace(0, 1, 20))
    luminance = colours[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0).all() and (np.diff(colours[:, 3]) > 0).all() and colours[0, 3] == 0


def test_the_switch_is_data_of_the_scene(scene, tmp_path) -> None:
    assert scene.poise_heat_map is False
    scene.poise_heat_map = True
    path = tmp_path / "on.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_empty=True)
    assert bpy.context.scene.poise_heat_map is False
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert bpy.context.scene.poise_heat_map is True
