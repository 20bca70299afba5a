# SPDX-License-Identifier: GPL-3.0-or-later
"""Import Motion and Export Motion: AMASS npz and BVH."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from ...vendor_core.errors import PoiseError
from ..texts import told
from .common import PoiseOperator, RigOperator, rig_of, scene_range

if TYPE_CHECKING:
    import numpy as np


_ENDINGS = {"AMASS": ".npz", "BVH": ".bvh"}


class POISE_OT_import_motion(PoiseOperator, bpy.types.Operator, ImportHelper):
    """Key the motion of an AMASS or SMPL-X file (.npz) or of a BVH file on a body"""

    bl_idname = "poise.import_motion"
    bl_label = "Import Motion"
    bl_options = {"REGISTER", "UNDO", "PRESET"}

    filename_ext = ".npz"
    filter_glob: StringProperty(default="*.npz;*.bvh", options={"HIDDEN"})  # type: ignore[valid-type]
    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]  # never the last one
    target: EnumProperty(  # type: ignore[valid-type]
        name="Onto",
        description="The body that gets the motion",
        items=(
            ("NEW", "New Body", "A new default body"),
            ("ACTIVE", "Active Body", "The body that is active or selected; its present action is kept"),
        ),
    )
    fit_shape: BoolProperty(  # type: ignore[valid-type]
        name="Fit Shape",
        description="Give the body the shape that the file tells: its betas, or the lengths of its skeleton's limbs",
        default=True,
    )
    rate: EnumProperty(  # type: ignore[valid-type]
        name="Frame Rate",
        description="How the file's rate meets the scene's; its speed stays in both cases",
        items=(
            ("SCENE", "Scene", "A key on every frame of the scene"),
            ("FILE", "File", "Every frame of the file, as keys between the scene's frames"),
        ),
    )
    start: IntProperty(name="Start Frame", description="Frame of the scene at which the motion begins", default=1)  # type: ignore[valid-type]
    extend_range: BoolProperty(  # type: ignore[valid-type]
        name="Extend Scene", description="Make the scene long enough to show the motion", default=True
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.properties.is_property_set("filepath"):  # a file was dropped: only the settings are to be asked for
            return context.window_manager.invoke_props_dialog(self, confirm_text="Import Motion")  # type: ignore[return-value]
        return super().invoke(context, event)  # type: ignore[return-value]

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for names in (("target", "fit_shape"), ("rate", "start"), ("extend_range",)):
            column = layout.column()
            for name in names:
                column.prop(self, name)

    def run(self, context: bpy.types.Context) -> None:
        from ..motion_import import MotionRequest, import_motion

        request = MotionRequest(
            path=Path(bpy.path.abspath(self.filepath)),
            rig=rig_of(context) if self.target == "ACTIVE" else None,
            fit_shape=self.fit_shape,
            at_scene_rate=self.rate == "SCENE",
            start=self.start,
            extend_range=self.extend_range,
        )
        self.report({"INFO"}, import_motion(context, request))


class POISE_OT_export_motion(RigOperator, bpy.types.Operator, ExportHelper):
    """Write the body's animation to an AMASS file with SMPL-X's joints (.npz) or to a BVH file"""

    bl_idname = "poise.export_motion"
    bl_label = "Export Motion"
    bl_options = {"PRESET"}

    filename_ext = ".npz"
    filter_glob: StringProperty(default="*.npz;*.bvh", options={"HIDDEN"})  # type: ignore[valid-type]
    file_format: EnumProperty(  # type: ignore[valid-type]
        name="Format",
        description="What is written; a path that ends in .npz or .bvh says so itself",
        items=(
            ("AMASS", "AMASS (.npz)", "SMPL-X's 55 joints as rotation vectors, with the body's shape; metres, Z up"),
            ("BVH", "BVH (.bvh)", "The skeleton in its rest pose and its joints' angles; centimetres, Y up"),
        ),
    )
    span: EnumProperty(  # type: ignore[valid-type]
        name="Frames",
        description="The frames to write",
        items=(
            ("SCENE", "Scene Range", "The preview range, or else the scene's frame range"),
            ("ACTION", "Action", "From the first key of the body's action to the last"),
        ),
    )
    rate: EnumProperty(  # type: ignore[valid-type]
        name="Frame Rate",
        description="How many frames a second are written; the speed stays in both cases",
        items=(
            ("SCENE", "Scene", "Every frame of the scene"),
            ("KEYS", "Keys", "As many as the body has keys, such as those of a take between the scene's frames"),
        ),
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.filepath:
            self.filepath = bpy.path.clean_name(rig_of(context).name) + _ENDINGS[self.file_format]
        return super().invoke(context, event)  # type: ignore[return-value]

    def check(self, context: bpy.types.Context) -> bool:
        path = Path(self.filepath)
        if not path.name or path.suffix.lower() == _ENDINGS[self.file_format]:
            return False
        known = path.suffix.lower() in _ENDINGS.values()
        self.filepath = str(path.with_suffix("") if known else path) + _ENDINGS[self.file_format]
        return True

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in ("file_format", "span", "rate"):
            layout.prop(self, name)

    def run(self, context: bpy.types.Context) -> None:
        from ...vendor_core.motion import write_motion
        from ...vendor_core.motion.bvh import write_bvh
        from ...vendor_core.motion.bvh_motion import bvh_of
        from ..motion_export import motion_of_rig, rest_of_rig

        path = Path(bpy.path.abspath(self.filepath))
        if not path.name:
            raise PoiseError("No file was given; choose where to write, as .npz or .bvh")
        if path.suffix.lower() not in _ENDINGS.values():
            path = path.with_name(path.name + _ENDINGS[self.file_format])
        obj = rig_of(context)
        frames = self._frames(context, obj)
        motion = motion_of_rig(context, obj, frames)
        if path.suffix.lower() == ".npz":
            write_motion(path, motion)
        else:
            write_bvh(path, bvh_of(motion, rest_of_rig(obj)))
        said = told("{file}: {frames} frames at {rate:g} Hz", file=path.name, frames=len(motion), rate=motion.rate)
        self.report({"INFO"}, said)

    def _frames(self, context: bpy.types.Context, obj: bpy.types.Object) -> "np.ndarray":
        """The frames (F,) to write, evenly apart.

        Raises:
            PoiseError: the body has no keys, or too few to tell a rate.
        """
        import numpy as np

        from ..rig.keying.keys import keyed_frames
        from ..rig.keying.rework import even_frames
        from ..rig.pose import read_rig

        keys, (first, last) = np.empty(0), scene_range(context)
        if self.span == "ACTION" or self.rate == "KEYS":
            keys = keyed_frames(obj, rig := read_rig(obj), selected=False, made_too=True, bones=rig.bones)
            if len(keys) < 2:
                raise PoiseError(
                    f'The bones of "{obj.name}" have keys at {len(keys)} frames; expected two or more: key them, or '
                    "export the scene's range at the scene's rate"
                )
        if self.span == "ACTION":
            first, last = keys[0], keys[-1]
        if self.rate == "KEYS":
            even = even_frames(keys)
            even = even[(even >= first - 1e-3) & (even <= last + 1e-3)]
            if not len(even):
                raise PoiseError(
                    f'"{obj.name}" has no keys from frame {first:g} to {last:g}; expected some: export Action'
                )
            return even
        return np.arange(first, last + 1e-3)


class POISE_FH_motion(bpy.types.FileHandler):
    bl_idname = "POISE_FH_motion"
    bl_label = "Motion on a Poise body"
    bl_import_operator = "poise.import_motion"
    bl_file_extensions = ".npz;.bvh"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"


def _import_menu(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.operator(POISE_OT_import_motion.bl_idname, text="Motion on a Poise Body (.npz, .bvh)")


def _export_menu(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.operator(POISE_OT_export_motion.bl_idname, text="Motion of a Poise Body (.npz, .bvh)")


_CLASSES = (POISE_OT_import_motion, POISE_OT_export_motion, POISE_FH_motion)
_register_classes, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def register() -> None:
    _register_classes()
    bpy.types.TOPBAR_MT_file_import.append(_import_menu)
    bpy.types.TOPBAR_MT_file_export.append(_export_menu)


def unregister() -> None:
    bpy.types.TOPBAR_MT_file_export.remove(_export_menu)
    bpy.types.TOPBAR_MT_file_import.remove(_import_menu)
    _unregister_classes()
