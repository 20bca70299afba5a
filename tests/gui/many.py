# SPDX-License-Identifier: Apache-2.0
"""A file with twenty characters: what drawing each panel costs, and whether the window still answers."""

import time
from collections.abc import Callable

import bpy
import numpy as np
import support
from robot import Steps, frame_selected, hands, middle, press, region, shot, until, view

_CHARACTERS, _DRAWS = 20, 40
_DRAW_MS = 2.0  # median on a busy machine, far above what is printed


def _crowd() -> Steps[list[str]]:
    """Bodies in rows, each in a pose of its own; their names."""
    start = time.perf_counter()
    names = []
    for i in range(_CHARACTERS):
        bpy.context.scene.cursor.location = (1.2 * (i % 5), 1.2 * (i // 5), 0)
        bpy.ops.poise.add_body()
        bpy.ops.poise.generate_pose(seed=i)
        names.append(bpy.context.object.name)
        yield 0.02
    print(f"{_CHARACTERS} characters made and posed in {time.perf_counter() - start:.1f} s")
    bpy.ops.object.select_all(action="SELECT")
    yield from frame_selected()
    for obj in bpy.context.selected_objects:
        obj.select_set(obj.name == names[-1])
    yield 0.3
    return names


def _panels() -> list[type[bpy.types.Panel]]:
    found = [getattr(bpy.types, name) for name in dir(bpy.types) if name.startswith("POISE_PT_")]
    return [panel for panel in found if panel.bl_space_type == "VIEW_3D"]


def _timed(draw: Callable[..., None], times: list[float]) -> Callable[..., None]:
    def timed(self: bpy.types.Panel, context: bpy.types.Context) -> None:
        start = time.perf_counter()
        draw(self, context)
        times.append(time.perf_counter() - start)

    return timed


def _measure_draws() -> Steps[dict[str, np.ndarray]]:
    """Milliseconds of each drawing of each panel, as Blender's window draws them."""
    times: dict[str, list[float]] = {panel.__name__: [] for panel in _panels()}
    originals = {panel: panel.draw for panel in _panels()}
    for panel, draw in originals.items():
        panel.draw = _timed(draw, times[panel.__name__])
    where = region("UI")
    try:
        for _ in range(_DRAWS):
            where.tag_redraw()
            yield 0.02
    finally:
        for panel, draw in originals.items():
            panel.draw = draw
    return {name: 1000 * np.array(ms) for name, ms in times.items() if ms}


def test_panels_draw_quickly_in_a_file_with_twenty_characters() -> Steps[None]:
    yield from _crowd()
    bpy.ops.poise.check_pose()
    find_rig = support.addon("operators.common").find_rig
    for active in (True, False):
        if not active:
            bpy.ops.object.select_all(action="DESELECT")
            bpy.context.view_layer.objects.active = None
        measured = yield from _measure_draws()
        what = "the active one of" if active else "none selected of"
        print(f"drawing with {what} {_CHARACTERS} characters, median and worst ms:", ", ".join(
            f"{name.removeprefix('POISE_PT_')} {np.median(ms):.2f} {ms.max():.2f}" for name, ms in measured.items()
        ))  # fmt: skip
        start = time.perf_counter()
        for _ in range(100):
            find_rig(bpy.context)
        print(f"find_rig: {10 * (time.perf_counter() - start):.3f} ms")
        assert len(measured) >= 7
        assert not {name: np.median(ms) for name, ms in measured.items() if np.median(ms) > _DRAW_MS}
    yield from shot("crowd")


def test_one_of_twenty_characters_is_posed_and_the_others_stay() -> Steps[None]:
    names = yield from _crowd()
    bpy.context.view_layer.objects.active = bpy.data.objects[names[3]]
    bpy.data.objects[names[3]].select_set(True)
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.undo_push(message="Choose")
    before = support.snapshot()
    hands.move(*middle(region("WINDOW")))
    view().tag_redraw()
    yield 0.3
    start = time.perf_counter()
    yield from press("poise.generate_pose(")
    yield from until(lambda: support.snapshot()[f"pose {names[3]}"] != before[f"pose {names[3]}"], 5, "a new pose")
    after = support.snapshot()
    assert [name for name in before if before[name] != after.get(name)] == [f"pose {names[3]}"]
    took = time.perf_counter() - start
    print(f"one of {_CHARACTERS} characters posed by a press, the button looked for first, in {took:.1f} s")
