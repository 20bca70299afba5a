# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of a solved take that was solved again: what the calibration still holds, and what is kept."""

import json
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from ....vendor_core.mocap.moments import frame_residual
from .arrays import put_residuals, residuals_of
from .residual_curve import write_curve
from .solved import residuals_by_column

if TYPE_CHECKING:
    from ....vendor_core.frames import Message


def calibration_now(obj: bpy.types.Object) -> dict[str, Any]:
    """The calibration of a take without what it says of places that were given by hand and are no more."""
    data: Any = obj.poise_take
    calibration = json.loads(data.calibration)
    by_hand = {label.marker for label in data.labels if label.placed}
    gone = calibration["places"].keys() - by_hand
    for table in ("offsets", "places"):
        calibration[table] = {marker: value for marker, value in calibration[table].items() if marker not in gone}
    return calibration


def note_part(
    obj: bpy.types.Object, scene: bpy.types.Scene, first: int, last: int, message: "Message"
) -> tuple[float, float]:
    """Keep what the worker's answer to a part of a take says.

    Args:
        obj: the take; it is solved.
        scene: whose frames the curve has.
        first, last: frames of the take that were solved.
        message: the answer, with residual (F', M) of these.

    Returns:
        The mean residual of the part before and now, metres.
    """
    data: Any = obj.poise_take
    old, answer = residuals_of(obj), message.data
    assert old is not None
    part, residuals = slice(first, last + 1), old.copy()
    new = residuals_by_column(obj, message.arrays["residual"], answer["labels"], answer["rate"], first)
    residuals[part] = new[part]
    data.calibration = json.dumps(answer["calibration"])
    put_residuals(obj, residuals)
    write_curve(obj, scene, residuals)
    before, after = (frame_residual(r[part]) for r in (old, residuals))
    return float(np.nanmean(before)), float(np.nanmean(after))
