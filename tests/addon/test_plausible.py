# SPDX-License-Identifier: Apache-2.0
"""Check Pose and Make Plausible: the number is the core's, broken joints are repaired, what is kept is kept exactly."""

import bpy
import numpy as np
import pytest
from mathutils import Quaternion
from support import addon, bone_heads, core, snapshot, window
from test_rigs import RIGS, moved

KNEE, ELBOW = "left_knee", "right_elbow"


@pytest.fixture(params=["own", "own-moved", "smplx_addon", "smplx_addon-moved", "euler"])
def rig(request, scene) -> bpy.types.Object:
    """A rig of any kind in a plausible pose, but for its left knee, which bends the wrong way."""
    kind, _, move = request.param.partition("-")
    obj = RIGS["own" if kind == "euler" else kind]()
    if move:
        moved(obj)
    for bone in obj.pose.bones:
        bone.rotation_mode = "XYZ" if kind == "euler" else "QUATERNION"
    return broken(obj)


def broken(obj: bpy.types.Object) -> bpy.types.Object:
    bpy.ops.poise.generate_pose(seed=3)
    turn(obj, KNEE, (0, 0, 1), 1.9)
    return obj


def turn(obj: bpy.types.Object, name: str, axis: tuple, angle: float) -> None:
    bone = obj.pose.bones[name]
    addon("rig.pose").set_rotation(bone, bone.matrix_basis.to_quaternion() @ Quaternion(axis, angle))
    bpy.context.view_layer.update()


def pose_of(obj: bpy.types.Object) -> np.ndarray:
    """Rotations (22, 3, 3) that the bones show."""
    bpy.context.view_layer.update()
    pose = addon("rig.pose")
    return pose.read_pose(obj, pose.read_rig(obj)).R_local[0, :22]


def channels(obj: bpy.types.Object) -> dict[str, tuple]:
    """What the channels of all bones hold, to the bit."""
    return {
        bone.name: (*bone.rotation_quaternion, *bone.rotation_euler, *bone.rotation_axis_angle, *bone.location)
        for bone in obj.pose.bones
    }


