# SPDX-License-Identifier: GPL-3.0-or-later
"""Markers to Empties: for what other tools of Blender are to follow."""

import bpy

from ..take_lookup import take_of
from ..texts import told
from .take_labels import TakeOperator


class POISE_OT_markers_to_empties(TakeOperator, bpy.types.Operator):
    """Add the take's markers as animated empties, for constraints and other tools to follow"""

    bl_idname = "poise.markers_to_empties"
    bl_label = "Markers to Empties"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.takes.empties import add_empties

        collection = add_empties(context, take_of(context))
        n, name = len(collection.objects), collection.name
        self.report({"INFO"}, told("{n} empties in the collection {name}", n=n, name=name))


_CLASSES = (POISE_OT_markers_to_empties,)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
