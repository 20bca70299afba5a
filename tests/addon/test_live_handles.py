# SPDX-License-Identifier: Apache-2.0
"""Handles that turn joints, look at places and change sides; settings of live posing."""

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix
from support import addon, bone_heads, core, snapshot
from test_live import drag, handle, rig, session_of, tick, told  # noqa: F401


def joints_world(obj: bpy.types.Object) -> np.ndarray:
    """World rotations (22, 3, 3) of the body's joints."""
    bpy.context.view_layer.update()
    pose = addon("rig.pose")
    R = pose.read_pose(obj, pose.read_rig(obj)).R_local[0, :22]
    parents, G = core("skeleton").BODY_PARENTS, [R[0]]
    for j in range(1, 22):
        G.append(G[parents[j]] @ R[j])
    return np.array(G)


def joint(name: str) -> int:
    return core("skeleton").BODY_JOINTS.index(name)


def settle(session) -> None:
    for _ in range(200):
        if not tick(session):
            return
    raise AssertionError("the pose is still on its way after 200 ticks")


def turn_handle(session, name: str, angles: tuple[float, float, float]) -> np.ndarray:
    """Turn a handle about its own place, as R does; the turn (3, 3)."""
    target = handle(session, name)
    turn = Euler(angles).to_matrix()
    place = target.matrix_world.translation.copy()
    target.matrix_world = Matrix.Translation(place) @ turn.to_4x4() @ target.matrix_world.to_3x3().to_4x4()
    return np.array(turn)


def angle_between(A: np.ndarray, B: np.ndarray) -> float:
    return float(np.arccos(np.clip((np.trace(A.T @ B) - 1) / 2, -1, 1)))


@pytest.mark.parametrize("name", ["left_wrist", "head", "right_ankle", "spine3"])
def test_a_handle_that_is_turned_turns_its_joint_and_holds_it(rig, name) -> None:  # noqa: F811
    session, handles = session_of(rig), addon("rig.live.handles")
    before, near = (
        joints_world(rig)[joint(name)],
        0.12 if name == "spine3" else 0.06,
    )  # between shoulders that are pinned
    turn = turn_handle(session, name, (0.2, -0.15, 0.1))
    settle(session)
    assert handles.is_turned(handle(session, name)) and handles.is_pinned(handle(session, name))
    assert angle_between(joints_world(rig)[joint(name)], turn @ before) < near
    held = joints_world(rig)[joint(name)]
    drag(session, "pelvis", (0.03, 0.0, -0.03))
    assert angle_between(joints_world(rig)[joint(name)], held) < near
    assert not [j for j in session.joints if j != name and handles.is_turned(handle(session, j))]


def test_handles_that_hold_no_turn_go_with_their_joints(rig) -> None:  # noqa: F811
    session = session_of(rig)
    frames = addon("rig.targets").target_frames
    drag(session, "right_wrist", (0.05, -0.1, 0.1))
    settle(session)
    for name, G in zip(core("skeleton").BODY_JOINTS, frames(joints_world(rig)), strict=True):
        if name in session.joints:
            assert np.allclose(np.array(handle(session, name).matrix_world.to_3x3()), G, atol=1e-3)
    assert not any(addon("rig.live.handles").is_turned(handle(session, j)) for j in session.joints)


def test_freeing_a_handle_frees_its_turn(rig) -> None:  # noqa: F811
    session, handles = session_of(rig), addon("rig.live.handles")
    for obj in bpy.context.selected_objects:
        obj.select_set(False)
    wrist = handle(session, "left_wrist")
    wrist.select_set(True)
    assert bpy.ops.poise.turn_targets() == {"FINISHED"} and handles.is_turned(wrist)
    assert wrist.empty_display_type == "CUBE"
    bpy.ops.poise.turn_targets()
    assert handles.is_pinned(wrist) and not handles.is_turned(wrist)
    bpy.ops.poise.turn_targets()
    bpy.ops.poise.pin_targets()
    assert not handles.is_pinned(wrist) and not handles.is_turned(wrist)


