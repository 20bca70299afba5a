# SPDX-License-Identifier: Apache-2.0
"""In-betweens on the timeline: keys are hit exactly, other keys and actions stay."""

from itertools import pairwise

import bpy
import numpy as np
import pytest
from support import addon, bone_heads, core, key_pose, snapshot, window
from test_rigs import RIGS, moved


def keyed(rig: bpy.types.Object, seeds: dict[float, int]) -> dict[float, np.ndarray]:
    """Key generated poses at frames; where the joints are at each."""
    expected = {}
    for frame, seed in seeds.items():
        bpy.ops.poise.generate_pose(seed=seed)
        key_pose(rig, frame)
        expected[frame] = bone_heads(rig)
    return expected


def heads_at(rig: bpy.types.Object, frame: float) -> np.ndarray:
    bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
    return bone_heads(rig)


def keys_of(rig: bpy.types.Object, path: str = 'pose.bones["left_knee"].rotation_quaternion') -> list[float]:
    curve = next(c for c in addon("rig.keying.keys").curves_of(rig) if c.data_path == path and c.array_index == 0)
    return [round(k.co[0], 3) for k in curve.keyframe_points]


@pytest.fixture(params=["own", "own-moved", "smplx_addon"])
def rig(request, scene) -> bpy.types.Object:
    kind, _, move = request.param.partition("-")
    obj = RIGS[kind]()
    if move:
        moved(obj)
    for bone in obj.pose.bones:
        bone.rotation_mode = "QUATERNION"
    return obj


@pytest.mark.parametrize("path", ["latent", "geodesic", "slerp"])
def test_keys_are_hit_exactly_and_the_frames_between_are_filled(rig, path: str) -> None:
    expected = keyed(rig, {1: 1, 13: 2, 31: 3})
    assert bpy.ops.poise.interpolate(path=path) == {"FINISHED"}
    for frame, heads in expected.items():
        assert np.allclose(heads_at(rig, frame), heads, atol=1e-5)
    assert keys_of(rig) == list(range(1, 32))
    steps = [np.linalg.norm(heads_at(rig, f + 1) - heads_at(rig, f), axis=1).max() for f in range(1, 31)]
    assert max(steps) < 0.15  # no jump anywhere


def rotations_at(rig: bpy.types.Object, frame: float) -> np.ndarray:
    """Rotations (55, 3, 3) of all joints that the bones show at a frame."""
    bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
    pose = addon("rig.pose")
    return pose.read_pose(rig, pose.read_rig(rig)).R_local[0]


def angle(R: np.ndarray, S: np.ndarray) -> float:
    """The largest angle between rotations, radians."""
    return float(np.linalg.norm(core("rotations").log_so3(np.swapaxes(R, -1, -2) @ S), axis=-1).max())


@pytest.mark.parametrize("path", ["latent", "geodesic", "slerp"])
@pytest.mark.parametrize("loop", [False, True])
def test_key_poses_are_reproduced_to_a_ten_thousandth_of_a_radian(rig, path: str, loop: bool) -> None:
    frames = (1, 13, 31)
    keyed(rig, {1: 1, 13: 2, 31: 3})
    expected = {frame: rotations_at(rig, frame) for frame in frames}
    assert bpy.ops.poise.interpolate(path=path, loop=loop, spacing=12) == {"FINISHED"}
    for frame in frames:
        assert angle(rotations_at(rig, frame), expected[frame]) < 1e-4
    assert keys_of(rig) == list(range(1, 44 if loop else 32))


def test_a_loop_ends_as_it_begins_without_a_jump(rig) -> None:
    expected = keyed(rig, {1: 1, 11: 2, 21: 3})
    rig.pose.bones[addon("rig.pose").read_rig(rig).bones[0]].keyframe_insert("location", frame=21)
    assert bpy.ops.poise.interpolate(loop=True, spacing=10) == {"FINISHED"}
    assert keys_of(rig) == list(range(1, 32))
    assert np.allclose(heads_at(rig, 31), expected[1], atol=1e-5)
    assert angle(rotations_at(rig, 31), rotations_at(rig, 1)) < 1e-4
    heads = [heads_at(rig, frame) for frame in range(1, 32)]
    steps = [np.linalg.norm(b - a, axis=1).max() for a, b in pairwise(heads)]
    assert max(steps) < 0.2 and min(steps[20:]) > 1e-4  # on its way all the time
    for curve in addon("rig.keying.keys").curves_of(rig):
        if "rotation_quaternion" in curve.data_path:
            values = np.array([k.co[1] for k in curve.keyframe_points])
            assert np.abs(np.diff(values)).max() < 0.5  # no sign turns over


