# SPDX-License-Identifier: GPL-3.0-or-later
"""Pose assets: actions of one frame that Blender's asset browser and pose library know."""

from typing import Any

import bpy
import numpy as np

from ..convert import BonePose
from ..keying.keys import key_into

_FRAME = 1.0


def save_asset(
    obj: bpy.types.Object, bones: BonePose, name: str, picture: np.ndarray, catalogue: str
) -> bpy.types.Action:
    """Make a pose asset in the file; the object keeps its own action.

    Args:
        obj: the armature object whose bones' rotation modes count.
        bones: one frame.
        name: of the asset.
        picture: (size, size, 4) its preview.
        catalogue: UUID.
    """
    action = bpy.data.actions.new(name)
    action.user_clear()  # marking as an asset counts as a user
    key_into(_bag(action, obj), obj, np.array([_FRAME]), bones)
    action.asset_mark()
    action.asset_data.catalog_id = catalogue
    preview = action.preview_ensure()
    preview.image_size = picture.shape[:2]
    preview.image_pixels_float.foreach_set(picture.ravel())
    return action


def _bag(action: bpy.types.Action, obj: bpy.types.Object) -> Any:
    """What holds the F-curves of a new action."""
    if bpy.app.version < (4, 4):
        action.id_root = "OBJECT"
        return action
    slot = action.slots.new(id_type="OBJECT", name=obj.name)
    return action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
