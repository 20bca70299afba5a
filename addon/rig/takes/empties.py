# SPDX-License-Identifier: GPL-3.0-or-later
"""Markers of a take as animated empties."""

from typing import Any

import bpy
import numpy as np

from ...take_lookup import name_of
from ..keying.actions import channelbag
from ..keying.keys import put_keys
from .arrays import points_of
from .scene import scene_frame

_SIZE = 0.01  # metres


def add_empties(context: bpy.types.Context, obj: bpy.types.Object) -> bpy.types.Collection:
    """A take's markers as empties in a collection of their own, which follow the take; no keys where one is unseen."""
    take: Any = obj.poise_take
    scene: Any = context.scene
    points, name = points_of(obj), name_of(obj)
    frames = np.array([scene_frame(obj, scene, frame) for frame in range(take.frames)])
    collection = bpy.data.collections.new(f"{name} Markers")
    scene.collection.children.link(collection)
    for column, label in enumerate(take.labels):
        empty = bpy.data.objects.new(label.marker or label.name, None)
        empty.empty_display_type, empty.empty_display_size, empty.parent = "SPHERE", _SIZE, obj
        collection.objects.link(empty)
        seen = np.isfinite(points[:, column]).all(-1)
        bag = channelbag(empty, bpy.data.actions.new(f"{name} {empty.name}"))
        for k in range(3):
            put_keys(bag.fcurves.new("location", index=k), frames[seen], points[seen, column, k])
    return collection
