# SPDX-License-Identifier: Apache-2.0
"""Pose sliders by mouse: dragged, keyed, played, and gone with undo."""

import bpy
import support
from posing import body_in_view
from robot import Steps, find, hands, middle, press, region, shot

_HEADER = 136  # pixels from Generate Pose down to the header of Pose Sliders


def test_a_pose_slider_is_dragged_keyed_and_played() -> Steps[None]:
    rig = yield from body_in_view()
    name = rig.name
    with bpy.context.temp_override(window=bpy.context.window):
        bpy.ops.ed.undo_push(message="Body")
    x, y = yield from find("poise.generate_pose(")
    yield from hands.click((x, y - _HEADER))
    before = support.snapshot()
    start = support.bone_heads(bpy.data.objects[name])
    yield from press("poise.key_sliders(")
    bpy.context.scene.frame_set(11)
    slider = yield from find("poise.sliders[0]")
    yield from hands.drag(slider, (slider[0] + 90, slider[1]), moves=8)
    hands.move(*middle(region("WINDOW")))
    yield from shot("pose_slider")
    crouched = support.bone_heads(bpy.data.objects[name])
    value = bpy.data.objects[name].poise.sliders[0]
    print(f"Crouch {value:.2f}: the head comes down by {100 * (start[15, 2] - crouched[15, 2]):.0f} cm")
    assert value > 0.5 and start[15, 2] - crouched[15, 2] > 0.01
    yield from press("poise.key_sliders(")
    bpy.context.scene.frame_set(1)
    yield 0.3
    assert abs(support.bone_heads(bpy.data.objects[name]) - start).max() < 1e-3
    bpy.context.scene.frame_set(11)
    yield 0.3
    assert abs(support.bone_heads(bpy.data.objects[name]) - crouched).max() < 1e-3
    for _ in range(3):
        yield from hands.undo()
    bpy.context.scene.frame_set(1)
    assert support.snapshot() == before
