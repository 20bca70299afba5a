# SPDX-License-Identifier: Apache-2.0
"""Denoise Keys through the real worker: the core's motion on the keys that are there, everything else as it was."""

from collections.abc import Callable

import bpy
import numpy as np
import pytest
from support import addon, bone_heads, core, snapshot, tweak
from test_rigs import RIGS, moved

N = 36


def walk() -> tuple[np.ndarray, np.ndarray]:
    """A smooth motion: rotations (36, 22, 3, 3) and trans (36, 3) in metres."""
    prior, t = core("prior").load_prior(), np.linspace(0, 2 * np.pi, N)[:, None]
    a, b, c = prior.sample(3, seed=6)
    R = prior.decode(0.4 * a + 0.5 * np.sin(t) * b + 0.5 * np.cos(t) * c)
    root = core("rotations").exp_so3(np.concatenate([np.pi / 2 + 0 * t, 0.3 * np.sin(t), 0 * t], axis=1))
    return np.concatenate([root[:, None], R], axis=1), np.concatenate([t / 6, 0.1 * np.sin(t), 0 * t + 0.3], axis=1)


def jittered(R: np.ndarray, trans: np.ndarray, degrees: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    turn = np.radians(degrees) * rng.normal(size=(*R.shape[:2], 3))
    return R @ core("rotations").exp_so3(turn), trans + 0.01 * rng.normal(size=trans.shape)


def key(obj: bpy.types.Object, frames: np.ndarray, R: np.ndarray, trans: np.ndarray) -> bpy.types.Action:
    """Key a motion as an import does: the object's new action."""
    actions, convert, keys, pose = map(addon, ("rig.keying.actions", "rig.convert", "rig.keying.keys", "rig.pose"))
    full = np.broadcast_to(np.eye(3), (len(R), 55, 3, 3)).copy()
    full[:, :22] = R
    action = actions.new_action(obj, "Walk")
    keys.key_bones(obj, action, frames, convert.to_bones(pose.read_rig(obj), convert.Pose(full, trans), hands=False))
    bpy.context.scene.frame_set(bpy.context.scene.frame_current)
    return action


def curves(obj: bpy.types.Object) -> dict[tuple[str, int], np.ndarray]:
    """Frames and values (K, 2) of the keys of each F-curve."""
    found = addon("rig.keying.keys").curves_of(obj)
    return {(c.data_path, c.array_index): np.array([k.co[:] for k in c.keyframe_points]) for c in found}


def largest_step(curves: dict[tuple[str, int], np.ndarray]) -> float:
    """Of rotation channels, but for axes: those leap about where there is hardly an angle."""
    angles = [keys for (path, k), keys in curves.items() if "rotation" in path and ("axis" not in path or k == 0)]
    return max(np.abs(np.diff(keys[:, 1])).max() for keys in angles)


def heads(obj: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    at = []
    for frame in frames.tolist():
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        at.append(bone_heads(obj))
    return np.array(at)


def shown(obj: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    """Rotations (F, 22, 3, 3) that the bones show."""
    pose, R = addon("rig.pose"), []
    for frame in frames.tolist():
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        R.append(pose.read_pose(obj, pose.read_rig(obj)).R_local[0, :22])
    return np.array(R)


@pytest.fixture(params=["own", "smplx_addon-moved", "XYZ", "AXIS_ANGLE"])
def rig(request, scene) -> bpy.types.Object:
    kind, _, move = request.param.partition("-")
    obj = RIGS[kind if kind in RIGS else "own"]()
    if move:
        moved(obj)
    for bone in obj.pose.bones:
        bone.rotation_mode = "QUATERNION" if kind in RIGS else kind
    return obj


def test_the_keys_get_the_cores_motion_and_less_noise(rig, scene) -> None:
    R, trans = walk()
    frames = np.arange(1.0, N + 1)
    key(rig, frames, R, trans)
    clean = heads(rig, frames)
    key(rig, frames, *jittered(R, trans))
    noisy, before, given = heads(rig, frames), curves(rig), shown(rig, frames)
    assert bpy.ops.poise.denoise() == {"FINISHED"}
    after = heads(rig, frames)
    errors = [np.linalg.norm(x - clean, axis=-1).mean() for x in (noisy, after)]
    assert errors[1] < 0.7 * errors[0]
    body = core("body").body_from_joints(addon("rig.pose").read_rig(rig).rest_joints())
    prior, critic = core("prior").load_prior(), core("prior.plausibility").load_plausibility()
    rate = scene.render.fps / scene.render.fps_base
    expected = core("ik.denoise").denoise(body, prior, critic, given, jittered(R, trans)[1], rate)[0]
    assert np.abs(shown(rig, frames) - expected)[:, 1:].max() < 2e-3
    assert {path: keys[:, 0].tolist() for path, keys in curves(rig).items()} == {
        path: keys[:, 0].tolist() for path, keys in before.items()
    }
    # Neither a sign nor a turn is lost between neighbours.
    assert largest_step(curves(rig)) < max(1.0, 1.1 * largest_step(before))


def test_the_old_action_stays_and_the_new_one_has_its_keys_looks(body) -> None:
    old = key(body, np.arange(1.0, N + 1), *jittered(*walk()))
    before = curves(body)
    for curve in addon("rig.keying.keys").curves_of(body):
        point = curve.keyframe_points[3]
        point.type, point.interpolation, point.select_control_point = "EXTREME", "CONSTANT", True
    bpy.ops.poise.denoise()
    new = body.animation_data.action
    assert new != old and old.use_fake_user and (old.name, new.name) == ("Walk", "Walk Denoised")
    for curve in addon("rig.keying.keys").curves_of(body):
        point = curve.keyframe_points[3]
        assert (point.type, point.interpolation, point.select_control_point) == ("EXTREME", "CONSTANT", True)
    body.animation_data.action = old
    if bpy.app.version >= (4, 4):
        body.animation_data.action_slot = old.slots[0]
    assert all(np.array_equal(keys, before[path]) for path, keys in curves(body).items())


def test_amount_nought_changes_nothing_and_half_goes_half_way(body) -> None:
    frames = np.arange(1.0, N + 1)
    R, trans = jittered(*walk())
    results = {}
    for amount in (0.0, 0.5, 1.0):
        key(body, frames, R, trans)
        before = curves(body)
        bpy.ops.poise.denoise(amount=amount)
        results[amount] = shown(body, frames)
        assert amount > 0 or all(np.allclose(keys, before[path], atol=1e-5) for path, keys in curves(body).items())
    log = core("rotations").log_so3
    half, full = (log(np.swapaxes(results[0.0], -1, -2) @ results[amount]) for amount in (0.5, 1.0))
    assert np.allclose(half, 0.5 * full, atol=2e-3) and np.abs(full).max() > 0.05


@pytest.mark.parametrize("source", ["SELECTED", "RANGE"])
def test_keys_outside_the_range_stay_to_the_bit(body, scene, source: str) -> None:
    key(body, np.arange(1.0, N + 1), *jittered(*walk()))
    before = curves(body)
    for curve in addon("rig.keying.keys").curves_of(body):
        for point in curve.keyframe_points:
            point.select_control_point = point.co[0] in (8, 20)
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 8, 20
    bpy.ops.poise.denoise(source=source)
    for path, keys in curves(body).items():
        outside = (keys[:, 0] < 8) | (keys[:, 0] > 20)
        assert np.array_equal(keys[outside], before[path][outside])
    assert any(not np.allclose(keys, before[path], atol=1e-3) for path, keys in curves(body).items())


def test_curves_get_values_only_where_they_have_keys(body) -> None:
    """Uneven keys, a bone without any, one keyed at frames of its own, and fingers."""
    frames = np.array([1, 2, 3, 5, 6, 9, 10, 11, 12, 13.5, 15, 16.0])
    R, trans = jittered(*walk())
    key(body, frames, R[: len(frames)], trans[: len(frames)])
    bag = addon("rig.keying.actions").channelbag(body, body.animation_data.action)
    for curve in list(bag.fcurves):
        if '"head"' in curve.data_path:
            bag.fcurves.remove(curve)
        elif '"left_knee"' in curve.data_path:
            for point in list(curve.keyframe_points)[8:2:-1]:
                curve.keyframe_points.remove(point)
    body.pose.bones["left_index1"].keyframe_insert("rotation_quaternion", frame=4)
    before = curves(body)
    assert bpy.ops.poise.denoise() == {"FINISHED"}
    after = curves(body)
    assert {path: keys[:, 0].tolist() for path, keys in after.items()} == {
        path: keys[:, 0].tolist() for path, keys in before.items()
    }
    finger = 'pose.bones["left_index1"].rotation_quaternion'
    assert np.array_equal(after[finger, 1], before[finger, 1])
    for name in ("left_knee", "right_knee"):
        path = f'pose.bones["{name}"].rotation_quaternion', 1
        assert not np.allclose(after[path][:, 1], before[path][:, 1], atol=1e-5)


def test_even_keys_are_taken_as_they_are_and_uneven_ones_sampled(poise: str) -> None:
    even = addon("rig.keying.rework").even_frames
    for keys in (np.arange(1.0, 9), 1 + 0.4 * np.arange(9).round(4), np.array([1.0, 13, 25]), np.array([3.0, 8.5])):
        assert np.array_equal(even(keys), keys)
    sampled = even(np.array([1, 2, 3, 7, 20.0]))
    assert (sampled[0], sampled[-1], len(sampled)) == (1, 20, 20) and np.allclose(np.diff(sampled), 1)


def test_signs_and_turns_follow_the_old_keys(body) -> None:
    frames = np.arange(1.0, N + 1)
    action = key(body, frames, *jittered(*walk()))
    for curve in addon("rig.keying.keys").curves_of(body):
        if curve.data_path.endswith('["spine1"].rotation_quaternion'):
            for point in curve.keyframe_points:
                point.co[1] *= -1
            curve.update()
    before = curves(body)
    bpy.ops.poise.denoise()
    assert body.animation_data.action != action
    path = 'pose.bones["spine1"].rotation_quaternion'
    old, new = (np.stack([x[path, k][:, 1] for k in range(4)], axis=1) for x in (before, curves(body)))
    assert (np.sum(old * new, axis=1) > 0.9).all()


def only_two_keys(body) -> None:
    R, trans = walk()
    key(body, np.array([1.0]), R[:1], trans[:1])


def poor_range(body) -> None:
    key(body, np.arange(1.0, N + 1), *walk())
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 100, 200


FAULTS: dict[str, tuple[Callable, dict, str]] = {
    "one key": (only_two_keys, {}, r"have keys at 1 frames; expected two or more"),
    "range without keys": (poor_range, {"source": "RANGE"}, r"keys at 0 in frames 100 to 200 frames"),
    "nothing selected": (poor_range, {"source": "SELECTED"}, r"keys at 0 selected frames"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_bad_input_is_one_line_and_changes_nothing(body, case: str) -> None:
    prepare, options, message = FAULTS[case]
    prepare(body)
    for curve in addon("rig.keying.keys").curves_of(body):
        for point in curve.keyframe_points:
            point.select_control_point = False
    before = snapshot()
    with pytest.raises(RuntimeError, match=message) as caught:
        bpy.ops.poise.denoise(**options)
    assert "\n" not in str(caught.value).strip() and "Traceback" not in str(caught.value)
    assert snapshot() == before and not addon("worker.jobs").state.running


def test_without_keys_the_button_is_grey(body) -> None:
    assert not bpy.ops.poise.denoise.poll()


@pytest.mark.parametrize(
    ("meddle", "message"),
    [
        ("cancel", r"denoising cancelled, nothing was changed"),
        ("kill", r"worker process ended unexpectedly.*Run it again"),
        ("other action", r"is not here any more; denoise again"),
        ("no keys", r"are gone; nothing was changed"),
        ("tweak", r"cannot get another action now. Leave the NLA's tweak mode"),
    ],
)
def test_what_happens_meanwhile_is_one_line(body, monkeypatch, meddle: str, message: str) -> None:
    key(body, np.arange(1.0, N + 1), *jittered(*walk()))
    jobs, actions = addon("worker.jobs"), addon("rig.keying.actions")
    poll, done, before = jobs.poll, [], []

    def meddling_poll():
        found = poll()
        if not done and (jobs.state.fraction > 0 or found is not None):
            done.append(True)
            if meddle == "cancel":
                jobs.cancel()
            elif meddle == "kill":
                jobs._client._process.kill()
                jobs._client._process.wait()
                return poll()
            elif meddle == "other action":
                actions.new_action(body, "Other")
            elif meddle == "tweak":
                tweak(body)
            else:
                for curve in actions.curves_of(body):
                    curve.keyframe_points.clear()
            before.append(snapshot())
        return found

    monkeypatch.setattr(jobs, "poll", meddling_poll)
    original = snapshot()
    with pytest.raises(RuntimeError, match=message) as caught:
        bpy.ops.poise.denoise()
    assert "\n" not in str(caught.value).strip() and not jobs.state.running
    assert snapshot() == (before[0] if before else original)
    monkeypatch.undo()
    if meddle in ("cancel", "kill"):
        assert bpy.ops.poise.denoise() == {"FINISHED"}