def test_a_loop_that_is_closed_already_grows_no_more(body) -> None:
    keyed(body, {1: 1, 11: 2})
    bpy.ops.poise.interpolate(loop=True, spacing=8)
    bpy.ops.poise.interpolate(loop=True, spacing=8, path="geodesic")
    assert keys_of(body) == list(range(1, 20))


def test_stored_poses_make_a_loop(body, scene) -> None:
    for seed in (1, 2):
        bpy.ops.poise.generate_pose(seed=seed)
        bpy.ops.poise.store_pose()
    scene.frame_set(5)
    assert bpy.ops.poise.interpolate(source="STORED", spacing=10, loop=True) == {"FINISHED"}
    assert keys_of(body) == list(range(5, 26))
    assert np.allclose(heads_at(body, 25), heads_at(body, 5), atol=1e-5)


def test_a_loop_never_replaces_keys_of_the_artists_own(body) -> None:
    keyed(body, {1: 1, 11: 2, 21: 3})
    for curve in addon("rig.keying.keys").curves_of(body):
        for key in curve.keyframe_points:
            key.select_control_point = key.co[0] < 20
    before = snapshot()
    with pytest.raises(RuntimeError, match=r"to frame 35, would replace your key at frame 21; .*fewer Frames Apart"):
        bpy.ops.poise.interpolate(source="SELECTED", loop=True)
    assert snapshot() == before
    assert bpy.ops.poise.interpolate(source="SELECTED", loop=True, spacing=9) == {"FINISHED"}


def test_root_and_place_go_in_time_with_the_body(body) -> None:
    """At constant speed the body's path is re-timed; what the prior does not know must not run ahead of it."""
    keyed(body, {1: 1})
    body.pose.bones["pelvis"].location = (1, 0, 0)
    keyed(body, {21: 6})
    bpy.ops.poise.interpolate()
    ends = [addon("rig.pose").read_pose(body, addon("rig.pose").read_rig(body).in_own_space()) for f in (1, 21)
            if heads_at(body, f) is not None]  # fmt: skip
    keys = np.stack([end.R_local[0, 1:22] for end in ends])
    rest = addon("rig.pose").read_rig(body).rest_joints()
    times = core("prior.interpolate").inbetweens(core("prior").load_prior(), keys, [20], rest_joints=rest).times
    assert np.abs(times - np.linspace(0, 1, 21)).max() > 0.005
    places = np.array([heads_at(body, f)[0] for f in range(1, 22)])
    along = (places - places[0]) @ (places[-1] - places[0]) / np.sum((places[-1] - places[0]) ** 2)
    assert np.allclose(along, times, atol=1e-4)


def test_in_betweens_are_the_cores(body) -> None:
    keyed(body, {1: 1, 11: 2})
    body_module, prior = core("body"), core("prior").load_prior()
    pose_module = addon("rig.pose")
    rig = pose_module.read_rig(body)
    ends = []
    for frame in (1, 11):
        heads_at(body, frame)
        ends.append(pose_module.read_pose(body, rig).R_local[0, 1:22])
    expected = core("prior").interpolate_poses(prior, np.stack(ends), [10], "latent", "constant", rig.rest_joints())
    bpy.ops.poise.interpolate()
    model = body_module.default_body()
    for frame in range(1, 12):
        heads = heads_at(body, frame)
        R = np.concatenate([pose_module.read_pose(body, rig).R_local[0, :1], expected[frame - 1]])
        assert np.allclose(heads, model.pose(R, heads[0] - model.rest_joints()[0]).joints[:22], atol=1e-5)


def test_interpolating_again_starts_from_the_same_keys(body) -> None:
    expected = keyed(body, {1: 1, 21: 2})
    bpy.ops.poise.interpolate(path="slerp")
    first = heads_at(body, 11)
    bpy.ops.poise.interpolate(path="latent", step=5)
    assert keys_of(body) == [1, 6, 11, 16, 21]
    assert np.allclose(heads_at(body, 21), expected[21], atol=1e-5)
    assert np.abs(heads_at(body, 11) - first).max() > 1e-4


