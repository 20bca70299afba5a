# SPDX-License-Identifier: Apache-2.0
"""Live posing without its window: the body follows handles, the rest holds, and the way back is exact."""

import bpy
import numpy as np
import pytest
from support import addon, bone_heads, core, snapshot
from test_rigs import RIGS, moved

HELD = ("left_ankle", "right_ankle")


@pytest.fixture(params=["own", "smplx_addon-moved"])
def rig(request, scene) -> bpy.types.Object:
    kind, _, move = request.param.partition("-")
    obj = RIGS[kind]()
    if move:
        moved(obj)
    bpy.ops.poise.generate_pose(seed=5)
    return obj


def session_of(rig: bpy.types.Object, locked: tuple[str, ...] = ()):
    return addon("rig.live.session").LiveSession(bpy.context, rig, locked)


def handle(session, joint: str) -> bpy.types.Object:
    return session.handles.objects[joint]


def tick(session) -> bool:
    """A tick as a window makes it: the scene is evaluated before and after."""
    bpy.context.view_layer.update()
    done = session.tick(bpy.context)
    bpy.context.view_layer.update()
    return done


def told(session) -> str:
    return addon("rig.live.misses").miss_text(session.misses, bpy.context.scene)


def drag(session, joint: str, way: tuple[float, float, float], steps: int = 10) -> None:
    """Move a handle by some metres, and wait until the body is there."""
    target = handle(session, joint)
    for _ in range(steps):
        target.location += target.location.__class__(way) / steps
        assert tick(session)
    for _ in range(100):
        if not tick(session):
            return
    raise AssertionError("the pose is still on its way after 100 ticks")


def channels(rig: bpy.types.Object, bones: list[str]) -> list[tuple[float, ...]]:
    return [(*rig.pose.bones[b].rotation_quaternion, *rig.pose.bones[b].rotation_euler) for b in bones]


def test_handles_stand_on_the_body_and_nothing_moves_unasked(rig) -> None:
    before = snapshot()[f"pose {rig.name}"]
    session = session_of(rig)
    heads = dict(zip(core("skeleton").BODY_JOINTS, bone_heads(rig), strict=True))
    handles = addon("rig.live.handles")
    for joint in session.joints:
        target = handle(session, joint)
        assert np.allclose(target.matrix_world.translation, heads[joint], atol=1e-5)
        assert handles.is_pinned(target) == (joint in handles.PULLING)
    assert not any(tick(session) for _ in range(3))
    assert snapshot()[f"pose {rig.name}"] == before and session.steps == 0


def test_a_dragged_hand_is_followed_and_the_feet_stay(rig) -> None:
    session = session_of(rig)
    feet = bone_heads(rig, HELD)
    drag(session, "right_wrist", (0.05, -0.1, 0.1))
    goal = np.array(handle(session, "right_wrist").matrix_world.translation)
    assert np.linalg.norm(bone_heads(rig, ["right_wrist"])[0] - goal) < 0.01
    assert np.linalg.norm(bone_heads(rig, HELD) - feet, axis=1).max() < 0.005
    heads = bone_heads(rig, ["left_elbow", "spine3"])
    free = [handle(session, joint).matrix_world.translation for joint in ("left_elbow", "spine3")]
    assert np.allclose(heads, free, atol=1e-4)  # free handles go with the body
    assert len(session.costs) == session.steps > 9 and not session.misses


def test_where_a_drag_has_just_put_a_handle_it_stays(rig) -> None:
    """Blender's G sets the location before the scene is evaluated: a step that comes between must not undo it."""
    session = session_of(rig)
    wrist = handle(session, "right_wrist")
    wrist.location.z += 0.02
    assert tick(session)
    wrist.location.z += 0.02
    bpy.context.view_layer.update()
    wrist.location.z += 0.05
    there = tuple(wrist.location)
    assert session.tick(bpy.context)
    assert tuple(wrist.location) == there
    bpy.context.view_layer.update()
    assert session.tick(bpy.context)


