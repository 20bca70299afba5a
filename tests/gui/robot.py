# SPDX-License-Identifier: Apache-2.0
"""A pair of hands and eyes for Blender's window: simulated events, what lies under the mouse, pictures.

Steps are generators that yield the seconds that Blender's main loop gets to handle what came before.
"""

import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

import bpy
import support

Answer = TypeVar("Answer")
Place = tuple[int, int]
Steps = Generator[float, None, Answer]
OUT = Path("/job/out")
_SLOWER = 6  # times as long as here a busy machine may take for what is waited for
_SCREENFULS, _NOTCHES = 4, 12  # of the sidebar, and of the wheel for about one
TABS = ("Poise", "Poise Mocap")  # of the sidebar
_BLANK = 0.03  # standard deviation of grey levels, below which a picture shows nothing


def window() -> bpy.types.Window:
    return bpy.context.window_manager.windows[0]


def view() -> bpy.types.Area:
    return next(area for area in window().screen.areas if area.type == "VIEW_3D")


def region(kind: str) -> bpy.types.Region:
    return next(r for r in view().regions if r.type == kind)


def middle(of: bpy.types.Region) -> Place:
    return of.x + of.width // 2, of.y + of.height // 2


_DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")


class Hands:
    """The mouse and the keyboard; places are pixels of the window, the origin at its lower left."""

    def __init__(self) -> None:
        self.place = (0, 0)

    def move(self, x: float, y: float) -> None:
        self.place = (int(x), int(y))
        self._send("MOUSEMOVE", "NOTHING")

    def tap(self, key: str, **modifiers: bool) -> None:
        self._send(key, "PRESS", **modifiers)
        self._send(key, "RELEASE", **modifiers)

    def click(self, place: Place) -> Steps[None]:
        self.move(*place)
        yield 0.1
        self.tap("LEFTMOUSE")
        yield 0.2

    def double_click(self, place: Place) -> Steps[None]:
        self.move(*place)
        yield 0.1
        self.tap("LEFTMOUSE")
        self.tap("LEFTMOUSE")
        yield 0.2

    def drag(self, start: Place, end: Place, moves: int = 10) -> Steps[None]:
        self.move(*start)
        yield 0.1
        self._send("LEFTMOUSE", "PRESS")
        yield 0.05
        yield from self.travel(end, moves)
        self._send("LEFTMOUSE", "RELEASE")
        yield 0.2

    def travel(self, end: Place, moves: int = 10) -> Steps[None]:
        (x0, y0), (x1, y1) = self.place, end
        for i in range(1, moves + 1):
            self.move(x0 + (x1 - x0) * i / moves, y0 + (y1 - y0) * i / moves)
            yield 0.04

    def scroll(self, place: Place, notches: int) -> Steps[None]:
        """Turn the wheel over a place, downwards or (negative) upwards."""
        self.move(*place)
        yield 0.1
        for _ in range(abs(notches)):
            self._send("WHEELDOWNMOUSE" if notches > 0 else "WHEELUPMOUSE", "PRESS")
            yield 0.02
        yield 0.5

    def type(self, digits: str) -> Steps[None]:
        for digit in digits:
            self._send(_DIGITS[int(digit)], "PRESS", unicode=digit)
            self._send(_DIGITS[int(digit)], "RELEASE")
            yield 0.05

    def undo(self) -> Steps[None]:
        """Ctrl-Z over the 3D View, and Blender has undone a step."""
        undone: list[object] = []

        def note(*scene: object) -> None:
            undone.append(scene)

        bpy.app.handlers.undo_post.append(note)
        self.move(*middle(region("WINDOW")))
        yield 0.1
        self.tap("Z", ctrl=True)
        yield from until(lambda: bool(undone), 3, "Blender undoes a step")
        if note in bpy.app.handlers.undo_post:
            bpy.app.handlers.undo_post.remove(note)
        yield 0.5

    def _send(self, kind: str, value: str, **more: object) -> None:
        window().event_simulate(type=kind, value=value, x=self.place[0], y=self.place[1], **more)


hands = Hands()


def under_mouse(where: bpy.types.Region) -> str:
    """The Python command of the button that the mouse hovers in a region, or the data path of its property."""
    manager = bpy.context.window_manager
    manager.clipboard = ""
    with bpy.context.temp_override(window=window(), area=view(), region=where):
        if bpy.ops.ui.copy_python_command_button.poll():
            bpy.ops.ui.copy_python_command_button()
        elif bpy.ops.ui.copy_data_path_button.poll():
            bpy.ops.ui.copy_data_path_button()
    return manager.clipboard.removeprefix("bpy.ops.")


def buttons(until: str | None = None, across: float = 0.4) -> Steps[dict[str, Place]]:
    """Where the sidebar's buttons and sliders are, by what `under_mouse` says of them.

    The mouse goes down the sidebar, so far across it, all the way or until something whose name begins with `until`.
    """
    found: dict[str, Place] = {}
    where = region("UI")
    x = where.x + int(where.width * across)
    for y in range(where.y + where.height - 6, where.y + 4, -9):
        hands.move(x, y)
        yield 0.03
        if name := under_mouse(where):
            found.setdefault(name, (x, y))
            if until is not None and name.startswith(until):
                break
    return found


