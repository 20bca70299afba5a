# SPDX-License-Identifier: Apache-2.0
"""From a camera: Blender's cameras as the core sees them, picture targets, and the pose that is solved from them."""

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Matrix, Vector
from support import addon, bone_heads, core, snapshot
from test_rigs import RIGS

SETTINGS = [
    {},
    {"sensor_fit": "VERTICAL", "lens": 35.0},
    {"sensor_fit": "HORIZONTAL", "shift_x": 0.2, "shift_y": -0.1, "size": (1080, 1920)},
    {"shift_x": -0.3, "shift_y": 0.15, "size": (1080, 1920)},
    {"sensor_fit": "VERTICAL", "shift_y": 0.3, "size": (1080, 1920), "aspect": (1.0, 2.0)},
    {"shift_x": 0.1, "shift_y": 0.1, "aspect": (1.5, 1.0)},
    {"shift_x": 0.1, "shift_y": -0.2, "aspect": (1.0, 2.5)},
    {"sensor_width": 23.0, "sensor_height": 11.0, "sensor_fit": "VERTICAL", "size": (640, 640)},
]


def add_camera(lens: float = 50.0, size=(1920, 1080), aspect=(1.0, 1.0), **more) -> bpy.types.Object:
    """The scene's camera, 5 m before a body at the origin, a little from above and aside."""
    scene, data = bpy.context.scene, bpy.data.cameras.new("Camera")
    camera = scene.camera = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(camera)
    data.lens = lens
    for name, value in more.items():
        setattr(data, name, value)
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = aspect
    look_at(camera, Vector((1.5, -5.0, 1.6)), Vector((0, 0, 1.0)))
    return camera


def look_at(camera: bpy.types.Object, eye: Vector, there: Vector) -> None:
    turn = (there - eye).to_track_quat("-Z", "Y").to_matrix().to_4x4()
    camera.matrix_world = Matrix.Translation(eye) @ turn
    bpy.context.view_layer.update()


def blenders_pixels(camera: bpy.types.Object, places: np.ndarray) -> np.ndarray:
    """Pixels (P, 2) from the top left, by Blender's own account."""
    scene = bpy.context.scene
    co = np.array([world_to_camera_view(scene, camera, Vector(place))[:2] for place in places])
    return (co * [1, -1] + [0, 1]) * [scene.render.resolution_x, scene.render.resolution_y]


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_camera_sees_what_blenders_own_sees(scene, settings) -> None:
    camera = add_camera(**settings)
    camera.scale = (2.0, 2.0, 2.0)
    camera.rotation_mode = "XYZ"
    camera.rotation_euler.rotate_axis("Z", 0.3)
    bpy.context.view_layer.update()
    places = np.random.default_rng(0).normal(size=(30, 3)) + np.array([0, 0, 1])
    ours = addon("rig.seen.camera").read_camera(bpy.context, camera).project(places[None])[0]
    expected = blenders_pixels(camera, places)
    assert np.abs((ours - expected) / scene.render.resolution_y).max() < 1e-5


@pytest.mark.parametrize("how", ["keys", "parent", "constraint"])
def test_a_moving_camera_is_read_at_every_frame(scene, how: str) -> None:
    camera = add_camera()
    carrier = bpy.data.objects.new("Carrier", None)
    scene.collection.objects.link(carrier)
    mover = camera if how == "keys" else carrier
    if how == "parent":
        camera.parent = carrier
    if how == "constraint":
        constraint = camera.constraints.new("COPY_LOCATION")
        constraint.target, constraint.use_offset = carrier, True
    for frame, x in ((1, 0.0), (10, 3.0)):
        mover.location.x = x
        mover.keyframe_insert("location", frame=frame)
    scene.frame_set(4)
    frames, before = np.arange(1, 11), snapshot()
    seen = addon("rig.seen.camera").read_camera_over(bpy.context, camera, frames)
    assert snapshot() == before and len(bpy.data.scenes) == 1 and scene.frame_current == 4
    place = np.array([[0.3, 0.2, 1.1]])
    ours = seen.project(np.tile(place, (10, 1, 1)))[:, 0]
    for frame in frames:
        scene.frame_set(int(frame))
        assert np.abs(ours[frame - 1] - blenders_pixels(camera, place)).max() < 0.01


def test_a_lens_that_zooms_is_refused(scene) -> None:
    camera = add_camera()
    for frame, lens in ((1, 50.0), (10, 80.0)):
        camera.data.lens = lens
        camera.data.keyframe_insert("lens", frame=frame)
    with pytest.raises(core("errors").TargetError, match="lens"):
        addon("rig.seen.camera").read_camera_over(bpy.context, camera, np.arange(1, 11))


def targets() -> dict[str, bpy.types.Object]:
    return {o["poise_picture_joint"]: o for o in bpy.data.objects if "poise_picture_joint" in o}


def missed(camera: bpy.types.Object, rig: bpy.types.Object) -> np.ndarray:
    """Pixels (P,) from each target to its joint, as the camera sees both."""
    bpy.context.view_layer.update()
    there = targets()
    goals = blenders_pixels(camera, np.array([t.matrix_world.translation for t in there.values()]))
    return np.linalg.norm(blenders_pixels(camera, bone_heads(rig, list(there))) - goals, axis=1)


def test_targets_are_added_on_the_body(body) -> None:
    camera = add_camera()
    bpy.ops.poise.generate_pose(seed=4)
    assert bpy.ops.poise.add_picture_targets() == {"FINISHED"}
    there = targets()
    assert len(there) == 16 and missed(camera, body).max() < 0.01
    assert {t.parent for t in there.values()} == {camera} and all(t.select_get() for t in there.values())
    eye = np.array(camera.matrix_world.translation)
    assert all(np.linalg.norm(np.array(t.matrix_world.translation) - eye) < 2 for t in there.values())
    there["left_wrist"].location.x += 0.1
    bpy.ops.poise.add_picture_targets(joints="ALL")
    assert len(targets()) == 22 and missed(camera, body).max() < 0.01


