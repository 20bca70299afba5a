# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with a solved take after its solve: seeing how its markers miss the body, solving a part again."""

import json
from typing import TYPE_CHECKING, Any

import bpy

from .bodies import body_file, body_of_file

if TYPE_CHECKING:
    import numpy as np

    from ..vendor_core.frames import Message


def attach_markers(obj: bpy.types.Object, rig: bpy.types.Object) -> None:
    """Keep where the body of a take, just solved, carries the markers; nothing where the rig is none of that body."""
    from ..vendor_core.mocap.calibration_file import calibration_of
    from .rig.pose import read_rig
    from .rig.takes.attached import attach, detach
    from .take_solve import SAME_BODY

    calibration = calibration_of(json.loads(obj.poise_take.calibration))  # type: ignore[attr-defined]
    body, own = body_of_file(body_file(rig)), read_rig(rig)
    apart = own.rest_joints() - body.rest_joints(calibration.betas)[:22]
    if abs(apart).max() < SAME_BODY:
        attach(obj, own, body, calibration)
    else:
        detach(obj)


def write_part(
    scene: bpy.types.Scene, obj: bpy.types.Object, rig: bpy.types.Object, first: int, message: "Message"
) -> int:
    """Write a part of a take that was solved again into the keys that a rig has there.

    Args:
        scene: whose frames.
        obj: the take.
        rig: its body.
        first: frame of the take with which the part begins.
        message: the worker's answer, at the take's own rate.

    Returns:
        The number of frames with keys that were written.
    """
    from ..vendor_core.rotations import exp_so3
    from .rig.convert import FIRST_FINGER
    from .rig.keying.take import steps_of
    from .rig.pose import read_rig
    from .rig.takes import range_keys
    from .rig.takes.attached import stood
    from .take_solve import SAME_BODY

    data: Any = obj.poise_take
    poses, trans = message.arrays["poses"], message.arrays["trans"]
    own, n = stood(obj, read_rig(rig)), len(poses)
    solved_on = body_of_file(body_file(rig)).rest_joints(message.arrays["betas"])[:22]
    same = abs(own.rest_joints() - solved_on).max() < SAME_BODY
    part = range_keys.Part(
        exp_so3(poses), steps_of(own, trans, None if same else solved_on), first, data.rate,
        starts_take=first == 0, ends_take=first + n == data.frames,
    )  # fmt: skip
    keys, at = _keys_inside(scene, obj, rig, first, first + n - 1)
    if len(keys):
        range_keys.write_part(rig, own, keys, at, part, fingers=bool(poses[:, FIRST_FINGER:].any()))
    return len(keys)


def _keys_inside(
    scene: bpy.types.Scene, obj: bpy.types.Object, rig: bpy.types.Object, first: int, last: int
) -> "tuple[np.ndarray, np.ndarray]":
    """Keys (K,) of a rig between two frames of a take, as frames of the scene and of the take."""
    from .rig.pose import read_rig
    from .rig.takes.range_keys import keys_inside
    from .rig.takes.scene import timing

    begin, step = timing(obj, scene)
    keys = keys_inside(rig, read_rig(rig), begin + first * step, begin + last * step)
    return keys, (keys - begin) / step
