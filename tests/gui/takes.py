# SPDX-License-Identifier: Apache-2.0
"""Takes in the window: several files dropped at once, the table of labels, what drawing the panel costs."""

from pathlib import Path

import bpy
import numpy as np
import support
from imports import REAL_TAKE, TAKE, armatures, ended, make_take, state
from known_take import known_take, write_take
from many import _measure_draws
from robot import Steps, buttons, hands, middle, open_sidebar, region, reports, shot, until, view, window

_DRAW_MS = 2.0  # median on a busy machine, far above what is printed


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


def look_at_panels() -> Steps[None]:
    """Open the tab in which takes have their panels."""
    yield from open_sidebar("Poise Mocap")


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
    yield from drop(TAKE.parent, "walk.c3d")
    yield from until(lambda: state().running, 10, "the solve starts")
    yield from until(ended, 60, "it is solved")
    yield 0.5
    take = support.addon("take_lookup").find_take(bpy.context)
    assert take is not None and take.name == "walk.c3d"  # by the body, which is active now
    data = take.poise_take
    data.active_label, data.labels[1].marker, data.labels[4].marker = 2, "", data.labels[3].marker
    yield from look_at_panels()
    yield from shot("takes_table", region("UI"))
    there = yield from buttons()
    for name in ("poise.solve_take(", "poise.map_labels(", "poise_take.labels["):
        assert any(found.startswith(name) for found in there), (name, list(there))


def test_panels_of_a_long_take_draw_quickly() -> Steps[None]:
    make_take()
    take = REAL_TAKE if REAL_TAKE.is_file() else TAKE
    yield from drop(take.parent, take.name, solve=False)
    yield from until(lambda: len(bpy.data.objects) == 1, 10, "the take")
    yield from look_at_panels()
    measured = yield from _measure_draws()
    yield from shot("takes_unsolved", region("UI"))
    medians = {name.removeprefix("POISE_PT_"): round(float(np.median(ms)), 2) for name, ms in measured.items()}
    print(f"drawing with a take of {bpy.data.objects[0].poise_take.frames} frames, median ms:", medians)
    assert {"mocap", "take_labels"} <= set(medians) and max(medians.values()) < _DRAW_MS
