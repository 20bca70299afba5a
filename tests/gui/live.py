# SPDX-License-Identifier: Apache-2.0
"""Live posing by mouse and keys: handles dragged with G, pins, Enter, Esc, and what goes wrong meanwhile."""

import bpy
import numpy as np
import support
from bpy_extras.view3d_utils import location_3d_to_region_2d
from posing import body_in_view
from robot import Steps, find, frame_selected, hands, press, region, reports, shot, until, view, window

_STEPS = 40
_FEET = ["left_ankle", "right_ankle"]


def _session():
    return support.addon("operators.live").session


def _start() -> Steps[tuple[str, dict[str, object]]]:
    """Live posing of a body seen from its left; the name of its armature, and the scene before."""
    rig = yield from body_in_view()
    name = rig.name
    with bpy.context.temp_override(area=view(), region=region("WINDOW")):
        bpy.ops.view3d.view_axis(type="RIGHT")
    yield from frame_selected()
    yield 1.0  # the panels of a body slide into place
    before = support.snapshot()
    yield from press("poise.pose_live(")
    yield from until(lambda: _session() is not None, 2, "the session starts")
    return name, before


def _grab(joint: str) -> Steps[tuple[int, int]]:
    """Select a handle, and press G over it."""
    target = _session().handles.objects[joint]
    for obj in bpy.context.selected_objects:
        obj.select_set(False)
    target.select_set(True)
    bpy.context.view_layer.objects.active = target
    where = region("WINDOW")
    at = location_3d_to_region_2d(where, view().spaces.active.region_3d, target.matrix_world.translation)
    place = int(where.x + at.x), int(where.y + at.y)
    hands.move(*place)
    yield 0.1
    hands.tap("G")
    yield from until(_is_dragging, 2, "Blender's own G begins")
    return place


def _is_dragging() -> bool:
    return any(operator.bl_idname.startswith("TRANSFORM_OT_") for operator in window().modal_operators)


def _drag(joint: str, x: int, y: int) -> Steps[None]:
    """Drag a handle by pixels, and wait until the body is there."""
    place = yield from _grab(joint)
    yield from hands.travel((place[0] + x, place[1] + y))
    hands.tap("LEFTMOUSE")
    yield 0.2
    yield from _rest()


def _rest() -> Steps[None]:
    yield from until(lambda: _session() is None or _session().settled, 5, "the body comes to rest")
    yield 0.1


def _gap(rig: str, joint: str) -> float:
    """Metres from a joint to its handle."""
    goal = np.array(_session().handles.objects[joint].matrix_world.translation)
    return float(np.linalg.norm(support.bone_heads(bpy.data.objects[rig], [joint])[0] - goal))


def _quantiles(ms: np.ndarray) -> str:
    return f"p50 {np.percentile(ms, 50):.2f} ms, p95 {np.percentile(ms, 95):.2f} ms"


def _nothing_runs_on() -> None:
    assert _session() is None and bpy.context.preferences.edit.use_global_undo
    handlers = (*bpy.app.handlers.undo_post, *bpy.app.handlers.redo_post)
    assert not [h for h in handlers if "live" in h.__module__]


def test_live_drag_is_followed_at_every_step_and_is_one_undo_step() -> Steps[None]:
    name, before = yield from _start()
    feet = support.bone_heads(bpy.data.objects[name], _FEET)
    yield from shot("live_start")
    place = yield from _grab("right_wrist")
    gaps, slips = [], []
    for i in range(1, _STEPS + 1):
        done = _session().steps
        hands.move(place[0] - i * 60 / _STEPS, place[1] + i * 60 / _STEPS)
        yield from until(lambda done=done: _session().steps > done, 2, f"step {i} is followed")
        gaps.append(_gap(name, "right_wrist"))
        slips.append(np.linalg.norm(support.bone_heads(bpy.data.objects[name], _FEET) - feet, axis=1).max())
    yield from shot("live_drag")
    hands.tap("LEFTMOUSE")
    yield from _rest()
    ms, work = 1000 * np.array(_session().costs), 1000 * np.array(_session().work)
    blas = "a BLAS" if support.core("linalg").has_blas() else "no BLAS"
    print(
        f"live drag: {_STEPS} steps, {len(ms)} solves, each {_quantiles(ms)}, max {ms.max():.2f} ms; of the processor "
        f"{_quantiles(work)}; NumPy {np.__version__} with {blas}; wrist off by at most {1000 * max(gaps):.1f} mm, "
        f"at the end {1000 * _gap(name, 'right_wrist'):.1f} mm; feet moved by at most {1000 * max(slips):.2f} mm"
    )
    assert max(gaps) < 0.03 and _gap(name, "right_wrist") < 0.01 and max(slips) < 0.005
    idle = _session().steps
    yield 0.3
    assert _session().steps == idle  # nothing moves, nothing is solved
    hands.tap("RET")
    yield 0.3
    _nothing_runs_on()
    kept = support.snapshot()
    assert kept[f"pose {name}"] != before[f"pose {name}"] and "object Target.right_wrist" in kept
    yield from shot("live_kept")
    yield from hands.undo()
    assert support.snapshot() == before
    hands.tap("Z", ctrl=True, shift=True)
    yield 0.5
    assert support.snapshot()[f"pose {name}"] == kept[f"pose {name}"]