_last_seen: dict[str, Place] = {}


def scroll_sidebar(notches: int) -> Steps[None]:
    """Scroll the sidebar downwards or (negative) upwards; the wheel would turn a table under the mouse instead."""
    hands.move(*middle(region("WINDOW")))
    for _ in range(abs(notches)):
        with bpy.context.temp_override(window=window(), area=view(), region=region("UI")):
            (bpy.ops.view2d.scroll_down if notches > 0 else bpy.ops.view2d.scroll_up)()
    region("UI").tag_redraw()
    yield 0.5


def find(name: str, across: float = 0.4) -> Steps[Place]:
    """Where the sidebar's button is whose name begins so: "poise.add_body("; first looked for where it was last, then
    in the tab that is open and in the others.

    Args:
        name: what `under_mouse` says of it begins so.
        across: which part of the sidebar's width lies left of it.
    """
    if name in _last_seen:
        hands.move(*_last_seen[name])
        for _ in range(8):  # a window that is busy lights buttons up late
            yield 0.1
            if under_mouse(region("UI")).startswith(name):
                return _last_seen[name]
        hands.move(*middle(region("WINDOW")))
        yield 0.3
    there: dict[str, Place] = {}
    here = region("UI").active_panel_category
    for tab in sorted(TABS, key=lambda tab: tab != here):
        yield from open_sidebar(tab)
        for _ in range(_SCREENFULS):
            there |= yield from buttons(name, across)
            place = next((place for found, place in there.items() if found.startswith(name)), None)
            if place is not None:
                _last_seen[name] = place
                return place
            yield from scroll_sidebar(_NOTCHES)
        yield from scroll_sidebar(-_SCREENFULS * _NOTCHES)
    raise AssertionError(f"no button {name}; the sidebar has {[each.partition('(')[0] for each in there]}")


def press(name: str) -> Steps[None]:
    """Click the sidebar's button whose name begins so."""
    place = yield from find(name)
    yield from hands.click(place)


def open_sidebar(tab: str = TABS[0]) -> Steps[None]:
    view().spaces.active.show_region_ui = True
    yield 0.5
    region("UI").active_panel_category = tab
    view().tag_redraw()
    yield 0.5


def frame_selected() -> Steps[None]:
    """Turn the 3D View to what is selected."""
    with bpy.context.temp_override(window=window(), area=view(), region=region("WINDOW")):
        bpy.ops.view3d.view_selected()
    yield 0.2


def until(done: Callable[[], bool], seconds: float, what: str) -> Steps[float]:
    """Wait for something that takes at most so many seconds on a quiet machine; the seconds it took.

    Raises:
        AssertionError: it did not come about, though far longer was waited. Who measures, judges the answer.
    """
    start = time.perf_counter()
    while not done():
        assert time.perf_counter() - start < _SLOWER * seconds, f"{what}: not within {_SLOWER * seconds} s"
        yield 0.02
    return time.perf_counter() - start


def shot(name: str, of: bpy.types.Region | None = None) -> Steps[Path]:
    """A picture of the window, or of one region, once it has been drawn; Blender stays free meanwhile.

    `screen.screenshot` gives black under this X server, so the server itself is asked.
    """
    yield 0.6
    path = OUT / f"{name}.png"
    crop = []
    if of is not None:
        crop = ["-crop", f"{of.width}x{of.height}+{of.x}+{window().height - of.y - of.height}", "+repage"]
    process = subprocess.Popen(["import", "-window", "root", *crop, str(path)])
    while process.poll() is None:
        yield 0.05
    assert process.returncode == 0
    command = ["convert", str(path), "-colorspace", "gray", "-format", "%[fx:standard_deviation]", "info:"]
    deviation = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert deviation > _BLANK, f"{path.name} is blank ({deviation:.3f})"
    return path


def reports() -> list[str]:
    """What Blender's Info editor says, the oldest first."""
    area = next(a for a in window().screen.areas if a.type in ("OUTLINER", "INFO"))
    before, area.type = area.type, "INFO"
    where = next(r for r in area.regions if r.type == "WINDOW")
    with bpy.context.temp_override(window=window(), area=area, region=where):
        bpy.context.window_manager.clipboard = ""
        bpy.ops.info.select_all(action="SELECT")
        bpy.ops.info.report_copy()
    area.type = before
    return bpy.context.window_manager.clipboard.splitlines()


def fresh_scene() -> Steps[None]:
    """An empty file in the General workspace, the add-on enabled, the sidebar open at Poise."""
    if support.PACKAGE not in bpy.context.preferences.addons:  # a test before took it away
        bpy.ops.preferences.addon_enable(module=support.PACKAGE)
    bpy.ops.wm.read_homefile(use_empty=False)
    yield 0.5
    for obj in list(bpy.data.objects):
        bpy.data.objects.remove(obj)
    with bpy.context.temp_override(window=window()):
        bpy.ops.ed.undo_push(message="Start")
    yield from open_sidebar()
