# SPDX-License-Identifier: Apache-2.0
"""Takes in the window: several files dropped at once, the table of labels, what drawing the panel costs."""

from pathlib import Path

import bpy
import numpy as np
import support
from imports import REAL_TAKE, TAKE, armatures, ended, make_take, state
from known_take import known_take, write_take
from many import _measure_draws
from robot import Steps, hands, middle, open_sidebar, region, reports, shot, until, view, window

_DRAW_MS = 2.0  # median on a busy machine, far above what is printed
_MOCAP = ("POISE_PT_mocap", "POISE_PT_take_labels", "POISE_PT_take_subject")


def drop(folder: Path, *names: str, picture: str | None = None, **options: object) -> Steps[None]:
    """Drop files, in effect: the operator with their names shows its dialog, which Enter confirms."""
    hands.move(*middle(region("WINDOW")))
    yield 0.1
    with bpy.context.temp_override(window=window(), area=view(), region=region("WINDOW")):
        files = [{"name": name} for name in names]
        bpy.ops.poise.import_c3d("INVOKE_DEFAULT", directory=str(folder), files=files, **options)
    yield 0.3
    if picture is not None:
        yield from shot(picture)
    hands.tap("RET")
    yield 0.3


def mocap_in_sight() -> Steps[None]:
    """Nothing but the panels of takes in the sidebar, so that they are all in the picture."""
    for name in dir(bpy.types):
        if name.startswith("POISE_PT_") and name not in _MOCAP:
            panel = getattr(bpy.types, name)
            if getattr(panel, "bl_parent_id", "") not in _MOCAP and not hasattr(panel, "poll_of_test"):
                panel.poll_of_test = panel.__dict__.get("poll")
                panel.poll = classmethod(lambda cls, context: False)
    yield from open_sidebar()


def panels_as_before() -> None:
    for name in dir(bpy.types):
        panel = getattr(bpy.types, name)
        if name.startswith("POISE_PT_") and "poll_of_test" in panel.__dict__:
            if panel.poll_of_test is None:
                del panel.poll
            else:
                panel.poll = panel.poll_of_test
            del panel.poll_of_test


def test_several_dropped_files_are_shown_at_once_and_solved_one_after_the_other() -> Steps[None]:
    make_take()
    markers, _, labels = known_take(41, seed=5)
    write_take(TAKE.parent / "turn.c3d", markers, labels)
    (TAKE.parent / "none.c3d").write_bytes(b"nothing" * 99)
    told = len(reports())
    yield from drop(TAKE.parent, "walk.c3d", "none.c3d", "turn.c3d", picture="takes_dialog")
    yield from until(lambda: state().running, 10, "the first solve starts")
    assert {"walk.c3d", "turn.c3d"} == set(bpy.data.objects.keys())
    assert state().title == "Solving walk.c3d (1 of 2)"
    yield from shot("takes_solving")
    yield from until(lambda: state().title.endswith("(2 of 2)"), 60, "the second solve starts")
    yield from until(ended, 60, "both are solved")
    yield 0.5
    assert sorted(rig.name for rig in armatures()) == ["turn", "walk"]
    said = reports()[told:]
    assert [line for line in said if "none.c3d: not a C3D file" in line], said
    yield from hands.undo()
    assert [rig.name for rig in armatures()] == ["walk"]
    yield from hands.undo()
    yield from hands.undo()
    assert not bpy.data.objects


def test_escape_leaves_the_takes_that_wait_unsolved() -> Steps[None]:
    make_take()
    markers, _, labels = known_take(41, seed=5)
    write_take(TAKE.parent / "turn.c3d", markers, labels)
    yield from drop(TAKE.parent, "walk.c3d", "turn.c3d")
    yield from until(lambda: state().fraction > 0.05, 30, "progress")
    hands.tap("ESC")
    yield from until(ended, 10, "the end")
    yield 1.0
    assert ended() and not armatures() and len(bpy.data.objects) == 2


def test_the_table_says_what_labels_mean() -> Steps[None]:
    make_take()
    yield from mocap_in_sight()
    try:
        yield from drop(TAKE.parent, "walk.c3d")
        yield from until(lambda: state().running, 10, "the solve starts")
        yield from until(ended, 60, "it is solved")
        yield 0.5
        data = bpy.data.objects["walk.c3d"].poise_take
        data.active_label = 2
        data.labels[1].marker = ""
        data.labels[4].marker = data.labels[3].marker
        yield from shot("takes_table", region("UI"))
        yield from shot("takes_window")
        names = support.addon("take_lookup").find_take(bpy.context)
        assert names is not None and names.name == "walk.c3d"
    finally:
        panels_as_before()
        yield from open_sidebar()


def test_panels_of_a_long_take_draw_quickly() -> Steps[None]:
    make_take()
    take = REAL_TAKE if REAL_TAKE.is_file() else TAKE
    yield from mocap_in_sight()
    try:
        yield from drop(take.parent, take.name, solve=False)
        yield from until(lambda: len(bpy.data.objects) == 1, 10, "the take")
        measured = yield from _measure_draws()
        yield from shot("takes_unsolved", region("UI"))
    finally:
        panels_as_before()
        yield from open_sidebar()
    medians = {name.removeprefix("POISE_PT_"): np.median(ms) for name, ms in measured.items()}
    frames = bpy.data.objects[0].poise_take.frames
    print(f"drawing with a take of {frames} frames, median ms:", {name: round(ms, 2) for name, ms in medians.items()})
    assert {"mocap", "take_labels"} <= set(medians) and max(medians.values()) < _DRAW_MS
