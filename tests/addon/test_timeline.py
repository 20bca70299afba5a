# SPDX-License-Identifier: Apache-2.0
"""Options of in-betweens: what is not asked to change stays to the bit, and what is asked for comes about."""

import bpy
import numpy as np
import pytest
from support import addon, bone_heads, evaluated_vertices, snapshot
from test_animation import angle, heads_at, keyed, keys_of, rotations_at
from test_rigs import RIGS, moved


def curves(obj: bpy.types.Object) -> dict[tuple[str, int], list[tuple]]:
    """All that the keys of each F-curve are."""
    return {
        (c.data_path, c.array_index): [
            (*k.co, *k.handle_left, *k.handle_right, k.handle_left_type, k.handle_right_type, k.interpolation, k.type)
            for k in c.keyframe_points
        ]
        for c in addon("rig.keying.actions").curves_of(obj)
    }


def changed(before: dict, after: dict) -> set[str]:
    """Bones, or data paths of the object's own, whose curves differ."""
    different = {path for path, k in {*before, *after} if before.get((path, k)) != after.get((path, k))}
    return {path.split('"')[1] if '"' in path else path for path in different}


def select(body: bpy.types.Object, *names: str) -> None:
    """Select bones in Pose Mode."""
    bpy.context.view_layer.objects.active = body
    bpy.ops.object.mode_set(mode="POSE")
    for bone in body.pose.bones:
        (bone if bpy.app.version >= (5, 0) else bone.bone).select = bone.name in names


def test_the_pelvis_keeps_its_curves_to_the_bit(body) -> None:
    keyed(body, {1: 1, 11: 2, 21: 3})
    before = curves(body)
    assert bpy.ops.poise.interpolate(root="KEEP") == {"FINISHED"}
    found = changed(before, curves(body))
    assert "pelvis" not in found and {"left_knee", "head"} <= found


def test_only_selected_bones_get_keys(body) -> None:
    keyed(body, {1: 1, 11: 2, 21: 3})
    body.keyframe_insert("location", frame=4)
    expected = {frame: rotations_at(body, frame) for frame in (1, 11, 21)}
    before = curves(body)
    select(body, "left_knee", "left_hip")
    assert bpy.ops.poise.interpolate(bones="SELECTED") == {"FINISHED"}
    assert changed(before, curves(body)) == {"left_knee", "left_hip"}
    for frame, R in expected.items():
        assert angle(rotations_at(body, frame), R) < 1e-4


def test_key_poses_of_selected_bones_are_where_those_have_keys(body) -> None:
    keyed(body, {1: 1, 21: 2})
    body.pose.bones["head"].keyframe_insert("rotation_quaternion", frame=11)
    select(body, "left_knee")
    assert bpy.ops.poise.interpolate(bones="SELECTED", step=5) == {"FINISHED"}
    assert keys_of(body) == [1, 6, 11, 16, 21]
    frames = addon("rig.keying.keys").keyed_frames(body, addon("rig.pose").read_rig(body), False, bones={"left_knee"})
    assert frames.tolist() == [1, 21]


def test_no_selected_bone_is_said_and_nothing_changed(body) -> None:
    keyed(body, {1: 1, 21: 2})
    select(body)
    before = snapshot()
    with pytest.raises(RuntimeError, match=r"keys at 0 frames; expected two or more"):
        bpy.ops.poise.interpolate(bones="SELECTED")
    assert snapshot() == before


@pytest.mark.parametrize("preview", [False, True])
def test_only_keys_in_the_scenes_range_count(body, scene, preview: bool) -> None:
    keyed(body, {1: 1, 11: 2, 21: 3, 31: 4})
    scene.frame_start, scene.frame_end = (1, 1) if preview else (5, 25)
    if preview:
        scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 5, 25
    assert bpy.ops.poise.interpolate(span="SCENE") == {"FINISHED"}
    assert keys_of(body) == [1, *range(11, 22), 31]


@pytest.mark.parametrize("kind", ["BEZIER", "ELASTIC", "CONSTANT"])
def test_curves_outside_the_chosen_keys_go_on_as_they_did(body, kind: str) -> None:
    keyed(body, {1: 1, 11: 2, 21: 3, 31: 4})
    for curve in addon("rig.keying.actions").curves_of(body):
        for key in curve.keyframe_points:
            key.select_control_point, key.interpolation = key.co[0] in (11, 21), kind
    frames = [*np.arange(1, 11, 0.25), *np.arange(21, 31.1, 0.25)]

    def outside() -> np.ndarray:
        return np.array([[c.evaluate(f) for f in frames] for c in addon("rig.keying.actions").curves_of(body)])

    before = outside()
    assert bpy.ops.poise.interpolate(source="SELECTED") == {"FINISHED"}
    assert np.abs(outside() - before).max() < 1e-5


def test_signs_of_later_quaternions_follow(body) -> None:
    """Keys of the same rotations with turned signs: Blender would turn bones nearly all the way round between them."""
    keyed(body, {1: 1, 11: 2, 21: 3, 31: 4})
    expected = {frame: rotations_at(body, frame) for frame in (1, 11, 21, 31)}
    steady = [rotations_at(body, f) for f in range(22, 31)]
    for curve in addon("rig.keying.actions").curves_of(body):
        for key in curve.keyframe_points:
            key.select_control_point = key.co[0] in (11, 21)
            if "quaternion" in curve.data_path and key.co[0] > 20:
                for place in (key.co, key.handle_left, key.handle_right):
                    place[1] *= -1
    assert bpy.ops.poise.interpolate(source="SELECTED") == {"FINISHED"}
    for frame, R in expected.items():
        assert angle(rotations_at(body, frame), R) < 1e-4
    assert max(angle(rotations_at(body, f), R) for f, R in zip(range(22, 31), steady, strict=True)) < 0.05