def test_the_face_looks_at_its_target_and_a_free_one_stays_ahead(rig) -> None:  # noqa: F811
    session = session_of(rig)
    look = handle(session, "look_at")
    ahead = np.array(look.matrix_world.translation)
    drag(session, "pelvis", (0.1, 0.0, 0.0))
    assert np.linalg.norm(np.array(look.matrix_world.translation) - ahead) > 0.02  # it goes with the head
    drag(session, "look_at", (0.25, 0.1, 0.15))
    assert addon("rig.live.handles").is_pinned(look)
    forward = joints_world(rig)[joint("head")][:, 2]
    v = np.array(look.matrix_world.translation) - session.points["look_at"]
    assert angle_of(forward, v) < 0.1
    for obj in bpy.context.selected_objects:
        obj.select_set(False)
    look.select_set(True)
    assert not bpy.ops.poise.turn_targets.poll()  # it has no turn


def angle_of(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))


def test_a_look_at_target_behind_the_back_is_called_out_of_reach(rig) -> None:  # noqa: F811
    session = session_of(rig)
    look = handle(session, "look_at")
    eyes = addon("rig.targets").standing(rig)["head"].translation
    look.location = 2 * eyes - look.matrix_world.translation
    settle(session)
    assert told(session).startswith("Look At: the head cannot turn so far")


def test_more_handles_come_and_go_with_the_setting(body) -> None:
    body.poise.live_more = False
    session = session_of(body)
    few = set(session.joints)
    assert few == set(addon("rig.live.handles").PULLING)
    body.poise.live_more = True
    settle(session)
    assert set(session.joints) == few | set(addon("rig.live.handles").MORE)
    drag(session, "left_elbow", (0.0, -0.02, 0.02))
    body.poise.live_more = False
    settle(session)
    assert set(session.joints) == few and "Target.left_elbow" not in bpy.data.objects
    drag(session, "left_wrist", (0.0, -0.02, 0.02))
    session.restore()
    assert not [o for o in bpy.data.objects if o.type == "EMPTY"]


def test_weights_decide_between_targets_that_disagree(body) -> None:
    missed = {}
    for weight in (1.0, 0.05):
        session = session_of(body)
        handle(session, "head")["poise_weight"] = weight
        drag(session, "pelvis", (0.0, 0.0, 0.08))
        goal = np.array(handle(session, "head").matrix_world.translation)
        missed[weight] = np.linalg.norm(bone_heads(body, ["head"])[0] - goal)
        session.restore()
        bpy.context.view_layer.update()
    assert missed[0.05] > missed[1.0] + 0.002


def test_a_weight_that_is_none_starts_no_session(body) -> None:
    bpy.ops.poise.add_targets()
    bpy.context.selected_objects[0]["poise_weight"] = -1.0
    before = snapshot()
    with pytest.raises(core("errors").PoiseError, match=r"poise_weight is -1\.0; expected a number"):
        session_of(body)
    assert snapshot() == before


def test_a_weight_that_is_none_ends_the_session_with_one_line(body) -> None:
    session = session_of(body)
    handle(session, "head")["poise_weight"] = "much"
    with pytest.raises(core("errors").PoiseError, match="poise_weight is 'much'; expected a number"):
        tick(session)


def test_feet_stay_on_the_ground_if_wished(body) -> None:
    lowest = {}
    for grounded in (False, True):
        body.poise.live_grounded = grounded
        session = session_of(body)
        before = bone_heads(body, ["left_ankle", "left_foot"])
        drag(session, "left_ankle", (0.0, 0.0, -0.15))
        lowest[grounded] = (bone_heads(body, ["left_ankle", "left_foot"]) - before)[:, 2].min()
        session.restore()
        bpy.context.view_layer.update()
    assert lowest[False] < -0.05 and lowest[True] > -0.015


