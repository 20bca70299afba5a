# SPDX-License-Identifier: Apache-2.0
"""Poses by mouse: generated, adjusted afterwards, solved from empties that are dragged."""

import bpy
import numpy as np
import support
from bpy_extras.view3d_utils import location_3d_to_region_2d
from robot import Place, Steps, buttons, find, frame_selected, hands, middle, press, region, shot, view


def body_in_view() -> Steps[bpy.types.Object]:
    """A default body that fills the view."""
    yield from press("poise.add_body(")
    yield from frame_selected()
    return bpy.context.object


def _pose(rig: bpy.types.Object) -> np.ndarray:
    return np.array([bone.matrix_basis for bone in rig.pose.bones])


def test_a_generated_pose_is_adjusted_and_goes_with_undo() -> Steps[None]:
    rig = yield from body_in_view()
    name, before = rig.name, support.snapshot()
    yield from press("poise.generate_pose(")
    first = _pose(rig)
    assert support.snapshot() != before
    yield from shot("generated")
    yield from _type_seed("7")
    rig = bpy.data.objects[name]
    assert bpy.context.window_manager.operators[-1].properties.seed == 7
    second = _pose(rig)
    assert np.abs(second - first).max() > 0.1
    yield from shot("generated_seed_7")
    yield from hands.undo()
    assert support.snapshot() == before
    bpy.ops.poise.generate_pose(seed=7)
    assert np.allclose(_pose(bpy.data.objects[name]), second, atol=1e-6)


def _type_seed(text: str) -> Steps[None]:
    """Type a seed in the panel Adjust Last Operation, which is opened if need be."""
    hud = region("HUD")
    header = (hud.x + 60, hud.y + hud.height - 12)
    if hud.height < 60:
        yield from hands.click(header)
        hud = region("HUD")
    yield from shot("adjust_generate", hud)
    seed = (hud.x + int(hud.width * 0.7), hud.y + hud.height - 68)  # below the presets
    yield from hands.double_click(seed)
    hands.tap("A", ctrl=True)
    yield 0.1
    yield from hands.type(text)
    hands.tap("RET")
    yield 0.6


def in_between_button(source: str) -> Steps[Place]:
    """Where the button is that interpolates between these key poses."""
    there = yield from buttons()
    found = [place for name, place in there.items() if "poise.interpolate(" in name and f"source='{source}'" in name]
    assert found, f"no button for {source} among {list(there)}"
    return found[0]


def test_stored_poses_become_a_motion_and_go_with_undo() -> Steps[None]:
    rig = yield from body_in_view()
    name = rig.name
    for seed in (1, 2, 3):
        bpy.ops.poise.generate_pose(seed=seed)
        bpy.ops.poise.store_pose("INVOKE_DEFAULT")
    with bpy.context.temp_override(window=bpy.context.window):
        bpy.ops.ed.undo_push(message="Store poses")
    yield from shot("sidebar_stored_poses", region("UI"))
    before = support.snapshot()
    place = yield from in_between_button("STORED")
    yield from hands.click(place)
    assert len(support.addon("rig.keying.keys").curves_of(bpy.data.objects[name])) > 60
    yield from shot("interpolated")
    yield from hands.undo()
    assert support.snapshot() == before


def test_a_dragged_target_is_reached_and_goes_with_undo() -> Steps[None]:
    rig = yield from body_in_view()
    name = rig.name
    solve = yield from find("poise.solve_targets(")
    yield from hands.click((solve[0], solve[1] + 16))
    yield from shot("menu_add_targets")
    hands.tap("DOWN_ARROW")
    yield 0.2
    hands.tap("RET")
    yield 0.4
    targets = {o["poise_joint"]: o for o in bpy.data.objects if o.type == "EMPTY"}
    print("targets", sorted(targets))
    assert len(targets) == 6 and all(o.select_get() for o in targets.values())
    yield from shot("targets")
    wrist = targets["right_wrist"]  # the left one lies below the sidebar
    for obj in bpy.context.selected_objects:
        obj.select_set(False)
    wrist.select_set(True)
    bpy.context.view_layer.objects.active = wrist
    with bpy.context.temp_override(window=bpy.context.window):
        bpy.ops.ed.undo_push(message="Select the wrist")
    start = wrist.matrix_world.translation.copy()
    where = region("WINDOW")
    x, y = location_3d_to_region_2d(where, view().spaces.active.region_3d, start)
    hands.move(where.x + x, where.y + y)
    yield 0.1
    hands.tap("G")
    yield 0.1
    yield from hands.travel((int(where.x + x + 30), int(where.y + y - 60)))
    hands.tap("LEFTMOUSE")
    yield 0.3
    moved = (wrist.matrix_world.translation - start).length
    assert moved > 0.03
    before = support.snapshot()
    yield from press("poise.solve_targets(")
    print(f"the wrist was dragged by {100 * moved:.1f} cm and is missed by {1000 * _miss(name):.2f} mm")
    assert _miss(name) < 0.01
    hands.move(*middle(where))
    yield from shot("solved_from_one_target")
    yield from hands.undo()
    assert support.snapshot() == before
    for obj in bpy.data.objects:
        obj.select_set(obj.type == "EMPTY")
    yield from press("poise.solve_targets(")
    print(f"with all targets it is missed by {1000 * _miss(name):.2f} mm")
    assert _miss(name) < 0.01
    yield from shot("solved_from_all_targets")


def _miss(rig: str) -> float:
    """Metres from the right wrist to its target."""
    goal = bpy.data.objects["Target.right_wrist"].matrix_world.translation
    return float(np.linalg.norm(support.bone_heads(bpy.data.objects[rig], ["right_wrist"])[0] - np.array(goal)))