@pytest.mark.parametrize("kind", ["own", "smplx_addon"])
def test_a_grounded_body_stands_on_the_floor_all_the_way(scene, kind: str) -> None:
    body = RIGS[kind]()
    for bone in body.pose.bones:
        bone.rotation_mode = "QUATERNION"
    expected = keyed(body, {1: 1, 21: 2, 41: 6})  # generated poses stand on the floor
    bpy.ops.poise.interpolate(root="LERP")
    straight = np.array([_lowest(body, f) for f in range(1, 42, 2)])
    assert bpy.ops.poise.interpolate(root="GROUNDED") == {"FINISHED"}
    lowest = np.array([_lowest(body, f) for f in range(1, 42, 2)])
    for frame, heads in expected.items():
        assert np.allclose(heads_at(body, frame), heads, atol=1e-5)
    if kind == "own":  # the other has no skin: its bones' ends are not what stands
        assert np.abs(lowest).max() < 0.02 and np.abs(straight).max() > 2 * np.abs(lowest).max()
    assert np.abs(lowest).max() < np.abs(straight).max()


def _lowest(body: bpy.types.Object, frame: float) -> float:
    heads = heads_at(body, frame)
    return evaluated_vertices(body)[:, 2].min() if body.children else heads[:, 2].min()


def test_grounding_follows_the_body_where_it_is_turned(body) -> None:
    """Up is the world's, whichever way the armature's own axes point."""
    moved(body)
    keyed(body, {1: 1, 21: 2})
    bpy.ops.poise.interpolate(root="GROUNDED")
    assert max(abs(_lowest(body, f)) for f in range(1, 22, 2)) < 0.02


def test_a_generated_pose_is_gone_to_from_the_present_one(body, scene) -> None:
    keyed(body, {1: 3})
    scene.frame_set(1)
    start = bone_heads(body)
    assert bpy.ops.poise.interpolate(source="GENERATED", seed=5, spacing=12) == {"FINISHED"}
    assert keys_of(body) == list(range(1, 14))
    assert np.allclose(heads_at(body, 1), start, atol=1e-5)
    found = rotations_at(body, 13)
    lowest = _lowest(body, 13)
    bpy.ops.poise.generate_pose(seed=5)
    pose = addon("rig.pose")
    assert angle(pose.read_pose(body, pose.read_rig(body)).R_local[0, 1:22], found[1:22]) < 1e-4
    assert abs(lowest) < 5e-3


def test_a_generated_pose_of_selected_bones_leaves_the_others(body, scene) -> None:
    keyed(body, {1: 3})
    scene.frame_set(1)
    before, start = curves(body), rotations_at(body, 1)
    select(body, "left_shoulder", "left_elbow")
    assert bpy.ops.poise.interpolate(source="GENERATED", seed=5, spacing=12, bones="SELECTED") == {"FINISHED"}
    assert changed(before, curves(body)) == {"left_shoulder", "left_elbow"}
    turned = [angle(rotations_at(body, 13)[joint], start[joint]) > 1e-3 for joint in range(22)]
    assert np.flatnonzero(turned).tolist() == [16, 18]


def test_a_generated_pose_never_replaces_keys_of_the_artists_own(body, scene) -> None:
    keyed(body, {1: 1, 11: 2})
    scene.frame_set(1)
    before = snapshot()
    with pytest.raises(RuntimeError, match=r"to frame 25, would replace your key at frame 11; .*fewer Frames Apart"):
        bpy.ops.poise.interpolate(source="GENERATED", seed=5)
    assert snapshot() == before
    scene.frame_set(11)
    assert bpy.ops.poise.interpolate(source="GENERATED", seed=5) == {"FINISHED"}
    assert keys_of(body)[0] == 1 and keys_of(body)[-1] == 35


def test_eased_keys_begin_and_end_slowly(body) -> None:
    keyed(body, {1: 1, 21: 2})
    steps = {}
    for timing in ("constant", "ease"):
        assert bpy.ops.poise.interpolate(timing=timing, path="slerp") == {"FINISHED"}
        heads = np.array([heads_at(body, f) for f in range(1, 22)])
        steps[timing] = np.linalg.norm(np.diff(heads - heads[:, :1], axis=0), axis=-1).mean(axis=-1)
    assert steps["ease"][[0, -1]].max() < 0.3 * steps["constant"].mean()
    assert steps["ease"][10] > 1.3 * steps["constant"].mean()


def test_the_panels_options_are_the_operators(scene) -> None:
    """What is set in the panel is what its buttons do."""
    options = addon("timeline_options")
    scene.poise_timeline.timing, scene.poise_timeline.max_angle = "ease", 0.5
    operator = type("Button", (), {})()
    options.give_options(scene.poise_timeline, operator)
    assert operator.timing == "ease" and abs(operator.max_angle - 0.5) < 1e-6
    known = set(bpy.ops.poise.interpolate.get_rna_type().properties.keys())
    assert set(options.OPTIONS) <= known and "seed" not in options.OPTIONS
