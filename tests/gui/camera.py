# SPDX-License-Identifier: Apache-2.0
"""From a camera, by mouse: points dragged onto a picture, the pose that is seen in it, and tracks that become keys."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np
import support
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Vector
from robot import Steps, find, hands, middle, open_sidebar, press, region, reports, shot, until, view

SIZE = (960, 540)


@contextmanager
def only_panel(name: str) -> Iterator[None]:
    """The sidebar with a body's panel and one other below it, which would be far down else."""
    panels = support.addon("panels").PARTS
    shown = (support.addon("panels.body"), support.addon(f"panels.{name}"))
    for part in reversed(panels):
        part.unregister()
    for part in shown:
        part.register()
    try:
        yield
    finally:
        for part in reversed(shown):
            part.unregister()
        for part in panels:
            part.register()


def open_panel() -> Steps[None]:
    """Click the header of the panel below a body's."""
    add = yield from find("poise.add_body_from_file(")
    yield from hands.click((add[0], add[1] - 90))
    yield 0.5


def add_camera() -> bpy.types.Object:
    scene, data = bpy.context.scene, bpy.data.cameras.new("Camera")
    camera = scene.camera = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(camera)
    data.lens = 40
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    eye = Vector((1.5, -4.5, 1.5))
    camera.matrix_world.translation = eye
    camera.rotation_mode = "QUATERNION"
    camera.rotation_quaternion = (Vector((0, 0, 0.95)) - eye).to_track_quat("-Z", "Y")
    camera.location = eye
    bpy.context.view_layer.update()
    return camera


def picture_of(camera: bpy.types.Object) -> None:
    """Render what the camera sees, and put it behind the camera."""
    scene = bpy.context.scene
    scene.render.engine, scene.render.filepath = "BLENDER_WORKBENCH", str(Path(tempfile.mkdtemp()) / "reference.png")
    scene.display.shading.color_type = "MATERIAL"
    bpy.ops.render.render(write_still=True)
    background = camera.data.background_images.new()
    background.image = bpy.data.images.load(scene.render.filepath)
    background.alpha = 1.0
    camera.data.show_background_images = True


def in_view(place: Vector) -> tuple[int, int]:
    where = region("WINDOW")
    at = location_3d_to_region_2d(where, view().spaces.active.region_3d, place)
    return int(where.x + at.x), int(where.y + at.y)


def posed_person(rig: bpy.types.Object) -> dict[str, Vector]:
    """Pose a body as the person in the picture; where its joints are."""
    bpy.ops.poise.generate_pose(seed=5)
    bpy.context.view_layer.update()
    return {name: rig.matrix_world @ rig.pose.bones[name].head for name in support.core("skeleton").BODY_JOINTS}


def test_a_pose_is_solved_from_points_dragged_onto_a_picture() -> Steps[None]:
    with only_panel("camera"):
        yield 0.3
        yield from press("poise.add_body(")
        yield from open_panel()
        yield from shot("camera_panel", region("UI"))
        rig = bpy.context.object
        name, camera = rig.name, add_camera()
        truth = posed_person(rig)
        picture_of(camera)
        for bone in rig.pose.bones:
            bone.rotation_quaternion, bone.location = (1, 0, 0, 0), (0, 0, 0)
        rig.location = (0.4, 0.3, 0)
        bpy.context.view_layer.objects.active = rig
        bpy.ops.ed.undo_push(message="A person in a picture")
        yield 0.5
        solve = yield from find("poise.solve_picture(")
        yield from hands.click((solve[0], solve[1] + 20))
        yield from shot("camera_menu")
        hands.tap("DOWN_ARROW")
        yield 0.2
        hands.tap("RET")
        yield 0.6
        targets = {o["poise_picture_joint"]: o.name for o in bpy.data.objects if "poise_picture_joint" in o}
        assert len(targets) == 16 and view().spaces.active.region_3d.view_perspective == "CAMERA"
        with bpy.context.temp_override(area=view(), region=region("WINDOW")):
            bpy.ops.view3d.view_center_camera()
        yield 0.5
        yield from shot("camera_targets_added")
        view().spaces.active.show_region_ui = False  # it lies over the picture
        yield 0.3
        for joint, target in targets.items():
            yield from drag(target, in_view(truth[joint]))
        yield from shot("camera_targets_dragged")
        yield from open_sidebar()
        before = support.snapshot()
        yield from press("poise.solve_picture(")
        yield 0.5
        print(reports()[-1])
        rig = bpy.data.objects[name]
        found = {joint: rig.matrix_world @ rig.pose.bones[joint].head for joint in truth}
        apart = [((found[j] - found["pelvis"]) - (truth[j] - truth["pelvis"])).length for j in truth]
        print(f"joints from the pelvis {1000 * np.mean(apart):.0f} mm astray")
        assert np.mean(apart) < 0.1
        hands.move(*middle(region("WINDOW")))
        yield from shot("camera_solved")
        yield from hands.undo()
        assert support.snapshot() == before


