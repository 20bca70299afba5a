# SPDX-License-Identifier: Apache-2.0
"""The heat map over the 3D View: what is coloured, at what cost, and that nothing of it stays behind."""

import subprocess
import time
from pathlib import Path

import bpy
import numpy as np
import support
from bpy_extras.view3d_utils import location_3d_to_region_2d
from robot import OUT, Steps, frame_selected, hands, middle, press, region, shot, view

HOT = np.array([191, 15, 5])


def _draw():
    return support.addon("drawing.heat_map_draw")


def bend_backwards(rig: bpy.types.Object, name: str = "right_elbow", degrees: float = 90) -> None:
    """Bend an arm's elbow the way that it does not go: the forearm of a T-pose turns to the back."""
    angle = np.radians(degrees) * (1 if name.startswith("left") else -1)
    bone = rig.pose.bones[name]
    rest = bone.bone.matrix_local.to_quaternion()
    world = rest.__class__((0, 0, 1), angle)
    bone.rotation_mode = "QUATERNION"
    bone.rotation_quaternion = rest.inverted() @ world @ rest
    bpy.context.view_layer.update()


def pixels(path: Path) -> np.ndarray:
    """A picture (H, W, 3), 0 to 255."""
    size = subprocess.run(["identify", "-format", "%w %h", str(path)], check=True, capture_output=True, text=True)
    width, height = map(int, size.stdout.split())
    raw = subprocess.run(["convert", str(path), "-depth", "8", "rgb:-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3).astype(int)


def red(picture: np.ndarray) -> np.ndarray:
    """Which pixels (H, W) are of the scale's warm colours."""
    r, g, b = np.moveaxis(picture, -1, 0)
    return (r > 90) & (r > 1.6 * g) & (r > 1.6 * b)


def _standing_body() -> Steps[bpy.types.Object]:
    yield from press("poise.add_body(")
    rig = bpy.context.object
    bpy.ops.poise.generate_pose(seed=11)
    bpy.context.view_layer.update()
    with bpy.context.temp_override(area=view(), region=region("WINDOW")):
        bpy.ops.view3d.view_axis(type="FRONT")
    yield from frame_selected()
    return rig


def test_a_broken_elbow_is_red_on_the_body_and_nothing_else() -> Steps[None]:
    rig = yield from _standing_body()
    yield from press("poise_heat_map")
    assert bpy.context.scene.poise_heat_map
    bpy.ops.ed.undo_push(message="Heat map on")
    hands.move(*middle(region("WINDOW")))
    where = region("WINDOW")
    plain = pixels((yield from shot("heat_map_plausible", where)))
    bend_backwards(rig)
    yield 0.3
    check = support.addon("pose_check").latest(rig)
    print(check)
    assert "right_elbow" in dict(check.blamed)
    picture = pixels((yield from shot("heat_map_broken", where)))
    yield from shot("heat_map_panel")
    fresh = red(picture) & ~red(plain)
    to_pixels = view().spaces.active.region_3d
    elbow, wrist, head = (
        np.array(location_3d_to_region_2d(where, to_pixels, rig.matrix_world @ rig.pose.bones[name].head))
        for name in ("right_elbow", "right_wrist", "head")
    )
    rows, columns = np.nonzero(fresh)
    print("hot pixels", len(rows), "elbow", elbow, "wrist", wrist)
    assert len(rows) > 100
    centre = np.array([columns.mean(), where.height - rows.mean()])
    with bpy.context.temp_override(area=view(), region=where):
        bpy.ops.view3d.view_axis(type="TOP")
        bpy.ops.view3d.view_orbit(angle=np.radians(50), type="ORBITUP")
    yield from frame_selected()
    yield from shot("heat_map", where)
    assert np.linalg.norm(centre - (elbow + wrist) / 2) < 60 < np.linalg.norm(centre - head)
    assert _draw()._heats
    bpy.ops.ed.undo_push(message="Break the elbow")
    yield from hands.undo()
    assert not _draw()._heats and _draw()._handles  # the pose before was plausible; the switch was on
    yield from press("poise_heat_map")
    off = pixels((yield from shot("heat_map_off", where)))
    assert red(off).sum() < red(plain).sum() + 20 and not _draw()._handles


def test_the_heat_map_follows_playback_and_several_bodies() -> Steps[None]:
    first = yield from _standing_body()
    bpy.ops.poise.add_body()
    second = bpy.context.object
    second.location.x += 1.2
    bpy.context.scene.poise_heat_map = True
    support.key_pose(first, 1)
    bend_backwards(first)
    support.key_pose(first, 10)
    bend_backwards(second, "left_elbow", 110)
    bpy.context.scene.frame_end = 10
    costs = []
    refresh = support.addon("drawing.heat_map").refresh
    for frame in (1, 4, 7, 10):
        bpy.context.scene.frame_set(frame)
        yield 0.2
        shown = {heat.object_name for heat in _draw()._heats}
        print(frame, support.addon("pose_check").latest(first).plausibility, shown)
        support.addon("drawing.heat_map")._bodies.clear()
        begin = time.perf_counter()
        refresh(bpy.context.evaluated_depsgraph_get())
        costs.append(1e3 * (time.perf_counter() - begin))
    print("ms for two bodies", costs)
    assert shown == {m.name for rig in (first, second) for m in rig.children}
    yield from frame_selected()
    yield from shot("heat_map_two_bodies", region("WINDOW"))
    drawn_at = set()
    with bpy.context.temp_override(window=bpy.context.window):
        bpy.ops.screen.animation_play()
    for _ in range(40):
        drawn_at.add(support.addon("pose_check").latest(first).frame)
        yield 0.03
    with bpy.context.temp_override(window=bpy.context.window):
        bpy.ops.screen.animation_cancel(restore_frame=False)
    print("frames judged during playback", sorted(drawn_at))
    assert len(drawn_at) > 3


def test_nothing_of_the_heat_map_outlives_a_file_or_the_add_on() -> Steps[None]:
    rig = yield from _standing_body()
    bend_backwards(rig)
    bpy.context.scene.poise_heat_map = True
    yield 0.3
    assert _draw()._handles and _draw()._heats
    saved = OUT / "heat.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(saved), check_existing=False)
    bpy.ops.wm.read_homefile(use_empty=False)
    yield 0.3
    assert not _draw()._handles and not _draw()._heats
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    yield 0.5
    saved.unlink()
    assert _draw()._heats  # the switch is data of the file
    draw = _draw()
    bpy.ops.preferences.addon_disable(module=support.PACKAGE)
    yield 0.3
    assert not draw._handles
    left = [h for name in ("depsgraph_update_post", "frame_change_post", "undo_post", "load_post")
            for h in getattr(bpy.app.handlers, name) if "poise" in h.__module__]  # fmt: skip
    assert not left
    bpy.ops.preferences.addon_enable(module=support.PACKAGE)
    yield 0.3