def changed(before: dict[str, tuple], after: dict[str, tuple]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def score(R: np.ndarray) -> float:
    return float(core("prior.plausibility").load_plausibility().score(R[1:]))


def latest(obj: bpy.types.Object):
    return addon("pose_check").latest(obj)


def test_the_number_is_the_cores_and_the_broken_joint_is_named_first(rig) -> None:
    before = channels(rig)
    assert bpy.ops.poise.check_pose() == {"FINISHED"}
    check = latest(rig)
    assert check.plausibility == pytest.approx(score(pose_of(rig)), abs=1e-6) and check.plausibility < 0.05
    assert check.blamed[0][0] == KNEE and check.blamed[0][1] < 0.05 and len(check.blamed) <= 3
    assert channels(rig) == before


def test_a_check_belongs_to_its_pose_and_its_body(body, scene) -> None:
    checks = addon("pose_check")
    scene.frame_set(7)
    broken(body)
    bpy.ops.poise.check_pose()
    assert latest(body).frame == 7 and checks.pose_mark(body) == latest(body).mark
    turn(body, ELBOW, (0, 0, 1), 0.01)
    assert checks.pose_mark(body) != latest(body).mark  # the panel says so
    turn(body, ELBOW, (0, 0, 1), -0.01)
    bpy.ops.poise.check_pose()
    other = RIGS["own"]()
    assert latest(other) is None and latest(body) is not None


def test_a_check_is_no_undo_step_and_undo_brings_back_the_pose_that_it_is_of(body) -> None:
    checks, name = addon("pose_check"), body.name
    broken(body)
    with window():
        bpy.ops.ed.undo_push(message="broken")
        bpy.ops.poise.check_pose("EXEC_DEFAULT", True)
        found = latest(body)
        bpy.ops.poise.make_plausible("EXEC_DEFAULT", True)
        assert latest(body) != found
        bpy.ops.poise.check_pose("EXEC_DEFAULT", True)
        bpy.ops.ed.undo()
    obj = bpy.data.objects[name]
    bpy.context.view_layer.update()
    assert latest(obj) is not None and checks.pose_mark(obj) == found.mark


def test_repair_is_the_cores_and_leaves_everything_else_to_the_bit(rig) -> None:
    R, before = pose_of(rig), channels(rig)
    heads = bone_heads(rig)
    load = core("prior.plausibility").load_plausibility
    expected = core("prior.repair").repair(core("prior").load_prior(), load(), R[1:])
    assert bpy.ops.poise.make_plausible(untangle=False) == {"FINISHED"}
    after = pose_of(rig)
    assert np.allclose(after[1:], expected, atol=1e-5) and np.allclose(after[0], R[0], atol=1e-6)
    joints = core("skeleton").BODY_JOINTS
    turned = {joints[1 + j] for j in range(21) if (expected[j] != R[1 + j]).any()}
    assert KNEE in turned and changed(before, channels(rig)) <= turned
    assert score(after) > 0.05 > score(R)
    assert np.allclose(bone_heads(rig)[0], heads[0], atol=1e-6)
    assert latest(rig).plausibility == pytest.approx(score(after), abs=1e-3)
    assert latest(rig).mark == addon("pose_check").pose_mark(rig)


def test_amount_leads_from_the_pose_to_the_repaired_one(body) -> None:
    angles = []
    for amount in (0.0, 0.3, 1.0):
        broken(body)
        before = channels(body)
        start = pose_of(body)
        assert bpy.ops.poise.make_plausible(amount=amount) == {"FINISHED"}
        R = pose_of(body)
        angles.append(np.linalg.norm(core("rotations").log_so3(np.swapaxes(start, -1, -2) @ R), axis=-1).max())
        assert amount > 0 or channels(body) == before
    assert angles[1] == pytest.approx(0.3 * angles[2], rel=1e-3) and angles[2] > 0.5


@pytest.mark.parametrize("way", ["lock", "selected", "unselected"])
def test_what_is_kept_differs_by_exactly_nothing(body, way: str) -> None:
    broken(body)
    turn(body, ELBOW, (1, 0, 0), -2.2)
    before, joints = channels(body), core("skeleton")
    leg = set(joints.JOINT_GROUPS["left_leg"])
    if way == "lock":
        assert bpy.ops.poise.make_plausible(lock={"left_leg"}) == {"FINISHED"}
        kept = leg
    else:
        bpy.ops.object.mode_set(mode="POSE")
        select(body, leg if way == "unselected" else {ELBOW, "pelvis"})
        assert bpy.ops.poise.make_plausible(bones=way.upper()) == {"FINISHED"}
        kept = leg if way == "unselected" else set(joints.BODY_JOINTS) - {ELBOW}
    now = channels(body)
    assert ELBOW in changed(before, now) and not changed(before, now) & kept


def select(obj: bpy.types.Object, names: set[str]) -> None:
    for bone in obj.pose.bones:
        (bone if bpy.app.version >= (5, 0) else bone.bone).select = bone.name in names


def test_a_plausible_pose_stays_as_it_is(body) -> None:
    critic = core("prior.plausibility").load_plausibility()
    for seed in range(20):
        bpy.ops.poise.generate_pose(seed=seed)
        if not core("prior.repair").blame(critic, pose_of(body)[1:]).any():
            break
    else:
        pytest.fail("no generated pose without a joint to blame")
    before = channels(body)
    assert bpy.ops.poise.make_plausible() == {"FINISHED"}
    assert channels(body) == before and latest(body).blamed == ()


def test_fingers_and_face_stay(body) -> None:
    broken(body)
    body.pose.bones["left_index1"].rotation_quaternion = (0.6, 0.8, 0, 0)
    body.pose.bones["jaw"].rotation_quaternion = (0.8, 0.6, 0, 0)
    before = channels(body)
    bpy.ops.poise.make_plausible()
    assert changed(before, channels(body)) <= set(core("skeleton").BODY_JOINTS[1:])


def test_only_repaired_bones_are_auto_keyed(body, scene) -> None:
    broken(body)
    scene.tool_settings.use_keyframe_insert_auto = True
    before = channels(body)
    bpy.ops.poise.make_plausible()
    scene.tool_settings.use_keyframe_insert_auto = False
    assert addon("rig.keying.keys").animated_bones(body) == changed(before, channels(body))


def test_undo_is_one_exact_step(body) -> None:
    broken(body)
    with window():
        bpy.ops.ed.undo_push(message="before")
        before = snapshot()
        bpy.ops.poise.make_plausible("EXEC_DEFAULT", True)
        assert snapshot() != before
        bpy.ops.ed.undo()
        assert snapshot() == before


def no_body() -> None:
    obj = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    bpy.context.collection.objects.link(obj)
    bpy.context.view_layer.objects.active = obj


def stretched() -> None:
    RIGS["own"]().scale = (1, 2, 1)


FAULTS = {
    "no body bone selected": (RIGS["own"], "make_plausible", {"bones": "SELECTED"}, "No body bone but the pelvis"),
    "other armature": (no_body, "make_plausible", {}, "lacks 22 of the 22 body bones"),
    "other armature checked": (no_body, "check_pose", {}, "lacks 22 of the 22 body bones"),
    "uneven scale": (stretched, "make_plausible", {}, "expected one positive scale"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_bad_input_is_one_line_and_changes_nothing(scene, case: str) -> None:
    prepare, name, options, message = FAULTS[case]
    prepare()
    before = snapshot()
    with pytest.raises(RuntimeError, match=message) as caught:
        getattr(bpy.ops.poise, name)(**options)
    assert "\n" not in str(caught.value).strip() and "Traceback" not in str(caught.value)
    assert snapshot() == before


def test_without_a_body_the_buttons_are_grey(scene) -> None:
    assert not bpy.ops.poise.check_pose.poll() and not bpy.ops.poise.make_plausible.poll()


def test_a_hand_in_the_belly_is_moved_out_and_what_is_locked_stays(body) -> None:
    turn(body, "left_shoulder", (0, 0, 1), -1.35)
    turn(body, "left_elbow", (0, 0, 1), -1.6)
    R, balls = pose_of(body), core("ik.balls").default_balls()
    gaps_of = core("ik.untangle").gaps_of
    assert gaps_of(balls, R[None]).min() < -0.02
    bpy.ops.poise.make_plausible(lock={"left_arm"})
    assert np.abs(pose_of(body)[[13, 16, 18, 20]] - R[[13, 16, 18, 20]]).max() < 1e-6
    bpy.ops.poise.make_plausible(untangle=False, amount=0.0)
    assert gaps_of(balls, pose_of(body)[None]).min() < -0.02
    bpy.ops.poise.make_plausible()
    assert gaps_of(balls, pose_of(body)[None]).min() > -1e-4
    assert np.abs(pose_of(body)[[3, 6, 9, 4, 5]] - R[[3, 6, 9, 4, 5]]).max() < 1e-6
