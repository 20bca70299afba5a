# SPDX-License-Identifier: GPL-3.0-or-later
"""Import C3D: takes come into the scene as points at once, and are solved in the worker while Blender stays alive."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, FloatProperty, IntProperty, StringProperty
from bpy_extras.io_utils import ImportHelper

from ...vendor_core.errors import PoiseError
from ..take_import import read_takes, show_takes
from ..texts import told
from ..worker import jobs
from .job import BUSY
from .solve_take import SolvingOperator, solve_takes

LAYOUT_ITEMS = (
    ("auto", "Automatic", "The layout that fits the labels best"),
    ("CMU41", "CMU 41", "Carnegie Mellon's 41 markers"),
    ("PlugInGait39", "Plug-in Gait 39", "Vicon's full body"),
    ("PlugInGait35", "Plug-in Gait 35", "Vicon's full body without some of the arms' markers"),
    ("QualisysIOR", "Qualisys IOR", "Istituto Ortopedico Rizzoli's, as Qualisys names them"),
    ("HelenHayes", "Helen Hayes", "Motion Analysis's full body"),
    ("OptiTrackBaseline41", "OptiTrack Baseline 41", "Motive's full body"),
    ("OptiTrackBiomech57", "OptiTrack Biomech 57", "Motive's, with Van Sint Jan's names"),
)
LAYOUT = EnumProperty(name="Markers", description="What the labels of the markers mean", items=LAYOUT_ITEMS)

_UNFIT = "{take}: its labels fit no layout, so only its points came. Map labels in the tab Poise Mocap, then solve"


class POISE_OT_import_c3d(SolvingOperator, bpy.types.Operator, ImportHelper):
    """Show the markers of C3D or TRC takes, solve them, and key the motion on a body"""

    bl_idname = "poise.import_c3d"
    bl_label = "Import C3D"
    bl_options = {"PRESET", "UNDO"}

    filename_ext = ".c3d"
    filter_glob: StringProperty(default="*.c3d;*.trc", options={"HIDDEN"})  # type: ignore[valid-type]
    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]  # never the last one
    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})  # type: ignore[valid-type]
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"})  # type: ignore[valid-type]
    solve: BoolProperty(  # type: ignore[valid-type]
        name="Solve", description="Solve the takes whose markers are recognised, one after the other", default=True
    )
    layout_name: LAYOUT  # type: ignore[valid-type]
    start: IntProperty(name="Start Frame", description="Frame of the scene at which the take begins", default=1)  # type: ignore[valid-type]
    trim_start: FloatProperty(  # type: ignore[valid-type]
        name="Trim Start", description="Seconds to leave out at the start of the take", min=0.0, subtype="TIME_ABSOLUTE"
    )
    trim_end: FloatProperty(  # type: ignore[valid-type]
        name="Trim End", description="Seconds to leave out at the end of the take", min=0.0, subtype="TIME_ABSOLUTE"
    )
    extend_range: BoolProperty(  # type: ignore[valid-type]
        name="Extend Scene", description="Make the scene long enough to show the take", default=True
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if jobs.state.running:
            cls.poll_message_set(BUSY)
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self._dropped():  # only the settings are to be asked for
            return context.window_manager.invoke_props_dialog(self, confirm_text="Import C3D")  # type: ignore[return-value]
        return super().invoke(context, event)  # type: ignore[return-value]

    def _dropped(self) -> bool:
        return self.properties.is_property_set("filepath") or bool(self.files)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in ("layout_name", "extend_range"):
            layout.prop(self, name)
        column = layout.column(align=True)
        for name in ("start", "trim_start", "trim_end"):
            column.prop(self, name)
        layout.prop(self, "solve")
        column = layout.column()
        column.active = self.solve
        for name in ("target", "fit_shape", "rate"):
            column.prop(self, name)

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            read = read_takes(self._paths(), self.trim_start, self.trim_end)
            rig = self.body(context) if self.solve else None
        except PoiseError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        for fault in read.faults:
            self.report({"WARNING"}, fault)
        takes = show_takes(context, read.takes, self.start, self.layout_name, self.extend_range)
        if self.solve:
            from ..rig.takes.labels import may_be_solved

            for take in takes:
                if not may_be_solved(take):
                    self.report({"WARNING"}, _UNFIT.format(take=take.name))
            solve_takes(self, context, self.requests(context, [take for take in takes if may_be_solved(take)], rig))
        else:
            names = ", ".join(take.name for take in takes)
            self.report({"INFO"}, told("{names}: imported; press Solve Take in the tab Poise Mocap", names=names))
        return {"FINISHED"}

    def _paths(self) -> list[Path]:
        if self.files and any(element.name for element in self.files):
            folder = Path(bpy.path.abspath(self.directory))
            return [folder / element.name for element in self.files if element.name]
        return [Path(bpy.path.abspath(self.filepath))]


class POISE_FH_c3d(bpy.types.FileHandler):
    bl_idname = "POISE_FH_c3d"
    bl_label = "C3D or TRC motion capture"
    bl_import_operator = "poise.import_c3d"
    bl_file_extensions = ".c3d;.trc"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"


def _menu(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.operator(POISE_OT_import_c3d.bl_idname, text="Motion Capture (.c3d, .trc)")


_CLASSES = (POISE_OT_import_c3d, POISE_FH_c3d)
_register_classes, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def register() -> None:
    _register_classes()
    bpy.types.TOPBAR_MT_file_import.append(_menu)


def unregister() -> None:
    bpy.types.TOPBAR_MT_file_import.remove(_menu)
    _unregister_classes()
