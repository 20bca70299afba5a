# SPDX-License-Identifier: Apache-2.0
"""Poses by mouse: variations to choose from by pictures, limbs that are locked, poses kept as assets."""

import bpy
import numpy as np
import support
from posing import body_in_view
from robot import Steps, find, hands, middle, press, region, shot

_VARIATIONS, _STORED = 110, 162  # pixels from Generate Pose down to the headers of these panels


def _pose(name: str) -> np.ndarray:
    return np.array([bone.matrix_basis for bone in bpy.data.objects[name].pose.bones])


def _posed_body(header: int = _VARIATIONS) -> Steps[str]:
    rig = yield from body_in_view()
    bpy.ops.poise.generate_pose(seed=4)
    with bpy.context.temp_override(window=bpy.context.window):
        bpy.ops.ed.undo_push(message="Pose")
    x, y = yield from find("poise.generate_pose(")
    yield from hands.click((x, y - header))
    return rig.name


def _press_beside(name: str, columns: float) -> Steps[None]:
    """Click what stands so many thirds of the sidebar to the right of a button; negative: to the left."""
    x, y = yield from find(name)
    yield from hands.click((int(x + columns * region("UI").width / 3.4), y))


def test_a_variation_is_chosen_by_its_picture_and_goes_with_undo() -> Steps[None]:
    name = yield from _posed_body()
    before = support.snapshot()
    yield from press("poise.make_variations(")
    yield 0.5
    icons = support.addon("gallery").gallery_of(bpy.data.objects[name]).icons
    assert len(set(icons)) == 9 and 0 not in icons
    assert support.snapshot() == before
    hands.move(*middle(region("WINDOW")))
    yield from shot("variations")
    yield from press("poise.pick_variation(index=2")
    picked = _pose(name)
    assert support.snapshot() != before
    hands.move(*middle(region("WINDOW")))
    yield from shot("variation_picked")
    yield from hands.undo()
    assert support.snapshot() == before
    yield from press("poise.pick_variation(index=2")
    assert np.allclose(_pose(name), picked, atol=1e-6)
    yield from _press_beside("poise.make_variations(", 1.6)  # the pose before
    assert np.abs(_pose(name) - picked).max() > 0.01


def test_a_locked_limb_stays_when_the_pose_is_varied() -> Steps[None]:
    name = yield from _posed_body()
    yield from _press_beside("poise.locked[5]", -1)  # left of the head
    assert list(bpy.data.objects[name].poise.locked) == [True] + 5 * [False]
    bones = bpy.data.objects[name].pose.bones.keys()
    arm = [bones.index(bone) for bone in ("left_collar", "left_shoulder", "left_elbow", "left_wrist")]
    before = _pose(name)
    for button in ("poise.vary_pose(", "poise.generate_pose("):
        yield from press(button)
        after = _pose(name)
        assert (after[arm] == before[arm]).all() and np.abs(after - before).max() > 0.01
        before = after
    hands.move(*middle(region("WINDOW")))
    yield from shot("locked_arm")


def test_variations_are_keyed_and_go_with_undo() -> Steps[None]:
    name = yield from _posed_body()
    before = support.snapshot()
    yield from _press_beside("poise.vary_pose(", 1)
    assert len(support.addon("rig.keying.actions").curves_of(bpy.data.objects[name])) == 91
    hands.move(*middle(region("WINDOW")))
    yield from shot("variations_keyed")
    yield from hands.undo()
    assert support.snapshot() == before


def test_poses_are_saved_as_assets_with_pictures_and_go_with_undo() -> Steps[None]:
    yield from _posed_body(_STORED)
    for seed in (1, 2, 3, 8):
        bpy.ops.poise.generate_pose(seed=seed)
        bpy.ops.poise.store_pose()
    with bpy.context.temp_override(window=bpy.context.window):
        bpy.ops.ed.undo_push(message="Store poses")
    hands.move(*middle(region("WINDOW")))
    yield from shot("stored_poses")
    yield from press("poise.save_pose_asset(poses='PRESENT'")
    assert [action.name for action in bpy.data.actions if action.asset_data] == ["Pose"]
    yield from _press_beside("poise.save_pose_asset(poses='PRESENT'", 1.2)
    assert len([action for action in bpy.data.actions if action.asset_data]) == 5
    area = next(area for area in bpy.context.window.screen.areas if area.type == "DOPESHEET_EDITOR")
    before, area.ui_type = area.ui_type, "ASSETS"
    yield 1.0
    area.spaces.active.params.asset_library_reference = "LOCAL"
    area.tag_redraw()
    yield 1.0
    yield from shot("pose_assets")
    area.ui_type = before
    yield from hands.undo()
    yield from hands.undo()
    assert not [action for action in bpy.data.actions if action.asset_data]