def test_without_a_body_in_view_they_are_added_as_a_figure(body) -> None:
    camera = add_camera()
    look_at(camera, Vector((0, -5, 1)), Vector((0, -10, 1)))
    bpy.ops.poise.add_picture_targets()
    there = targets()
    bpy.context.view_layer.update()
    p = dict(
        zip(there, blenders_pixels(camera, np.array([t.matrix_world.translation for t in there.values()])), strict=True)
    )
    assert all((xy > 0).all() and xy[0] < 1920 and xy[1] < 1080 for xy in p.values())
    assert p["head"][1] < p["left_hip"][1] < p["left_foot"][1]  # upright
    assert p["left_wrist"][0] > 960 > p["right_wrist"][0]  # and facing the camera


def shown_to(camera: bpy.types.Object, rig: bpy.types.Object) -> np.ndarray:
    """Put targets on the joints that a rig shows, forget the pose, and give the joints (22, 3) that are to be found."""
    truth = bone_heads(rig)
    bpy.ops.poise.add_picture_targets()
    for bone in rig.pose.bones:
        bone.matrix_basis.identity()
        bone.rotation_quaternion = (1, 0, 0, 0)
        bone.rotation_euler = (0, 0, 0)
        bone.location = (0, 0, 0)
    bpy.context.view_layer.update()
    return truth


@pytest.mark.parametrize("kind", ["own", "smplx_addon"])
@pytest.mark.parametrize("settings", [{}, {"size": (1080, 1920), "shift_x": -0.05}, SETTINGS[6]])
def test_the_pose_in_the_picture_is_found(scene, kind: str, settings) -> None:
    rig = RIGS[kind]()
    camera = add_camera(**{"lens": 35.0} | settings)
    look_at(camera, Vector((1.5, -7.0, 1.6)), Vector((0, 0, 1.0)))
    bpy.ops.poise.generate_pose(seed=5)
    truth = shown_to(camera, rig)
    assert missed(camera, rig).max() > 30
    assert bpy.ops.poise.solve_picture() == {"FINISHED"}
    found = bone_heads(rig)
    assert missed(camera, rig).max() < 0.01 * bpy.context.scene.render.resolution_y
    # The picture tells no depth: the prior does, by centimetres, and the whole body's by decimetres.
    apart = np.linalg.norm((found - found[0]) - (truth - truth[0]), axis=1)
    away = np.linalg.norm(found[0] - truth[0])
    print(f"joints from the pelvis {1000 * apart.mean():.0f} mm, pelvis {1000 * away:.0f} mm")
    assert apart.mean() < 0.12 and away < 0.5


def test_a_wrist_that_is_dragged_in_the_picture_is_followed(body) -> None:
    camera = add_camera()
    bpy.ops.poise.generate_pose(seed=4)
    bpy.ops.poise.add_picture_targets()
    before = bone_heads(body)
    targets()["left_wrist"].location.y += 0.02
    bpy.ops.poise.solve_picture(from_pose=True)
    assert missed(camera, body).max() < 12
    moved = np.linalg.norm(bone_heads(body) - before, axis=1)
    assert moved[core("skeleton").BODY_JOINTS.index("left_wrist")] > 0.06


def test_hidden_and_deleted_targets_do_not_count(body) -> None:
    camera = add_camera()
    bpy.ops.poise.generate_pose(seed=5)
    truth = shown_to(camera, body)
    there = targets()
    there["right_foot"].location.x += 0.2  # nonsense, so hidden
    there["right_foot"].hide_set(True)
    bpy.data.objects.remove(there["left_wrist"])
    bpy.ops.poise.solve_picture()
    found = bone_heads(body)
    assert np.linalg.norm((found - found[0]) - (truth - truth[0]), axis=1).mean() < 0.12


def _none_left(camera) -> None:
    for name in list(targets())[3:]:
        bpy.data.objects.remove(targets()[name])


def _behind(camera) -> None:
    targets()["head"].location.z = 1.0


def _twice(camera) -> None:
    copy = targets()["head"].copy()
    bpy.context.collection.objects.link(copy)


def _flat(camera) -> None:
    camera.data.type = "ORTHO"


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (_none_left, "at least 4"),
        (_behind, "behind the camera"),
        (_twice, "both stand for head"),
        (_flat, "perspective"),
    ],
)
def test_what_no_pose_can_be_solved_from_changes_nothing(body, spoil, line: str) -> None:
    camera = add_camera()
    bpy.ops.poise.add_picture_targets()
    spoil(camera)
    before = snapshot()
    with pytest.raises(RuntimeError, match=line):
        bpy.ops.poise.solve_picture()
    assert snapshot() == before


def test_without_a_camera_the_buttons_are_grey(body) -> None:
    assert not bpy.ops.poise.add_picture_targets.poll() and not bpy.ops.poise.solve_picture.poll()
    add_camera()
    assert bpy.ops.poise.add_picture_targets.poll() and not bpy.ops.poise.solve_picture.poll()
    bpy.ops.poise.add_picture_targets()
    assert bpy.ops.poise.solve_picture.poll()


def test_live_posing_and_plain_targets_leave_picture_targets_alone(body) -> None:
    add_camera()
    bpy.ops.poise.add_picture_targets()
    before = {name: tuple(t.location) for name, t in targets().items()}
    bpy.context.view_layer.objects.active = body
    bpy.ops.poise.add_targets()
    assert {name: tuple(t.location) for name, t in targets().items()} == before
    assert len(bpy.data.objects) == 2 + 1 + 16 + 6
