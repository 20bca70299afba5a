# SPDX-License-Identifier: Apache-2.0
"""What the sidebar shows."""

import bpy
import support
from robot import TABS, Steps, buttons, find, frame_selected, hands, middle, open_sidebar, press, region, shot

OPERATORS = ("add_body", "add_body_from_file", "generate_pose", "interpolate", "solve_targets", "import_c3d")


def test_the_sidebar_shows_every_button() -> Steps[None]:
    there: dict[str, object] = {}
    for tab in TABS:
        yield from open_sidebar(tab)
        yield from shot(f"sidebar_without_body_{tab.lower().replace(' ', '_')}", region("UI"))
        there |= yield from buttons()
    missing = [name for name in OPERATORS if not any(found.startswith(f"poise.{name}(") for found in there)]
    assert not missing, f"{missing} not among {list(there)}"


def test_add_body_stands_on_the_ground_and_goes_with_undo() -> Steps[None]:
    empty = support.snapshot()
    yield from press("poise.add_body(")
    rig = bpy.context.object
    assert rig is not None and rig.type == "ARMATURE"
    heights = support.evaluated_vertices(rig)[:, 2]
    assert abs(heights.min()) < 1e-3 and 1.4 < heights.max() < 2.1
    yield from frame_selected()
    hands.move(*middle(region("WINDOW")))
    yield from shot("body")
    yield from shot("sidebar_with_body", region("UI"))
    yield from hands.undo()
    assert support.snapshot() == empty


def test_a_shape_slider_moves_joints_and_goes_with_undo() -> Steps[None]:
    yield from press("poise.add_body(")
    add = yield from find("poise.add_body_from_file(")
    rig_name = bpy.context.object.name
    before = support.snapshot()
    shape_header = (add[0], add[1] - 62)
    yield from hands.click(shape_header)
    yield from shot("sidebar_shape", region("UI"))
    slider = yield from find("poise.betas[0].value")
    right = (slider[0] + 60, slider[1])
    yield from hands.drag(slider, right, moves=8)
    rig = bpy.data.objects[rig_name]
    value = rig.poise.betas[0].value
    print(f"slider {rig.poise.betas[0].name}: {value:.2f}")
    assert abs(value) > 0.2
    after = support.snapshot()
    assert after[f"rest {rig_name}"] != before[f"rest {rig_name}"]
    hands.move(*middle(region("WINDOW")))
    yield from shot("shape_dragged")
    yield from hands.undo()
    assert support.snapshot() == before
