# SPDX-License-Identifier: Apache-2.0
"""An artist's first minutes with Poise, from an empty scene to a motion; its pictures are those of the guide."""

from math import radians

import bpy
import numpy as np
import support
from imports import REAL_TAKE, TAKE, ended, start_import
from live import _grab, _session
from mathutils import Euler
from posing import body_in_view
from robot import Steps, hands, middle, press, region, shot, until, view

_SEEDS = (21, 8, 30)


def _look(distance: float, at: tuple[float, float, float], turn: float = 30.0) -> None:
    """See a place from ahead, turned by degrees to its left, a little from above."""
    eye = view().spaces.active.region_3d
    eye.view_perspective = "PERSP"
    eye.view_rotation = Euler((radians(80), 0, radians(turn))).to_quaternion()
    eye.view_location, eye.view_distance = at, distance


def _aside() -> None:
    hands.move(*middle(region("WINDOW")))


def test_the_first_minutes() -> Steps[None]:
    rig = yield from body_in_view()
    name = rig.name
    _look(3.0, (0.42, 0.2, 0.9))
    _aside()
    yield from shot("tour_body")

    yield from press("poise.generate_pose(")
    bpy.ops.poise.generate_pose(seed=_SEEDS[0])
    _aside()
    yield from shot("tour_pose")

    yield from press("poise.pose_live(")
    yield from until(lambda: _session() is not None, 5, "the session starts")
    feet = support.bone_heads(bpy.data.objects[name], ["left_ankle", "right_ankle"])
    yield from _grab("left_wrist")
    yield from hands.travel((hands.place[0] + 40, hands.place[1] + 90), moves=20)
    yield from until(lambda: _session().settled, 5, "the body comes to rest")
    yield from shot("tour_live")
    hands.tap("LEFTMOUSE")
    yield 0.3
    hands.tap("RET")
    yield from until(lambda: _session() is None, 5, "the session ends")
    slip = np.abs(support.bone_heads(bpy.data.objects[name], ["left_ankle", "right_ankle"]) - feet).max()
    print(f"tour: a wrist dragged over the head, feet moved by {1000 * slip:.1f} mm")
    assert slip < 0.005

    bpy.context.view_layer.objects.active = bpy.data.objects[name]
    for seed in _SEEDS:
        bpy.ops.poise.generate_pose(seed=seed)
        bpy.ops.poise.store_pose()
    bpy.ops.poise.interpolate(source="STORED", loop=True)
    assert len(support.addon("rig.keying.keys").curves_of(bpy.data.objects[name])) > 60
    bpy.context.scene.frame_end = 73
    bpy.context.scene.frame_set(12)
    _aside()
    yield from shot("tour_inbetweens")


def test_a_take_becomes_a_character() -> Steps[None]:
    take = REAL_TAKE if REAL_TAKE.is_file() else TAKE
    yield from start_import(take)
    yield from until(ended, 180, "the take is solved")
    yield 1.0
    bodies = [obj for obj in bpy.data.objects if obj.type == "ARMATURE"]
    assert len(bodies) == 1
    bpy.context.scene.frame_set(1)
    still = support.bone_heads(bodies[0])
    bpy.context.scene.frame_set(30)
    heads = support.bone_heads(bodies[0])
    assert np.abs(heads - still).max() > 0.2  # the person has walked on
    _look(3.2, (float(heads[0, 0]) + 0.42, float(heads[0, 1]) + 0.2, 0.9))
    _aside()
    yield from shot("tour_take")
