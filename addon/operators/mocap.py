# SPDX-License-Identifier: GPL-3.0-or-later
"""Import C3D: a take is solved in the worker process while Blender stays alive, then keyed in one go."""

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty
from bpy_extras.io_utils import ImportHelper

from ...vendor_core.errors import PoiseError
from ..bodies import body_file
from ..preferences import preferences
from ..take_import import TakeRequest, trimmed, write_take
from ..worker import jobs
from .common import rig_of
from .job import BUSY, Job, JobFollower, JobOperator


class POISE_OT_import_c3d(JobOperator, bpy.types.Operator, ImportHelper):
    """Solve the markers of a C3D or TRC take and key the motion on a body"""

    bl_idname = "poise.import_c3d"
    bl_label = "Import C3D"
    bl_options = {"PRESET"}

    follower = "follow_import"
    filename_ext = ".c3d"
    filter_glob: StringProperty(default="*.c3d;*.trc", options={"HIDDEN"})  # type: ignore[valid-type]
    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]  # never the last one
    target: EnumProperty(  # type: ignore[valid-type]
        name="Onto",
        description="The body that gets the motion",
        items=(
            ("NEW", "New Body", "A new default body"),
            ("ACTIVE", "Active Body", "The body that is active or selected; its present action is kept"),
        ),
    )
    layout_name: EnumProperty(  # type: ignore[valid-type]
        name="Markers",
        description="What the labels of the markers mean",
        items=(
            ("auto", "Automatic", "The layout that fits the labels best"),
            ("CMU41", "CMU 41", "Carnegie Mellon's 41 markers"),
            ("PlugInGait39", "Plug-in Gait 39", "Vicon's full body"),
            ("PlugInGait35", "Plug-in Gait 35", "Vicon's full body without some of the arms' markers"),
            ("QualisysIOR", "Qualisys IOR", "Istituto Ortopedico Rizzoli's, as Qualisys names them"),
            ("HelenHayes", "Helen Hayes", "Motion Analysis's full body"),
            ("OptiTrackBaseline41", "OptiTrack Baseline 41", "Motive's full body"),
            ("OptiTrackBiomech57", "OptiTrack Biomech 57", "Motive's, with Van Sint Jan's names"),
        ),
    )
    fit_shape: BoolProperty(  # type: ignore[valid-type]
        name="Fit Shape", description="Give the body the size and shape of the person in the take", default=True
    )
    rate: EnumProperty(  # type: ignore[valid-type]
        name="Frame Rate",
        description="How the take's rate meets the scene's; its speed stays in both cases",
        items=(
            ("SCENE", "Scene", "A key on every frame of the scene"),
            ("SUBFRAMES", "Take", "Every frame of the take, as keys between the scene's frames"),
        ),
    )
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
    add_markers: BoolProperty(  # type: ignore[valid-type]
        name="Add Markers", description="Also add the take's markers, as animated empties", default=False
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if jobs.state.running:
            cls.poll_message_set(BUSY)
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.properties.is_property_set("filepath"):  # a file was dropped: only the settings are to be asked for
            return context.window_manager.invoke_props_dialog(self, confirm_text="Import C3D")  # type: ignore[return-value]
        return super().invoke(context, event)  # type: ignore[return-value]

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for names in (("target", "layout_name", "fit_shape"), ("rate", "start", "trim_start", "trim_end"),
                      ("extend_range", "add_markers")):  # fmt: skip
            column = layout.column(align=len(names) > 3)
            for name in names:
                column.prop(self, name)

    def job(self, context: bpy.types.Context) -> Job:
        request, params = self._prepare(context)
        title = f"Solving {request.path.name}"
        return Job(title, "solve", params, lambda context, message: write_take(context, request, message))

    def _prepare(self, context: bpy.types.Context) -> tuple[TakeRequest, dict[str, Any]]:
        path = Path(bpy.path.abspath(self.filepath))
        first, last = trimmed(path, self.trim_start, self.trim_end)
        render = context.scene.render
        fps = render.fps / render.fps_base
        rig, body, betas = None, None, []
        if self.target == "ACTIVE":
            from ..rig.keying.actions import require_free_action
            from ..rig.pose import read_rig

            rig = rig_of(context)
            read_rig(rig)
            require_free_action(rig)
            body = body_file(rig)
            if self.fit_shape and "poise_body" in rig and not rig.visible_get():
                raise PoiseError(f'"{rig.name}" is hidden and cannot get a new shape: unhide it, or turn Fit Shape off')
            betas = [item.value for item in rig.poise.betas]
        params = {
            "take": str(path), "layout": self.layout_name, "body": body, "betas": None if self.fit_shape else betas,
            "fps": fps if self.rate == "SCENE" else None, "first": first, "last": last,
            "device": preferences(context).device,
        }  # fmt: skip
        return TakeRequest(
            path=path,
            scene=context.scene.name,
            rig=rig.name if rig is not None else None,
            body=body,
            fit_shape=self.fit_shape,
            start=self.start,
            fps=fps,
            markers=self.add_markers,
            extend_range=self.extend_range,
        ), params


class POISE_OT_follow_import(JobFollower, bpy.types.Operator):
    """Wait for the take that is being solved, without holding up Blender"""

    bl_idname = "poise.follow_import"
    bl_label = "Import C3D"
    bl_options = {"INTERNAL", "UNDO"}


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


_CLASSES = (POISE_OT_import_c3d, POISE_OT_follow_import, POISE_FH_c3d)
_register_classes, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def register() -> None:
    _register_classes()
    bpy.types.TOPBAR_MT_file_import.append(_menu)


def unregister() -> None:
    bpy.types.TOPBAR_MT_file_import.remove(_menu)
    _unregister_classes()
