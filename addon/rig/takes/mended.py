# SPDX-License-Identifier: GPL-3.0-or-later
"""A solved take that is mended: places that are taken back, and what is kept of a part that was solved again."""

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


def forget_place(obj: bpy.types.Object, marker: str) -> None:
    """Take out of a take's calibration where a marker was placed; the next solve finds it anew from its usual place."""
    data: Any = obj.poise_take
    if data.calibration:
        calibration = json.loads(data.calibration)
        for table in ("offsets", "places"):
            calibration[table].pop(marker, None)
        data.calibration = json.dumps(calibration)


def note_part(
    obj: bpy.types.Object, scene: bpy.types.Scene, first: int, last: int, message: "Message"
) -> tuple[float | None, float | None]:
    """Keep what the worker's answer to a part of a take says.

    Args:
        obj: the take; it is solved.
        scene: whose frames the curve has.
        first, last: frames of the take that were solved.
        message: the answer, with residual (F', M) of these.

    Returns:
        The mean residual of the part before and now, metres; None where it has none.
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
    return _mean(old[part]), _mean(residuals[part])


def _mean(residuals: np.ndarray) -> float | None:
    per_frame = frame_residual(residuals)
    known = per_frame[np.isfinite(per_frame)]
    return float(known.mean()) if len(known) else None
