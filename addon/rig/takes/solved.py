# SPDX-License-Identifier: GPL-3.0-or-later
"""What a solve found out about a take, kept on its empty: the body, residuals, calibration, what labels mean."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from .arrays import points_of, put_residuals
from .labels import stand_up, write_map

if TYPE_CHECKING:
    from ....vendor_core.frames import Message


def note_solved(obj: bpy.types.Object, rig: bpy.types.Object, message: "Message") -> None:
    """Keep what the worker's answer to a whole take says.

    Args:
        obj: the take.
        rig: the body that has the motion.
        message: with residual (F, M) metres at the motion's rate.
    """
    data, summary = obj.poise_take, message.data["summary"]  # type: ignore[attr-defined]
    if any(label.marker for label in data.labels):  # as the solve was asked, or corrected since then
        stand_up(obj)  # as the solve did, where labels were mapped by hand
    else:
        columns = {int(column): str(marker) for column, marker in message.data["columns"]}
        write_map(obj, columns, summary["layout"], summary["confidence"])
    data.body, data.calibration = rig, json.dumps(message.data["calibration"])
    residuals = residuals_by_column(obj, message.arrays["residual"], message.data["labels"], message.data["rate"])
    put_residuals(obj, residuals)


def residuals_by_column(
    obj: bpy.types.Object, residual: np.ndarray, markers: Sequence[str], rate: float, first: float = 0.0
) -> np.ndarray:
    """Residuals of markers at a motion's frames as those of a take's points at its own frames.

    Args:
        obj: the take.
        residual: (F', M) metres, NaN where unseen.
        markers: the M markers.
        rate: Hz of the motion.
        first: frame of the take with which the motion starts.

    Returns:
        (F, P) float32; NaN where the point is unseen, not mapped, or beside the motion. A frame of the take between
        two of the motion has those of the nearer one.
    """
    data: Any = obj.poise_take
    found = np.full((data.frames, len(data.labels)), np.nan, np.float32)
    row = np.rint((np.arange(data.frames) - first) * rate / data.rate).astype(int)
    inside = (row >= 0) & (row < len(residual))
    of = {marker: m for m, marker in enumerate(markers)}
    for column, label in enumerate(data.labels):
        if label.marker in of:
            found[inside, column] = residual[row[inside], of[label.marker]]
    found[np.isnan(points_of(obj)[..., 0])] = np.nan
    return found