def test_only_frames_between_the_chosen_keys_change(body) -> None:
    expected = keyed(body, {1: 1, 11: 2, 21: 3, 31: 4})
    for curve in addon("rig.keying.keys").curves_of(body):
        for key in curve.keyframe_points:
            key.select_control_point = key.co[0] in (11, 21)
    bpy.ops.poise.interpolate(source="SELECTED")
    assert keys_of(body) == [1, *range(11, 22), 31]
    for frame, heads in expected.items():
        assert np.allclose(heads_at(body, frame), heads, atol=1e-5)
    assert len(bpy.data.actions) == 1


def test_artists_own_key_types_and_other_curves_stay(body) -> None:
    keyed(body, {1: 1, 11: 2})
    body.keyframe_insert("location", frame=5)
    body.pose.bones["jaw"].keyframe_insert("rotation_quaternion", frame=3)
    for curve in addon("rig.keying.keys").curves_of(body):
        for key in curve.keyframe_points:
            if key.co[0] == 11:
                key.type = "EXTREME"
    bpy.ops.poise.interpolate()
    curves = {(c.data_path, c.array_index): c for c in addon("rig.keying.keys").curves_of(body)}
    assert [k.co[0] for k in curves["location", 0].keyframe_points] == [5]
    assert 3 in [k.co[0] for k in curves['pose.bones["jaw"].rotation_quaternion', 0].keyframe_points]
    knee = curves['pose.bones["left_knee"].rotation_quaternion', 0].keyframe_points
    assert (knee[0].type, knee[-1].type) == ("KEYFRAME", "EXTREME") and knee[4].type in ("GENERATED", "JITTER")


def test_keys_between_whole_frames(body) -> None:
    expected = keyed(body, {1.5: 1, 8.25: 2})
    bpy.ops.poise.interpolate()
    for frame, heads in expected.items():
        assert np.allclose(heads_at(body, frame), heads, atol=1e-4)


def test_stored_poses_come_onto_the_timeline(body, scene) -> None:
    expected = []
    for seed in (1, 2, 3):
        bpy.ops.poise.generate_pose(seed=seed)
        bpy.ops.poise.store_pose()
        expected.append(bone_heads(body))
    scene.frame_set(5)
    assert bpy.ops.poise.interpolate(source="STORED", spacing=10) == {"FINISHED"}
    for frame, heads in zip((5, 15, 25), expected, strict=True):
        assert np.allclose(heads_at(body, frame), heads, atol=1e-5)


def test_undo_of_an_interpolation_is_exact(body) -> None:
    keyed(body, {1: 1, 11: 2})
    bpy.context.scene.frame_set(4)
    with window():
        bpy.ops.ed.undo_push(message="before")
        before = snapshot()
        bpy.ops.poise.interpolate("EXEC_DEFAULT", True)
        assert snapshot() != before
        bpy.ops.ed.undo()
        assert snapshot() == before


def test_long_interpolations_are_keyed_fast(body) -> None:
    import time

    keyed(body, {1: 1, 1001: 2})
    start = time.perf_counter()
    bpy.ops.poise.interpolate()
    assert time.perf_counter() - start < 5
    assert len(keys_of(body)) == 1001


def test_keys_outside_keep_everything(body) -> None:
    keyed(body, {1: 1, 11: 2, 21: 3})
    knee = next(c for c in addon("rig.keying.keys").curves_of(body) if "left_knee" in c.data_path)
    last = knee.keyframe_points[-1]
    last.interpolation, last.amplitude, last.easing, last.select_control_point = "ELASTIC", 0.7, "EASE_IN", True
    last.handle_left_type = last.handle_right_type = "FREE"
    last.handle_left, last.handle_right = (19, last.co[1] + 0.2), (23, last.co[1] - 0.2)
    for curve in addon("rig.keying.keys").curves_of(body):
        for key in curve.keyframe_points:
            key.select_control_point = key.co[0] < 20

    def kept() -> tuple:
        key = next(c for c in addon("rig.keying.keys").curves_of(body) if "left_knee" in c.data_path).keyframe_points[
            -1
        ]
        return (key.interpolation, key.amplitude, key.easing, key.handle_left_type, *key.handle_left, *key.handle_right)

    before = kept()
    bpy.ops.poise.interpolate(source="SELECTED")
    assert kept() == before
    assert len(addon("rig.keying.keys").keyed_frames(body, addon("rig.pose").read_rig(body), selected=True)) == 2
