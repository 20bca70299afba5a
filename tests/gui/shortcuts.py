# SPDX-License-Identifier: Apache-2.0
"""Shortcuts, menus and help: keys that clash with none of Blender's, the pie, F1, and the pages that open."""

import os
from pathlib import Path

import bpy
import support
from posing import body_in_view
from robot import OUT, Steps, find, hands, middle, region, shot, until, view, window

_SEEN_TOGETHER = (
    "Window", "Screen", "Screen Editing", "View2D", "Frames", "User Interface", "3D View", "3D View Generic",
    "Object Mode", "Object Non-modal", "Pose", "Property Editor", "Grease Pencil", "Asset Shelf",
)  # fmt: skip
"""Blender's keymaps that hear keys while one poses."""


def _ours() -> list[bpy.types.KeyMapItem]:
    added = bpy.context.window_manager.keyconfigs.addon.keymaps["3D View"].keymap_items
    return [k for k in added if k.idname.startswith("poise.") or getattr(k.properties, "name", "") == "POISE_MT_pie"]


def _keys(item: bpy.types.KeyMapItem) -> tuple[object, ...]:
    return item.type, item.value, bool(item.ctrl), bool(item.alt), bool(item.shift), bool(item.oskey), item.key_modifier


def test_shortcuts_take_none_of_blenders() -> Steps[None]:
    yield 0.1
    default = bpy.context.window_manager.keyconfigs.default.keymaps
    taken = {
        _keys(item): f"{keymap.name}: {item.idname}"
        for keymap in default
        if keymap.name in _SEEN_TOGETHER
        for item in keymap.keymap_items
        if item.active
    }
    assert len(_ours()) == 3 and len(taken) > 200
    clashes = [(item.idname, taken[_keys(item)]) for item in _ours() if _keys(item) in taken]
    assert not clashes, clashes


def test_shortcuts_work_in_object_and_pose_mode() -> Steps[None]:
    rig = yield from body_in_view()
    name = rig.name
    for mode in ("OBJECT", "POSE"):
        bpy.ops.object.mode_set(mode=mode)
        before = support.snapshot()[f"pose {name}"]
        hands.move(*middle(region("WINDOW")))
        yield 0.3
        hands.tap("N", alt=True, shift=True)
        yield from until(
            lambda before=before: support.snapshot()[f"pose {name}"] != before, 3, f"a new pose by the key in {mode}"
        )
        assert bpy.context.window_manager.operators[-1].bl_idname == "POISE_OT_generate_pose"


def test_the_pie_opens_and_its_right_side_generates_a_pose() -> Steps[None]:
    yield from body_in_view()
    x, y = middle(region("WINDOW"))
    hands.move(x, y)
    yield 0.3
    hands.tap("P", alt=True, shift=True)
    yield 0.5
    yield from shot("pie")
    yield from hands.click((x + 150, y))
    yield from until(
        lambda: [o.bl_idname for o in bpy.context.window_manager.operators][-1:] == ["POISE_OT_generate_pose"], 3,
        "the pie's right side",
    )  # fmt: skip


def test_the_menu_is_in_object_and_pose_mode() -> Steps[None]:
    yield from body_in_view()
    for host in ("VIEW3D_MT_object", "VIEW3D_MT_pose"):
        drawn = [f.__module__ for f in getattr(bpy.types, host)._dyn_ui_initialize()]
        assert any("poise" in module for module in drawn), drawn
    with bpy.context.temp_override(window=window(), area=view(), region=region("WINDOW")):
        bpy.ops.wm.call_menu(name="POISE_MT_main")
    yield from shot("menu")
    hands.tap("ESC")
    yield 0.3


def test_help_opens_the_guide_where_the_button_is_explained() -> Steps[None]:
    opened = _browser()
    yield from body_in_view()
    place = yield from find('poise.open_guide(section="poses-from-the-prior"', across=0.785)
    yield from hands.click(place)
    yield from until(opened.is_file, 5, "the browser opens")
    assert _page(opened) == "poses-from-the-prior"
    yield from shot("panels_with_help", region("UI"))
    place = yield from find("poise.add_body(")
    hands.move(*place)
    yield 0.3
    hands.tap("F1")
    yield from until(opened.is_file, 5, "F1 opens the browser")
    assert _page(opened) == "a-body"


def _browser() -> Path:
    """A web browser that only notes what it is to open; the file that it notes it in."""
    opened, program = OUT / "opened.txt", OUT / "browser.sh"
    opened.unlink(missing_ok=True)
    program.write_text(f'#!/bin/sh\necho "$1" > {opened}.part; mv {opened}.part {opened}\n')
    program.chmod(0o755)
    os.environ["BROWSER"] = f"{program} %s"
    import webbrowser

    webbrowser._tryorder = None  # type: ignore[attr-defined]  # it looks for browsers once
    return opened


def _page(opened: Path) -> str:
    """The section that was opened last, of a page that is there."""
    page, _, section = opened.read_text().strip().removeprefix("file://").partition("#")
    opened.unlink()
    assert f'id="{section}"' in Path(page).read_text()
    return section