def test_live_esc_restores_everything() -> Steps[None]:
    _name, before = yield from _start()
    yield from _drag("left_ankle", -40, 60)
    yield from _drag("head", 30, -30)
    assert support.snapshot() != before
    hands.tap("ESC")
    yield 0.3
    _nothing_runs_on()
    assert support.snapshot() == before
    yield from hands.undo()
    assert support.snapshot() == before  # the one step of a session that changed nothing


def test_live_undo_within_takes_the_session_back() -> Steps[None]:
    _name, before = yield from _start()
    yield from _drag("right_wrist", -40, 40)
    hands.tap("Z", ctrl=True)
    yield from until(lambda: _session() is None, 2, "the session ends")
    _nothing_runs_on()
    assert support.snapshot() == before


def test_live_undo_from_the_menu_ends_the_session_with_the_pose_before() -> Steps[None]:
    name, before = yield from _start()
    yield from _drag("right_wrist", -40, 40)
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.undo()
    yield from until(lambda: _session() is None and name in bpy.data.objects, 3, "the session ends")
    yield 0.5
    _nothing_runs_on()
    assert "ended by an undo; the pose is as it was" in " ".join(reports()[-2:]), reports()[-3:]
    assert support.snapshot() == before


def test_live_pins_by_key_and_finish_by_button() -> Steps[None]:
    name, _before = yield from _start()
    is_pinned = support.addon("rig.live.handles").is_pinned
    wrist = _session().handles.objects["right_wrist"]
    place = yield from _grab("right_wrist")
    hands.tap("ESC")  # ends G, not the session
    yield 0.2
    assert _session() is not None
    hands.move(*place)
    hands.tap("P")
    yield 0.3
    assert not is_pinned(wrist) and is_pinned(_session().handles.objects["head"])
    at = np.array(wrist.matrix_world.translation)
    yield from _drag("pelvis", 0, -30)
    assert np.linalg.norm(np.array(wrist.matrix_world.translation) - at) > 0.01 and _gap(name, "right_wrist") < 1e-3
    yield from shot("live_pins")
    yield from shot("sidebar_live", region("UI"))
    yield from press("poise.end_live(result='KEEP'")
    yield from until(lambda: _session() is None, 2, "the button ends the session")
    _nothing_runs_on()


def test_live_auto_keying_keys_the_kept_pose_and_no_handle() -> Steps[None]:
    tools = bpy.context.scene.tool_settings
    tools.use_keyframe_insert_auto = True
    name, before = yield from _start()
    yield from _drag("right_wrist", -30, 30)
    hands.tap("ESC")
    yield from until(lambda: _session() is None, 2, "the session ends")
    assert support.snapshot() == before and bpy.context.scene.tool_settings.use_keyframe_insert_auto
    yield from press("poise.pose_live(")
    yield from until(lambda: _session() is not None, 2, "the session starts")
    yield from _drag("right_wrist", -30, 30)
    hands.tap("RET")
    yield from until(lambda: _session() is None, 2, "the session ends")
    keyed = [o.name for o in bpy.data.objects if o.animation_data is not None and o.animation_data.action is not None]
    assert keyed == [name] and len(bpy.data.actions) == 1
    assert bpy.context.scene.tool_settings.use_keyframe_insert_auto
    bpy.context.scene.tool_settings.use_keyframe_insert_auto = False


