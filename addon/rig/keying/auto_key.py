# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto-keying: what the artist's tools for bones do, done for poses that Poise gives."""

import bpy
import numpy as np

from ..convert import BonePose
from .actions import current_action, curves_of, why_not_writable
from .keys import key_bones

_SAME_FRAME = 1e-3


def auto_key(context: bpy.types.Context, obj: bpy.types.Object, bones: BonePose) -> None:
    """Key what the bones hold at the current frame, where auto-keying is on, as the artist's preferences say.

    Nothing is keyed where it cannot be: see `why_not_auto_keyed`.
    """
    if not bones.bones or not context.tool_settings.use_keyframe_insert_auto or why_not_writable(obj):
        return
    frame = float(context.scene.frame_current)
    paths = _touched(context, obj, frame)
    if paths is None or paths:
        kind = context.preferences.edit.keyframe_new_interpolation_type
        key_bones(obj, current_action(obj), np.array([frame]), bones, interpolation=kind, paths=paths)


def why_not_auto_keyed(context: bpy.types.Context, obj: bpy.types.Object) -> str:
    """Why a pose gets no keys although auto-keying is on; empty where it gets them, or auto-keying is off."""
    return why_not_writable(obj) if context.tool_settings.use_keyframe_insert_auto else ""


def _touched(context: bpy.types.Context, obj: bpy.types.Object, frame: float) -> set[str] | None:
    """Data paths of the curves that auto-keying may touch: only those with a key at a frame, or only those there are;
    None for all.
    """
    replace_only = context.tool_settings.auto_keying_mode == "REPLACE_KEYS"
    if not (replace_only or context.preferences.edit.use_keyframe_insert_available):
        return None
    return {
        curve.data_path
        for curve in curves_of(obj)
        if not replace_only or any(abs(key.co.x - frame) < _SAME_FRAME for key in curve.keyframe_points)
    }
