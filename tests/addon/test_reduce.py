# SPDX-License-Identifier: Apache-2.0
"""Reduce Keys: what Blender shows at every frame stays within the stated error, with far fewer keys."""

import re

import bpy
import numpy as np
import pytest
from support import addon, bone_heads, core, snapshot
from test_animation import angle, keyed, keys_of, rotations_at
from test_denoise import jittered, key, walk
from test_rigs import RIGS, moved
from test_timeline import changed, curves, select

N = 90


def real_motion(folder, clip: int, n: int = N) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (n, 22, 3, 3) and trans (n, 3) of a clip, upright in Blender's world."""
    with np.load(folder / "motion" / "test.npz") as pack:
        rows = slice(int(pack["start"][clip]), int(pack["start"][clip]) + n)
        poses, trans = pack["poses"][rows].astype(float), pack["trans"][rows].astype(float)
    to_z_up = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    R = core("rotations").exp_so3(poses)
    R[:, 0] = to_z_up @ R[:, 0]
    return R, trans @ to_z_up.T


def shown(obj: bpy.types.Object, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (F, 55, 3, 3) and joints (F, 22, 3) in the world."""
    return np.array([rotations_at(obj, f) for f in frames]), np.array([_heads(obj, f) for f in frames])


def _heads(obj: bpy.types.Object, frame: float) -> np.ndarray:
    bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
    return bone_heads(obj)


def off(before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    """Largest angle (rad) and distance (m)."""
    return angle(before[0], after[0]), float(np.linalg.norm(before[1] - after[1], axis=-1).max())


def numbers(line: str) -> tuple[int, int, float, float]:
    """What a report says: keys left, keys before, degrees, millimetres."""
    found = re.search(r"(\d+) of (\d+) keys, at most ([\d.e-]+)° and ([\d.e-]+) mm off", line)
    assert found, line
    return int(found[1]), int(found[2]), float(found[3]), float(found[4])


@pytest.mark.parametrize("kind", ["own", "smplx_addon-moved", "XYZ", "AXIS_ANGLE"])
@pytest.mark.parametrize(("degrees", "metres"), [(1.0, 0.01), (3.0, 1.0), (90.0, 0.02)])
def test_real_motion_stays_within_the_bound(
    scene, shared_data, capfd, kind: str, degrees: float, metres: float
) -> None:
    name, _, move = kind.partition("-")
    obj = RIGS[name if name in RIGS else "own"]()
    if move:
        moved(obj)
    for bone in obj.pose.bones:
        bone.rotation_mode = "QUATERNION" if name in RIGS else kind
    frames = np.arange(1.0, N + 1)
    key(obj, frames, *real_motion(shared_data, 7))
    before, old = shown(obj, frames), obj.animation_data.action
    untouched = curves(obj)
    capfd.readouterr()
    assert bpy.ops.poise.reduce_keys(max_angle=np.radians(degrees), max_distance=metres) == {"FINISHED"}
    after, counted, said_angle, said_distance = numbers(capfd.readouterr().out)
    worst = off(before, shown(obj, frames))
    print(f"{kind}: {after} of {counted} keys, {np.degrees(worst[0]):.3f} degrees, {1000 * worst[1]:.2f} mm")
    assert worst[0] <= np.radians(degrees) and worst[1] <= metres
    assert (said_angle, said_distance) == pytest.approx((np.degrees(worst[0]), 1000 * worst[1]), rel=0.06, abs=0.01)
    bone = addon("rig.pose").read_rig(obj).bones[4]
    assert counted == N and after == len(keys_of(obj, _channel(obj, bone))) < 0.6 * N
    assert obj.animation_data.action != old and old.use_fake_user
    obj.animation_data.action = old
    if bpy.app.version >= (4, 4):
        obj.animation_data.action_slot = old.slots[0]
    assert curves(obj) == untouched


def _channel(obj: bpy.types.Object, bone: str) -> str:
    channels = addon("rig.keying.channels")
    return channels.path_of(bone, channels.channel_of(obj.pose.bones[bone]))


def test_a_larger_error_takes_fewer_keys(body, shared_data) -> None:
    frames, counts = np.arange(1.0, N + 1), []
    for degrees in (0.5, 1, 2, 5):
        key(body, frames, *real_motion(shared_data, 3))
        bpy.ops.poise.reduce_keys(max_angle=np.radians(degrees), max_distance=1)
        counts.append(len(keys_of(body)))
    assert counts == sorted(counts, reverse=True) and counts[-1] < counts[0] / 2


@pytest.mark.parametrize("root", ["LERP", "GROUNDED"])
@pytest.mark.parametrize("mode", ["QUATERNION", "ZXY"])
def test_in_betweens_are_reduced_and_key_poses_stay(body, root: str, mode: str) -> None:
    for bone in body.pose.bones:
        bone.rotation_mode = mode
    keyed(body, {1: 1, 21: 2, 61: 3})
    expected = {frame: rotations_at(body, frame) for frame in (1, 21, 61)}
    frames = np.arange(1.0, 62)
    options = {"root": root, "path": "latent"}
    bpy.ops.poise.interpolate(**options)
    full = shown(body, frames)
    assert bpy.ops.poise.interpolate(**options, reduce=True, max_angle=np.radians(1), max_distance=0.01) == {"FINISHED"}
    found = keys_of(body, _channel(body, "left_knee"))
    assert {1, 21, 61} <= set(found) and len(found) < 25
    worst = off(full, shown(body, frames))
    assert worst[0] <= np.radians(1) and worst[1] <= 0.01
    for frame, R in expected.items():
        assert angle(rotations_at(body, frame), R) < 1e-4
    rig = addon("rig.pose").read_rig(body)
    assert addon("rig.keying.keys").keyed_frames(body, rig, selected=False).tolist() == [1, 21, 61]


def test_curves_outside_the_selected_keys_go_on_as_they_did(body) -> None:
    key(body, np.arange(1.0, 37), *walk())
    for curve in addon("rig.keying.actions").curves_of(body):
        for point in curve.keyframe_points:
            point.select_control_point, point.interpolation = 10 <= point.co[0] <= 25, "BEZIER"
        curve.update()
    frames = [*np.arange(1, 10.1, 0.25), *np.arange(25, 36.1, 0.25)]

    def outside() -> np.ndarray:
        return np.array([[c.evaluate(f) for f in frames] for c in addon("rig.keying.actions").curves_of(body)])

    before = outside()
    assert bpy.ops.poise.reduce_keys(span="SELECTED", max_angle=np.radians(2)) == {"FINISHED"}
    assert np.abs(outside() - before).max() < 1e-5
    assert len([f for f in keys_of(body) if 10 <= f <= 25]) < 10


def test_keys_that_an_artist_has_marked_stay(body) -> None:
    key(body, np.arange(1.0, 37), *walk())
    for curve in addon("rig.keying.actions").curves_of(body):
        for point in curve.keyframe_points:
            if point.co[0] in (7, 18):
                point.type = "BREAKDOWN"
    before = rotations_at(body, 7)
    bpy.ops.poise.reduce_keys(max_angle=0.2, max_distance=0.2)
    assert {1, 7, 18, 36} <= set(keys_of(body)) and len(keys_of(body)) < 15
    assert angle(rotations_at(body, 7), before) < 1e-4


def test_other_curves_stay_to_the_bit(body) -> None:
    key(body, np.arange(1.0, 37), *jittered(*walk()))
    body.keyframe_insert("location", frame=5)
    body.pose.bones["jaw"].keyframe_insert("scale", frame=3)
    found = {(c.data_path, c.array_index): c for c in addon("rig.keying.actions").curves_of(body)}
    found['pose.bones["head"].rotation_quaternion', 1].lock = True
    found['pose.bones["left_knee"].rotation_quaternion', 1].modifiers.new("NOISE")
    before = curves(body)
    assert bpy.ops.poise.reduce_keys(max_angle=0.2, max_distance=0.5) == {"FINISHED"}
    assert not {"location", "jaw", "head", "left_knee"} & changed(before, curves(body))
    assert "right_knee" in changed(before, curves(body))


def test_only_selected_bones_are_reduced(body) -> None:
    key(body, np.arange(1.0, 37), *walk())
    before = curves(body)
    select(body, "left_knee", "spine1")
    assert bpy.ops.poise.reduce_keys(bones="SELECTED", max_angle=0.1) == {"FINISHED"}
    assert changed(before, curves(body)) == {"left_knee", "spine1"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "keys at 0 frames that could be fewer; expected three or more"),
        ({"span": "SELECTED"}, "No key of .* is selected"),
        ({"bones": "SELECTED"}, "keys at 0 frames"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(body, options: dict, message: str) -> None:
    if options:
        key(body, np.arange(1.0, 37), *walk())
    before = snapshot()
    with pytest.raises(RuntimeError, match=message):
        bpy.ops.poise.reduce_keys(**options)
    assert snapshot() == before
