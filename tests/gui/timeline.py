# SPDX-License-Identifier: Apache-2.0
"""In-betweens by mouse: every button of the panel, options set before and after, fewer keys."""

import bpy
import support
from posing import body_in_view, in_between_button
from robot import Steps, find, frame_selected, hands, middle, region, shot, view, window

_OPTIONS = 32  # pixels from Reduce Keys down to the header of Options
BUTTONS = ("KEYS", "SELECTED", "STORED", "GENERATED")


def _keys(name: str) -> list[float]:
    curve = next(
        c for c in support.addon("rig.keying.actions").curves_of(bpy.data.objects[name]) if "left_knee" in c.data_path
    )
    return [round(key.co[0], 2) for key in curve.keyframe_points]


def _keyed_body() -> Steps[str]:
    """A body with three key poses and two stored ones, the panel In-Betweens in view."""
    rig = yield from body_in_view()
    name = rig.name
    for frame, seed in ((1, 1), (13, 2), (25, 3)):
        bpy.ops.poise.generate_pose(seed=seed)
        support.key_pose(rig, frame)
        if seed < 3:
            bpy.ops.poise.store_pose("EXEC_DEFAULT")
    bpy.context.scene.frame_set(1)
    with bpy.context.temp_override(window=window()):
        bpy.ops.ed.undo_push(message="Key poses")
    yield from frame_selected()
    return name


def test_every_button_of_in_betweens_does_its_work_and_goes_with_undo() -> Steps[None]:
    name = yield from _keyed_body()
    x, y = yield from find("poise.reduce_keys(")
    yield from hands.click((x, y - _OPTIONS))
    yield from shot("sidebar_in_betweens", region("UI"))
    expected = {
        "KEYS": list(range(1, 26)),
        "SELECTED": list(range(1, 26)),
        "STORED": list(range(1, 26)),
        "GENERATED": list(range(25, 50)),
    }
    for source in BUTTONS:
        if source == "GENERATED":
            bpy.context.scene.frame_set(25)
            with bpy.context.temp_override(window=window()):
                bpy.ops.ed.undo_push(message="Go to the last key")
        before = support.snapshot()
        place = yield from in_between_button(source)
        yield from hands.click(place)
        yield 0.4
        assert set(expected[source]) <= set(_keys(name)), (source, _keys(name))
        hands.move(*middle(region("WINDOW")))
        yield from shot(f"in_betweens_{source.lower()}")
        yield from hands.undo()
        assert support.snapshot() == before, source


def test_options_of_the_panel_and_of_the_redo_panel() -> Steps[None]:
    name = yield from _keyed_body()
    scene = bpy.context.scene
    scene.poise_timeline.timing, scene.poise_timeline.reduce = "ease", True
    place = yield from in_between_button("KEYS")
    yield from hands.click(place)
    yield 0.4
    used = bpy.context.window_manager.operators[-1].properties
    assert (used.timing, used.reduce) == ("ease", True)
    few = _keys(name)
    assert {1, 13, 25} <= set(few) and len(few) < 20
    hud = region("HUD")
    if hud.height < 60:
        yield from hands.click((hud.x + 60, hud.y + hud.height - 12))
    yield from shot("adjust_in_betweens", region("HUD"))


def test_keys_are_reduced_by_its_button_and_come_back_with_undo() -> Steps[None]:
    name = yield from _keyed_body()
    bpy.ops.poise.interpolate()
    with bpy.context.temp_override(window=window()):
        bpy.ops.ed.undo_push(message="In-Betweens")
    before = support.snapshot()
    there = yield from find("poise.reduce_keys(")
    yield from shot("sidebar_reduce_keys", region("UI"))
    yield from hands.click(there)
    yield 0.4
    assert {1, 13, 25} <= set(_keys(name)) and len(_keys(name)) < 20
    yield from hands.undo()
    assert support.snapshot() == before
    view().tag_redraw()