def drag(name: str, goal: tuple[int, int]) -> Steps[None]:
    """Select a target, and move it in the view with G."""
    for obj in bpy.context.selected_objects:
        obj.select_set(False)
    target = bpy.data.objects[name]
    target.select_set(True)
    bpy.context.view_layer.objects.active = target
    start = in_view(target.matrix_world.translation)
    hands.move(*start)
    yield 0.08
    hands.tap("G")
    yield 0.05
    yield from hands.travel(goal, moves=3)
    hands.tap("LEFTMOUSE")
    yield 0.1


def clip_with_tracks(rig: bpy.types.Object, frames: int) -> Path:
    """A clip in which a body that sways is tracked; it is the camera's background."""
    core, addon = support.core, support.addon
    prior, t = core("prior").load_prior(), np.linspace(0, frames / 12, frames)[:, None]
    a, b = prior.sample(2, seed=6)
    R = prior.decode(0.5 * a + 0.5 * np.sin(t) * b)
    root = np.broadcast_to(core("rotations").exp_so3(np.array([np.pi / 2, 0, 0])), (frames, 1, 3, 3))
    rest = addon("rig.pose").read_rig(rig).rest_joints()
    pose = np.concatenate([root, R], axis=1)
    p = core("body").body_from_joints(rest).pose(pose, np.array([0, 0, 0.95]) - rest[0] + 0 * t).joints[:, :22]
    camera = bpy.context.scene.camera
    co = addon("rig.seen.camera").read_camera(bpy.context, camera).project(p) / SIZE * [1, -1] + [0, 1]
    folder = Path(tempfile.mkdtemp())
    image = bpy.data.images.new("frame", SIZE[0] // 8, SIZE[1] // 8)
    image.file_format = "PNG"
    for i in range(1, frames + 1):
        image.filepath_raw = str(folder / f"shot_{i:04d}.png")
        image.save()
    clip = bpy.data.movieclips.load(str(folder / "shot_0001.png"))
    for joint, places in zip(core("skeleton").BODY_JOINTS, np.swapaxes(co, 0, 1), strict=True):
        track = clip.tracking.tracks.new(name=joint, frame=1)
        for i, place in enumerate(places):
            track.markers.insert_frame(i + 1, co=place)
    background = camera.data.background_images.new()
    background.source, background.clip = "MOVIE_CLIP", clip
    return folder


def _state():
    return support.addon("worker.jobs").state


def test_tracks_become_keys_and_a_second_try_is_cancelled() -> Steps[None]:
    with only_panel("camera"):
        yield 0.3
        yield from press("poise.add_body(")
        yield from open_panel()
        yield from shot("camera_panel", region("UI"))
        rig = bpy.context.object
        name = rig.name
        add_camera()
        clip_with_tracks(rig, 300)
        view().spaces.active.region_3d.view_perspective = "CAMERA"
        bpy.ops.ed.undo_push(message="A clip with tracks")
        yield 0.3
        before = support.snapshot()
        yield from press("poise.solve_tracks(")
        yield 0.6
        yield from shot("camera_tracks_dialog")
        hands.tap("RET")
        yield from until(lambda: _state().running, 5, "solving starts")
        yield from until(lambda: _state().fraction > 0.05, 20, "progress")
        yield from shot("camera_tracks_running")
        took = yield from until(lambda: not _state().running, 120, "solving")
        yield 0.5
        print(f"solved within {took:.1f} s:", reports()[-1])
        assert bpy.data.objects[name].animation_data.action.name == "shot_0001 Solved"
        bpy.context.scene.frame_set(40)
        yield from shot("camera_tracks_solved")
        yield from hands.undo()
        assert support.snapshot() == before
        yield from press("poise.solve_tracks(")
        yield 0.6
        hands.tap("RET")
        yield from until(lambda: _state().running and 0.02 < _state().fraction < 0.5, 20, "progress")
        hands.move(*middle(region("WINDOW")))
        hands.tap("ESC")
        took = yield from until(lambda: not _state().running, 5, "the end")
        yield 0.4
        print(f"cancelled within {took:.2f} s")
        assert support.snapshot() == before and any("cancelled" in line for line in reports()[-3:])