def test_restoring_is_exact(rig) -> None:
    before = snapshot()
    session = session_of(rig)
    drag(session, "left_wrist", (0.1, -0.2, 0.2))
    assert snapshot() != before
    session.restore()
    assert snapshot() == before


def test_targets_of_the_artist_come_back_too(rig) -> None:
    bpy.ops.poise.add_targets(joints="ALL")
    target = next(o for o in bpy.context.selected_objects if o["poise_joint"] == "left_wrist")
    target.location.x += 1
    target.rotation_euler = (0.3, 0.2, 0.1)
    looks = [(o.name, o.empty_display_type, tuple(o.color)) for o in bpy.data.objects if o.type == "EMPTY"]
    before = snapshot()
    session = session_of(rig)
    assert handle(session, "left_wrist") == target and session.handles.made == [handle(session, "look_at")]
    drag(session, "left_wrist", (0.0, -0.1, 0.1))
    session.restore()
    assert snapshot() == before
    assert looks == [(o.name, o.empty_display_type, tuple(o.color)) for o in bpy.data.objects if o.type == "EMPTY"]


def test_a_locked_limb_differs_by_exactly_nothing(rig) -> None:
    session = session_of(rig, ("left_arm",))
    arm = [
        addon("rig.names").bones_of_joints(rig.pose.bones.keys())[j] for j in core("skeleton").JOINT_GROUPS["left_arm"]
    ]
    before, others = channels(rig, arm), channels(rig, list(rig.pose.bones.keys()))
    drag(session, "right_wrist", (0.1, -0.2, 0.2))
    session.lock(("left_arm", "head"))
    drag(session, "left_wrist", (0.0, -0.1, 0.1))
    assert channels(rig, arm) == before and channels(rig, list(rig.pose.bones.keys())) != others


def test_a_free_handle_that_is_dragged_pulls_from_then_on(rig) -> None:
    session, is_pinned = session_of(rig), addon("rig.live.handles").is_pinned
    drag(session, "right_elbow", (0.0, -0.02, 0.01))
    assert is_pinned(handle(session, "right_elbow")) and not is_pinned(handle(session, "left_elbow"))
    goal = np.array(handle(session, "right_elbow").matrix_world.translation)
    assert np.linalg.norm(bone_heads(rig, ["right_elbow"])[0] - goal) < 0.01


def test_the_pin_button_frees_and_pins(rig) -> None:
    session, is_pinned = session_of(rig), addon("rig.live.handles").is_pinned
    for obj in bpy.context.selected_objects:
        obj.select_set(False)
    assert not bpy.ops.poise.pin_targets.poll()
    wrist = handle(session, "left_wrist")
    wrist.select_set(True)
    pinned_look = wrist.empty_display_type
    assert bpy.ops.poise.pin_targets() == {"FINISHED"} and not is_pinned(wrist)
    assert wrist.empty_display_type != pinned_look
    assert tick(session)
    drag(session, "pelvis", (0.0, 0.0, -0.15))
    assert np.allclose(wrist.matrix_world.translation, bone_heads(rig, ["left_wrist"])[0], atol=1e-4)
    bpy.ops.poise.pin_targets()
    assert is_pinned(wrist) and wrist.empty_display_type == pinned_look


def test_targets_snap_back_to_the_body(rig) -> None:
    assert bpy.ops.poise.snap_targets.poll()
    with pytest.raises(RuntimeError, match="has no targets"):
        bpy.ops.poise.snap_targets()
    session = session_of(rig)
    for target in session.handles.objects.values():
        target.location.z += 0.5
    assert bpy.ops.poise.snap_targets() == {"FINISHED"}
    bpy.context.view_layer.update()
    places = [tuple(handle(session, joint).matrix_world.translation) for joint in session.joints]
    assert np.allclose(places, bone_heads(rig, list(session.joints)), atol=1e-5)


