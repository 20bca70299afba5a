# SPDX-License-Identifier: Apache-2.0
"""A part of a take is not solved again into keys that are not the take's; places that others gave stay."""

import json

import bpy
import numpy as np
import pytest
from support import addon
from test_mocap import known  # noqa: F401
from test_take_mend import keys_of, rig_of, solved, solved_file  # noqa: F401


def refused(because: str) -> None:
    assert not bpy.ops.poise.resolve_range.poll()
    with pytest.raises(RuntimeError, match=because):
        bpy.ops.poise.resolve_range(first=19, last=34)


def test_keys_of_another_action_are_not_written(solved) -> None:  # noqa: F811
    rig = rig_of(solved)
    own = rig.animation_data.action
    other = addon("rig.keying.actions").new_action(rig, "by hand")
    for frame in (20, 25, 30):
        rig.pose.bones["pelvis"].keyframe_insert("location", frame=frame)
    before = keys_of(rig)
    refused('has the action "by hand", not that of this take')
    assert before.keys() == keys_of(rig).keys()
    assert all(np.array_equal(keys, keys_of(rig)[path]) for path, keys in before.items())
    other["poise_take"], other["poise_solve"] = solved.name, "an earlier one"
    refused('has the action "by hand", not that of this take')
    addon("rig.keying.actions").channelbag(rig, own)
    assert bpy.ops.poise.resolve_range.poll()


def test_a_take_named_anew_is_that_of_its_motion_all_the_same(solved) -> None:  # noqa: F811
    other = bpy.data.objects.new("second", None)
    other.poise_take.version = "of other points"
    bpy.context.collection.objects.link(other)
    solved.name = "named anew"
    bpy.context.view_layer.objects.active = rig_of(solved)
    assert addon("take_lookup").find_take(bpy.context) == solved
    assert bpy.ops.poise.resolve_range.poll()
    rig_of(solved).animation_data.action["poise_solve"] = "of another"
    assert addon("take_lookup").find_take(bpy.context) is None


@pytest.mark.parametrize("change", ["start", "fps"])
def test_keys_that_are_elsewhere_in_time_are_not_written(solved, change: str) -> None:  # noqa: F811
    assert bpy.ops.poise.resolve_range.poll()
    holder, name = (solved.poise_take, "start") if change == "start" else (bpy.context.scene.render, "fps")
    then = getattr(holder, name)
    setattr(holder, name, then + 1)
    refused("has changed since it was solved: solve the whole take again")
    setattr(holder, name, then)
    assert bpy.ops.poise.resolve_range.poll()


def test_a_place_that_only_the_calibration_knows_stays(solved) -> None:  # noqa: F811
    """As where another take of the person, or a file, has calibrated this one."""
    data = solved.poise_take
    calibration = json.loads(data.calibration)
    place = {"vertices": [10, 11, 12], "barycentric": [0.25, 0.25, 0.5], "height": 0.01}
    calibration["places"]["Prop"], calibration["offsets"]["Prop"] = place, [0.0, 0.0, 0.0]
    data.calibration = json.dumps(calibration)
    data.labels["LFIN"].marker = "Prop"
    assert bpy.ops.poise.resolve_range(first=13, last=17) == {"FINISHED"}
    assert json.loads(data.calibration)["places"]["Prop"] == place
    data.calibrate = "STORED"
    bpy.context.view_layer.objects.active = solved
    assert bpy.ops.poise.solve_take(target="ACTIVE") == {"FINISHED"}
    assert json.loads(data.calibration)["places"]["Prop"] == place
