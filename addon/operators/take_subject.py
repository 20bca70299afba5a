# SPDX-License-Identifier: GPL-3.0-or-later
"""The calibration of a take's subject, to a file and from one: the same that `poise calibrate` writes."""

import json
from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ...vendor_core.errors import PoiseError
from ..take_lookup import name_of, own_take_of, take_of
from .take_labels import TakeOperator


class POISE_OT_save_subject(TakeOperator, bpy.types.Operator, ExportHelper):
    """Save the shape of the person and the places of the markers, for other takes of the same person"""

    bl_idname = "poise.save_subject"
    bl_label = "Save Subject"
    bl_options = {"REGISTER"}

    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            self.filepath = f"{name_of(take_of(context))} subject.json"
        return super().invoke(context, event)  # type: ignore[return-value]

    def run(self, context: bpy.types.Context) -> None:
        from ...vendor_core.mocap.calibration_file import calibration_of, write_calibration

        take = take_of(context)
        text = take.poise_take.calibration  # type: ignore[attr-defined]
        if not text:
            raise PoiseError(f'"{take.name}" has no calibration yet: solve it first')
        write_calibration(Path(bpy.path.abspath(self.filepath)), calibration_of(json.loads(text)))


class POISE_OT_load_subject(TakeOperator, bpy.types.Operator, ImportHelper):
    """Solve this take with the shape and the places of the markers of a file, as Save Subject writes it"""

    bl_idname = "poise.load_subject"
    bl_label = "Load Subject"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> None:
        from ...vendor_core.mocap.calibration_file import read_calibration

        calibration = read_calibration(Path(bpy.path.abspath(self.filepath)))
        data: Any = own_take_of(context).poise_take
        data.calibration, data.calibrate = json.dumps(calibration.as_dict()), "STORED"


_CLASSES = (POISE_OT_save_subject, POISE_OT_load_subject)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