def test_live_handles_turn_and_show_their_states() -> Steps[None]:
    """R turns a hand, which holds that; the face looks at its handle; all in any shading."""
    name, before = yield from _start()
    handles = support.addon("rig.live.handles")
    yield from _grab("left_wrist")
    hands.tap("ESC")
    yield 0.3
    wrist = _session().handles.objects["left_wrist"]
    turn = np.array(wrist.matrix_world.to_3x3())
    hands.tap("R")
    yield 0.2
    yield from hands.type("40")
    hands.tap("RET")  # ends R, not the session
    yield 0.5
    yield from _rest()
    assert _session() is not None and handles.is_turned(wrist)
    turned = np.array(wrist.matrix_world.to_3x3())
    assert np.rad2deg(np.arccos((np.trace(turn.T @ turned) - 1) / 2)) > 39
    assert "left_wrist" not in _session().misses
    yield from _drag("look_at", -20, 60)
    assert handles.is_pinned(_session().handles.objects["look_at"])
    yield from _drag("right_ankle", -420, 200)
    yield from shot("live_states")
    assert _session().misses  # the foot, or the hips that it pulls along
    space = view().spaces.active
    space.shading.type = "WIREFRAME"
    yield from shot("live_states_wireframe")
    space.shading.type = "SOLID"
    yield from shot("sidebar_live_states", region("UI"))
    hands.tap("ESC")
    yield from until(lambda: _session() is None, 2, "the session ends")
    _nothing_runs_on()
    assert support.snapshot() == before and name in bpy.data.objects


def test_live_every_button_of_the_panel_works() -> Steps[None]:
    name, before = yield from _start()
    handles, rig = support.addon("rig.live.handles"), bpy.data.objects[name]
    yield from _drag("right_wrist", -30, 40)
    wrist, other = (_session().handles.objects[f"{side}_wrist"] for side in ("right", "left"))
    yield from press("poise.pin_targets(")
    assert not handles.is_pinned(wrist)
    yield from press("poise.turn_targets(")
    assert handles.is_turned(wrist) and handles.is_pinned(wrist)
    yield from press("poise.mirror_live(")
    yield from _rest()
    assert handles.is_turned(other) and not handles.is_turned(wrist)
    yield from press("poise.snap_targets(")
    yield from _rest()
    assert _gap(name, "left_wrist") < 0.01
    yield from press("poise.lock_limb(limb='left_leg'")
    assert _session().locked == {"left_leg"}
    yield from press("poise.mirror_live(")
    assert "free them first" in " ".join(reports()[-3:])
    yield from press("poise.live_more")
    yield from until(lambda: "left_knee" not in _session().joints, 2, "the handles go")
    yield from press("poise.live_grounded")
    assert rig.poise.live_grounded
    yield from press("poise.live_more")
    yield from until(lambda: "left_knee" in _session().joints, 2, "the handles come")
    cancel = yield from find("poise.end_live(result='RESTORE'", across=0.7)
    yield from hands.click(cancel)
    yield from until(lambda: _session() is None, 2, "the button ends the session")
    _nothing_runs_on()
    after = support.snapshot()
    assert after[f"pose {name}"] == before[f"pose {name}"] and not [o for o in bpy.data.objects if o.type == "EMPTY"]


def test_live_ends_when_a_handle_is_deleted() -> Steps[None]:
    name, before = yield from _start()
    yield from _drag("right_wrist", -40, 40)
    bpy.data.objects.remove(_session().handles.objects["right_wrist"])
    yield from until(lambda: _session() is None, 2, "the session ends")
    _nothing_runs_on()
    assert support.snapshot() == before and bpy.data.objects[name] is not None
    assert "was deleted" in reports()[-1], reports()[-3:]


def test_live_ends_when_the_body_is_deleted_during_a_drag() -> Steps[None]:
    name, _before = yield from _start()
    place = yield from _grab("right_wrist")
    yield from hands.travel((place[0] - 40, place[1] + 40))
    bpy.data.objects.remove(bpy.data.objects[name])
    yield 0.5
    hands.tap("ESC")  # ends G; what it drags must be there until then
    yield from until(lambda: _session() is None, 2, "the session ends")
    yield 0.3
    _nothing_runs_on()
    assert "was deleted" in " ".join(reports()[-2:]), reports()[-3:]
    assert not [o for o in bpy.data.objects if o.type == "EMPTY"]


def test_live_ends_when_a_file_is_opened() -> Steps[None]:
    yield from _start()
    yield from _drag("right_wrist", -40, 40)
    bpy.ops.wm.read_homefile(use_empty=False)
    yield 0.5
    _nothing_runs_on()
    assert not [o for o in bpy.data.objects if "poise_joint" in o]
