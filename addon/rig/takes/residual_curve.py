# SPDX-License-Identifier: GPL-3.0-or-later
"""The residual of a solved take over time as an F-curve of its object, for the Graph Editor and the panel."""

from typing import Any

import bpy
import numpy as np

from ....vendor_core.mocap.moments import frame_residual
from ..keying.actions import channelbag, curves_of
from ..keying.keys import put_keys

PATH = "poise_take.residual_mm"


def write_curve(obj: bpy.types.Object, scene: bpy.types.Scene, residuals: np.ndarray | None) -> None:
    """Key the residual of a take at each frame of the scene, in millimetres; frames without any get no key.

    Between the scene's frames the take may have several: the worst of them counts, so that no peak is lost.

    Args:
        obj: the take.
        scene: whose frames.
        residuals: (F, P) metres; None removes the curve.
    """
    _remove(obj)
    if residuals is None:
        return
    per_frame = 1e3 * frame_residual(residuals)
    take: Any = obj.poise_take
    at = take.start + np.arange(len(per_frame)) / take.rate * scene.render.fps / scene.render.fps_base
    frames, values = _worst_by_frame(np.floor(at + 0.5), per_frame)
    if not len(frames):
        return
    data = obj.animation_data
    action = data.action if data is not None else None
    if action is None:
        action = bpy.data.actions.new(f"{obj.name} Residual")
    put_keys(channelbag(obj, action).fcurves.new(PATH), frames, values)


def _worst_by_frame(frames: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frames (K,) once each, ascending, and the largest of their values; those without any are left out."""
    known = np.isfinite(values)
    frames, values = frames[known], values[known]
    unique, first = np.unique(frames, return_index=True)
    return unique, np.maximum.reduceat(values, first) if len(unique) else values


def _remove(obj: bpy.types.Object) -> None:
    data = obj.animation_data
    curve = next((curve for curve in curves_of(obj) if curve.data_path == PATH), None)
    if data is None or data.action is None or curve is None:
        return
    action = data.action
    channelbag(obj, action).fcurves.remove(curve)
    if not curves_of(obj) and action.users == 1:
        bpy.data.actions.remove(action)
