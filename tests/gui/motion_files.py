# SPDX-License-Identifier: Apache-2.0
"""Motion files dropped on the window, and the buttons for them."""

from pathlib import Path

import bpy
import numpy as np
import support
from robot import Steps, frame_selected, hands, middle, press, region, reports, shot, until, view, window

FOLDER, FRAMES = Path("/job"), 25


def make_files() -> np.ndarray:
    """walk.bvh and walk.npz of the default body; its joints (F, 22, 3)."""
    core = support.core
    body, prior, rotations = core("body").default_body(), core("prior").load_prior(), core("rotations")
    R = core("prior").interpolate_poses(prior, prior.decode(prior.sample(2, seed=11)), [FRAMES - 1])
    poses = np.zeros((FRAMES, 55, 3))
    poses[:, 0, 0], poses[:, 1:22] = np.pi / 2, rotations.log_so3(R)
    trans = np.array([0, 0, 1.3]) + np.linspace(0, 1, FRAMES)[:, None] * (1.0, 0, 0)
    motion = core("motion").Motion(poses, trans, 24.0, np.zeros(10), body_name="default")
    core("motion").write_motion(FOLDER / "walk.npz", motion)
    core("motion.bvh").write_bvh(FOLDER / "walk.bvh", core("motion.bvh_motion").bvh_of(motion, body.rest_joints()))
    np.savez(FOLDER / "other.npz", v_template=np.zeros((3, 3)))
    return body.pose(rotations.exp_so3(poses), trans).joints[:, :22]


def drop(name: str) -> Steps[None]:
    """Drop a file on the 3D View, as Blender itself takes it from the window system."""
    hands.move(*middle(region("WINDOW")))
    yield 0.2
    with bpy.context.temp_override(window=window(), area=view(), region=region("WINDOW")):
        bpy.ops.wm.drop_import_file("INVOKE_DEFAULT", directory=str(FOLDER), files=[{"name": name}])
    yield 0.5


def rigs() -> list[bpy.types.Object]:
    return [obj for obj in bpy.data.objects if obj.type == "ARMATURE"]


def test_a_dropped_bvh_asks_for_its_settings_and_moves_a_body() -> Steps[None]:
    joints, before = make_files(), support.snapshot()
    bpy.context.scene.render.fps = 24
    yield from drop("walk.bvh")
    yield from shot("drop_bvh")
    assert not rigs()
    hands.tap("RET")
    yield from until(lambda: bool(rigs()), 10, "the body")
    yield 0.5
    (rig,) = rigs()
    for frame in (1, 13, 25):
        bpy.context.scene.frame_set(frame)
        assert np.abs(support.bone_heads(rig) - joints[frame - 1]).max() < 2e-3
    yield from frame_selected()
    yield from shot("dropped_bvh")
    yield from hands.undo()
    assert {name for name in support.snapshot() if name.startswith("object")} == {
        name for name in before if name.startswith("object")
    }


def test_a_dropped_file_that_is_no_motion_is_one_line() -> Steps[None]:
    make_files()
    told = len(reports())
    yield from drop("other.npz")
    hands.tap("RET")
    yield from until(lambda: len(reports()) > told, 10, "the refusal")
    said = reports()[told:]
    assert any('other.npz lacks "poses"' in line for line in said) and not rigs(), said


def test_the_buttons_are_in_the_panel_and_ask_for_a_file() -> Steps[None]:
    bpy.context.preferences.view.filebrowser_display_type = "SCREEN"
    yield from press("poise.add_body(")
    for name in ("import_motion", "export_motion"):
        yield from press(f"poise.{name}(")
        yield from until(lambda: any(a.type == "FILE_BROWSER" for a in window().screen.areas), 5, "the file browser")
        yield 0.7
        yield from shot(f"browser_{name}")
        hands.tap("ESC")
        yield from until(lambda: all(a.type != "FILE_BROWSER" for a in window().screen.areas), 5, "its end")
    yield from shot("motion_buttons")
