# SPDX-License-Identifier: Apache-2.0
"""Solve from Tracks: real motion seen by a camera, as tracks of a real movie clip, through the real worker."""

from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Vector
from support import Z_UP, addon, bone_heads, core, snapshot
from test_camera import add_camera, look_at

SIZE = (320, 180)
N = 60
JOINTS = (
    "head", "neck", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_foot", "right_foot",
)  # fmt: skip
ARTISTS = {"left_wrist": "Hand.L", "right_wrist": "RightHand", "left_knee": "Knee_L", "head": "Head"}


@pytest.fixture
def clip(scene, tmp_path: Path) -> bpy.types.MovieClip:
    """A clip of as many frames, which is the camera's background."""
    image = bpy.data.images.new("frame", *SIZE)
    for i in range(1, N + 1):
        image.filepath_raw, image.file_format = str(tmp_path / f"shot_{i:04d}.png"), "PNG"
        image.save()
    camera = add_camera(lens=40.0)
    clip = bpy.data.movieclips.load(str(tmp_path / "shot_0001.png"))
    assert tuple(clip.size) == SIZE and clip.frame_duration == N
    background = camera.data.background_images.new()
    background.source, background.clip = "MOVIE_CLIP", clip
    return clip


@pytest.fixture(scope="module")
def motion(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Real motion: rotations (60, 22, 3, 3) in Blender's world, and trans (60, 3)."""
    data = np.load(shared_data / "motion" / "val.npz", allow_pickle=True)
    clip = list(data["clip_id"]).index("16_31")
    first = int(data["start"][clip])
    rows = slice(first, first + N)
    R = core("rotations").exp_so3(data["poses"][rows].astype(float))
    R[:, 0] = Z_UP @ R[:, 0]
    place = data["trans"][rows].astype(float) @ Z_UP.T
    return R, place - [*place[:, :2].mean(0), 0] - [0, 0, 0.1]


def seen(rig: bpy.types.Object, motion) -> np.ndarray:
    """World places (F, 22, 3) of the joints of a rig in motion."""
    rest = addon("rig.pose").read_rig(rig).rest_joints()
    return core("body").body_from_joints(rest).pose(motion[0], motion[1] - rest[0]).joints[:, :22]


def track(clip: bpy.types.MovieClip, p: np.ndarray, noise: float = 0.0, shift: int = 0) -> None:
    """Tracks of joints at places p (F, 22, 3), as the scene's camera sees them, with noise in pixels of the picture."""
    names, scene = core("skeleton").BODY_JOINTS, bpy.context.scene
    height = scene.render.resolution_y
    camera = addon("rig.seen.camera").read_camera(bpy.context, scene.camera)
    pixels = camera.project(p) + noise * np.random.default_rng(0).normal(size=(*p.shape[:2], 2))
    co = pixels / [scene.render.resolution_x, height] * [1, -1] + [0, 1]
    for joint in JOINTS:
        new = clip.tracking.tracks.new(name=ARTISTS.get(joint, joint), frame=1)
        for i, place in enumerate(co[:, names.index(joint)]):
            new.markers.insert_frame(i + 1 + shift, co=place)


def joints_over(rig: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    found = []
    for frame in frames.tolist():
        bpy.context.scene.frame_set(frame)
        found.append(bone_heads(rig))
    return np.array(found)


def error(found: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance (m) of joints from the truth, both from their pelvis."""
    return float(np.linalg.norm((found - found[:, :1]) - (truth - truth[:, :1]), axis=-1).mean())


def test_real_motion_is_found_from_tracks(body, clip, motion, scene) -> None:
    camera = scene.camera
    look_at(camera, Vector((2.0, -6.0, 1.5)), Vector((0, 0, 0.9)))
    truth = seen(body, motion)
    track(clip, truth, noise=2.0)
    before = body.matrix_world.copy()
    assert bpy.ops.poise.solve_tracks() == {"FINISHED"}
    action = body.animation_data.action
    assert action.name == "shot_0001 Solved"
    curves = addon("rig.keying.actions").curves_of(body)
    assert {len(c.keyframe_points) for c in curves} == {N} and curves[0].keyframe_points[0].co[0] == 1
    found = joints_over(body, np.arange(1, N + 1))
    away = np.linalg.norm(found[:, 0] - truth[:, 0], axis=-1)
    print(f"joints from the pelvis {1000 * error(found, truth):.0f} mm, the pelvis {1000 * away.mean():.0f} mm astray")
    assert error(found, truth) < 0.04 and away.mean() < 0.15
    pixels = addon("rig.seen.camera").read_camera(bpy.context, camera)
    columns = [core("skeleton").BODY_JOINTS.index(joint) for joint in JOINTS]
    miss = np.linalg.norm(pixels.project(found[:, columns]) - pixels.project(truth[:, columns]), axis=-1)
    assert np.median(miss) < 5
    assert body.matrix_world == before


def test_a_moving_camera_a_late_clip_and_gaps(body, clip, motion, scene) -> None:
    """The camera travels, the clip begins at frame 11, and tracks are lost for a while."""
    camera, truth = scene.camera, seen(body, motion)
    clip.frame_start = 11
    names = core("skeleton").BODY_JOINTS
    tracks = {joint: clip.tracking.tracks.new(name=joint, frame=1) for joint in JOINTS}
    for i in range(N):
        look_at(camera, Vector((2.0 - 0.02 * i, -6.0, 1.5)), Vector((0, 0, 0.9)))
        camera.keyframe_insert("location", frame=i + 11)
        camera.keyframe_insert("rotation_euler", frame=i + 11)
        pixels = addon("rig.seen.camera").read_camera(bpy.context, camera).project(truth[i : i + 1])[0]
        co = pixels / [1920, 1080] * [1, -1] + [0, 1]
        for joint, new in tracks.items():
            marker = new.markers.insert_frame(i + 1, co=co[names.index(joint)])
            marker.mute = (joint == "left_wrist" and 20 <= i < 30) or 40 <= i < 44
    assert bpy.ops.poise.solve_tracks() == {"FINISHED"}
    found = joints_over(body, np.arange(11, 11 + N))
    assert error(found, truth) < 0.05
    assert error(found[40:44], truth[40:44]) < 0.08 and error(found[20:30], truth[20:30]) < 0.08


def test_only_the_scenes_range_and_the_old_action_kept(body, clip, motion, scene) -> None:
    track(clip, seen(body, motion))
    body.keyframe_insert("location", frame=1)
    old = body.animation_data.action
    scene.frame_start, scene.frame_end = 10, 25
    bpy.ops.poise.solve_tracks(source="RANGE")
    assert old.name in bpy.data.actions and old.use_fake_user and body.animation_data.action != old
    points = addon("rig.keying.actions").curves_of(body)[0].keyframe_points
    assert (points[0].co[0], points[-1].co[0], len(points)) == (10, 25, 16)


def test_lens_distortion_is_taken_out(body, clip, motion, scene) -> None:
    look_at(scene.camera, Vector((2.0, -4.5, 1.5)), Vector((0, 0, 0.9)))
    track(clip, seen(body, motion))
    plain = addon("rig.seen.tracks").read_tracks(clip, addon("rig.seen.camera").frame_of(bpy.context)).pixels
    lens = clip.tracking.camera
    lens.k1, lens.k2 = -0.2, 0.05
    size, focal = np.array(SIZE, float), lens.focal_length_pixels
    centre = np.array(lens.principal_point_pixels)
    for new in clip.tracking.tracks:
        for marker in new.markers:
            x = (np.array(marker.co) * size - centre) / focal
            r2 = x @ x
            marker.co = (x * (1 + lens.k1 * r2 + lens.k2 * r2**2) * focal + centre) / size
    found = addon("rig.seen.tracks").read_tracks(clip, addon("rig.seen.camera").frame_of(bpy.context))
    assert found.note == "" and np.nanmax(np.abs(found.pixels - plain)) < 0.05
    lens.distortion_model, lens.brown_k1 = "BROWN", 0.1
    assert "ignored" in addon("rig.seen.tracks").read_tracks(clip, addon("rig.seen.camera").frame_of(bpy.context)).note


def _nameless(clip) -> None:
    for i, new in enumerate(clip.tracking.tracks):
        new.name = f"Track.{i:03d}"


def _twice(clip) -> None:
    clip.tracking.tracks[0].name, clip.tracking.tracks[1].name = "Hand.L", "left_wrist"


def _blind(clip) -> None:
    for new in clip.tracking.tracks:
        for marker in new.markers:
            marker.mute = True


def _square(clip) -> None:
    bpy.context.scene.render.resolution_x = 1080


def _detached(clip) -> None:
    bpy.context.scene.camera.data.background_images.clear()


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (_nameless, "named for joints"), (_twice, "both mean left_wrist"), (_blind, "no markers"),
        (_square, "same shape"), (_detached, "no movie clip"),
    ],
)  # fmt: skip
def test_what_no_motion_can_be_solved_from_changes_nothing(body, clip, motion, spoil, line: str) -> None:
    track(clip, seen(body, motion)[:5])
    spoil(clip)
    before = snapshot()
    with pytest.raises(RuntimeError, match=line):
        bpy.ops.poise.solve_tracks()
    assert snapshot() == before


def test_without_a_clip_or_a_camera_the_button_is_grey(body) -> None:
    assert not bpy.ops.poise.solve_tracks.poll()
    add_camera()
    assert not bpy.ops.poise.solve_tracks.poll()