def test_mirroring_swaps_sides_and_pins_and_goes_back_exactly(rig) -> None:  # noqa: F811
    before = snapshot()
    session, handles = session_of(rig), addon("rig.live.handles")
    drag(session, "right_wrist", (0.05, -0.1, 0.1))
    handles.set_pinned(handle(session, "left_wrist"), False)
    settle(session)
    pose = addon("rig.pose")
    once = pose.read_pose(rig, pose.read_rig(rig))
    wanted = addon("rig.posing.mirror").mirrored_pose(once, "SWAP")
    session.mirror()
    settle(session)
    bpy.context.view_layer.update()
    assert np.allclose(pose.read_pose(rig, pose.read_rig(rig)).R_local[:, :22], wanted.R_local[:, :22], atol=1e-3)
    heads = bone_heads(rig, list(session.joints))
    assert np.allclose(heads, [handle(session, j).matrix_world.translation for j in session.joints], atol=1e-3)
    assert handles.is_pinned(handle(session, "left_wrist")) and not handles.is_pinned(handle(session, "right_wrist"))
    drag(session, "left_wrist", (0.0, -0.03, 0.03))
    session.restore()
    assert snapshot() == before


def test_locked_limbs_are_not_mirrored(body) -> None:
    session = session_of(body, ("left_arm",))
    with pytest.raises(core("errors").PoiseError, match="free them first"):
        session.mirror()


def test_solving_from_targets_takes_turns_and_the_gaze(body) -> None:
    bpy.ops.poise.generate_pose(seed=3)
    session = session_of(body)
    drag(session, "look_at", (0.3, 0.0, 0.1))
    turn_handle(session, "left_wrist", (0.4, 0.0, 0.0))
    settle(session)
    held = joints_world(body)
    session.keep(bpy.context)
    for obj in bpy.data.objects:
        obj.hide_set(False)
        obj.select_set(obj.type == "EMPTY")
    bpy.context.view_layer.objects.active = body
    assert bpy.ops.poise.solve_targets() == {"FINISHED"}
    solved = joints_world(body)
    for name, most in (("left_wrist", 0.15), ("head", 0.35)):
        assert angle_between(solved[joint(name)], held[joint(name)]) < most
    wrist = addon("rig.targets").joint_rotations(
        np.array([bpy.data.objects["Target.left_wrist"].matrix_world.to_quaternion()])
    )[0]
    assert angle_between(solved[joint("left_wrist")], wrist) < 0.15


def test_auto_keying_keeps_to_the_preferences(body) -> None:
    keys, edit, tools = addon("rig.keying.keys"), bpy.context.preferences.edit, bpy.context.tool_settings
    for name in ("pelvis", "right_elbow"):
        body.pose.bones[name].keyframe_insert("rotation_quaternion", frame=1)
    body.pose.bones["right_elbow"].keyframe_insert("rotation_quaternion", frame=5)
    bpy.context.scene.frame_set(5)
    session = session_of(body)
    drag(session, "right_wrist", (0.05, -0.1, 0.1))
    tools.use_keyframe_insert_auto, edit.keyframe_new_interpolation_type = True, "CONSTANT"
    counts = {}
    for mode, available in (("REPLACE_KEYS", False), ("ADD_REPLACE_KEYS", True), ("ADD_REPLACE_KEYS", False)):
        tools.auto_keying_mode, edit.use_keyframe_insert_available = mode, available
        session.keep(bpy.context)
        here = [c for c in keys.curves_of(body) if any(k.co.x == 5 for k in c.keyframe_points)]
        counts[mode, available] = len(here)
        assert {k.interpolation for c in here for k in c.keyframe_points if k.co.x == 5} == {"CONSTANT"}
    tools.use_keyframe_insert_auto, edit.keyframe_new_interpolation_type = False, "BEZIER"
    assert list(counts.values()) == [4, 8, 4 * 22 + 3]


def test_a_gaze_alone_turns_the_head_and_leaves_the_rest(body) -> None:
    before = bone_heads(body, ["left_wrist", "right_wrist", "left_ankle", "right_ankle", "pelvis"])
    bpy.ops.poise.add_targets(joints="LOOK_AT")
    (look,) = bpy.context.selected_objects
    look.location.x += 0.5
    bpy.context.view_layer.update()
    assert bpy.ops.poise.solve_targets() == {"FINISHED"}
    forward = joints_world(body)[joint("head")][:, 2]
    v = np.array(look.matrix_world.translation) - bone_heads(body, ["head"])[0]
    assert angle_of(forward[:2], v[:2]) < 0.15
    assert (
        np.abs(bone_heads(body, ["left_wrist", "right_wrist", "left_ankle", "right_ankle", "pelvis"]) - before).max()
        < 0.06
    )