def test_a_target_out_of_reach_is_called_so_and_the_way_back_is_open(rig) -> None:
    session = session_of(rig)
    before = bone_heads(rig)
    drag(session, "right_wrist", (0.0, -3.0, 0.0), steps=30)
    assert told(session).startswith("Right wrist: cannot reach its handle, ") and np.isfinite(bone_heads(rig)).all()
    drag(session, "right_wrist", (0.0, 3.0, 0.0), steps=30)
    assert np.abs(bone_heads(rig) - before).max() < 0.02 and not session.misses


def test_a_moved_armature_is_followed(rig) -> None:
    session = session_of(rig)
    before = bone_heads(rig)
    rig.location.x += 0.3
    assert tick(session)
    while tick(session):
        pass
    assert np.abs(bone_heads(rig) - before).max() < 0.01  # its handles hold it


def test_auto_keying_keys_the_kept_pose(rig) -> None:
    session = session_of(rig)
    session.keep(bpy.context)
    drag(session, "right_wrist", (0.0, -0.1, 0.1))
    session.keep(bpy.context)
    assert rig.animation_data is None
    bpy.context.tool_settings.use_keyframe_insert_auto = True
    session.keep(bpy.context)
    bpy.context.tool_settings.use_keyframe_insert_auto = False
    before = bone_heads(rig)
    bpy.context.scene.frame_set(bpy.context.scene.frame_current)
    assert len(addon("rig.keying.keys").curves_of(rig)) > 60 and np.allclose(bone_heads(rig), before, atol=1e-5)


def _delete_handle(rig, session) -> None:
    bpy.data.objects.remove(handle(session, "right_wrist"))


def _delete_armature(rig, session) -> None:
    bpy.data.objects.remove(rig)


def _rename(rig, session) -> None:
    rig.name = "Other"


def _change_frame(rig, session) -> None:
    bpy.context.scene.frame_set(7)


def _scale_unevenly(rig, session) -> None:
    rig.scale.x *= 2


def _change_shape(rig, session) -> None:
    rig.poise.betas[0].value = 1.0


FAULTS = [
    (_delete_handle, "was deleted"), (_delete_armature, "was deleted"), (_rename, "was renamed"),
    (_change_frame, "frame was changed"), (_scale_unevenly, "expected one positive scale"),
    (_change_shape, "rest pose"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "line"), FAULTS)
def test_what_goes_wrong_ends_the_session_with_one_line(body, fault, line) -> None:
    bpy.ops.poise.generate_pose(seed=5)
    pose = snapshot()[f"pose {body.name}"]
    session = session_of(body)
    drag(session, "right_wrist", (0.0, -0.1, 0.1))
    fault(body, session)
    bpy.context.view_layer.update()
    with pytest.raises(core("errors").PoiseError, match=line) as problem:
        session.tick(bpy.context)
    assert "\n" not in str(problem.value)
    session.restore()
    assert not [o for o in bpy.data.objects if o.type == "EMPTY"]
    if fault is not _delete_armature:
        assert snapshot()[f"pose {body.name}"] == pose


def test_without_a_window_it_says_what_to_use(body) -> None:
    before = snapshot()
    with pytest.raises(RuntimeError, match="needs a window"):
        bpy.ops.poise.pose_live()
    assert snapshot() == before and addon("operators.live").session is None


def test_handles_go_out_of_sight_with_the_session_and_come_back_with_the_next(body) -> None:
    bpy.ops.poise.add_targets(joints="EFFECTORS")
    own = {obj.name for obj in bpy.data.objects if "poise_joint" in obj}
    session = session_of(body)
    session.keep(bpy.context)
    handles = list(session.handles.objects.values())
    assert {handle.name for handle in handles if not handle.hide_get()} == own and len(own) < len(handles)
    again = session_of(body)
    assert not any(handle.hide_get() for handle in again.handles.objects.values())
    again.restore()
    assert {handle.name for handle in handles if not handle.hide_get()} == own
    bpy.ops.poise.add_targets(joints="ALL")
    assert not any(obj.hide_get() for obj in bpy.data.objects if obj.get("poise_joint") in session.joints)
