# SPDX-License-Identifier: GPL-3.0-or-later
"""Import C3D: a take is solved in the worker process while Blender stays alive, then keyed in one go."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty
from bpy_extras.io_utils import ImportHelper

from ...vendor_core.errors import PoiseError
from .. import jobs
from ..preferences import preferences
from .body import add_default_body
from .common import find_rig, is_rig

if TYPE_CHECKING:
    from ...vendor_core.frames import Message

_TICK = 0.1  # seconds between two looks at the worker
_SAME_BODY = 1e-4  # metres: rest joints nearer than this are the same


@dataclass(frozen=True)
class _Request:
    """What an import was asked for. Names instead of data-blocks: they outlive undo while the job runs."""

    path: Path
    scene: str
    rig: str | None  # None for a new body
    body: str | None  # file of the body that is solved on; None for the default one
    fit_shape: bool
    start: int
    fps: float  # of the scene
    markers: bool
    extend_range: bool


_request: _Request | None = None


class POISE_OT_import_c3d(bpy.types.Operator, ImportHelper):
    """Solve the markers of a C3D take and key the motion on a body"""

    bl_idname = "poise.import_c3d"
    bl_label = "Import C3D"
    bl_options = {"PRESET"}

    filename_ext = ".c3d"
    filter_glob: StringProperty(default="*.c3d", options={"HIDDEN"})  # type: ignore[valid-type]
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
            cls.poll_message_set("Another take is being solved; wait for it or cancel it")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return self.invoke_popup(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for names in (("target", "layout_name", "fit_shape"), ("rate", "start", "trim_start", "trim_end"),
                      ("extend_range", "add_markers")):  # fmt: skip
            column = layout.column(align=len(names) > 3)
            for name in names:
                column.prop(self, name)

    def execute(self, context: bpy.types.Context) -> set[str]:
        global _request
        try:
            _request, params = self._prepare(context)
            jobs.start(preferences(context).worker_python, f"Solving {_request.path.name}", "solve", params)
            if bpy.app.background:
                _finish(context, _wait())
        except PoiseError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        if not bpy.app.background:
            bpy.ops.poise.follow_job("INVOKE_DEFAULT")
        return {"FINISHED"}

    def _prepare(self, context: bpy.types.Context) -> tuple[_Request, dict[str, Any]]:
        path = Path(bpy.path.abspath(self.filepath))
        first, last = _trimmed(path, self.trim_start, self.trim_end)
        render = context.scene.render
        fps = render.fps / render.fps_base
        rig, body, shape = None, None, "auto" if self.fit_shape else "none"
        if self.target == "ACTIVE":
            rig = find_rig(context)
            if not is_rig(rig):
                raise PoiseError("No body is active; expected an armature of the SMPL family: select one")
            from ..rig.pose import read_rig

            read_rig(rig)
            body = _body_file(rig)
            if not self.fit_shape and any(item.value for item in rig.poise.betas):
                shape = _shape_file(rig, is_default=body is None)
        params = {
            "take": str(path), "layout": self.layout_name, "body": body, "prior": None, "shape": shape,
            "fps": fps if self.rate == "SCENE" else None, "first": first, "last": last,
        }  # fmt: skip
        return _Request(
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


class POISE_OT_follow_job(bpy.types.Operator):
    """Wait for the take that is being solved, without holding up Blender"""

    bl_idname = "poise.follow_job"
    bl_label = "Import C3D"
    bl_options = {"INTERNAL", "UNDO"}

    _timer: bpy.types.Timer | None = None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._timer = context.window_manager.event_timer_add(_TICK, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC" and event.value == "PRESS":
            jobs.cancel()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            message = jobs.poll()
            if message is None:
                self._show(context)
                return {"RUNNING_MODAL"} if jobs.state.running else self._end(context, {"CANCELLED"})
            _finish(context, message)
        except PoiseError as problem:
            self.report({"ERROR"}, str(problem))
            return self._end(context, {"CANCELLED"})
        self.report({"INFO"}, f"{jobs.state.title}: done")
        return self._end(context, {"FINISHED"})

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender closes the file or itself: the job goes with it."""
        jobs.close()
        self._end(context, set())

    def _show(self, context: bpy.types.Context) -> None:
        state = jobs.state
        line = f"{state.title}   {100 * state.fraction:.0f} %   {state.text}   (Esc cancels)"
        context.workspace.status_text_set(line)
        _redraw(context)

    def _end(self, context: bpy.types.Context, result: set[str]) -> set[str]:
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        if context.workspace is not None:
            context.workspace.status_text_set(None)
        _redraw(context)
        return result


class POISE_OT_cancel_job(bpy.types.Operator):
    """Stop solving the take; nothing is changed"""

    bl_idname = "poise.cancel_job"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return jobs.state.running

    def execute(self, context: bpy.types.Context) -> set[str]:
        jobs.cancel()
        return {"FINISHED"}


class POISE_FH_c3d(bpy.types.FileHandler):
    bl_idname = "POISE_FH_c3d"
    bl_label = "C3D motion capture"
    bl_import_operator = "poise.import_c3d"
    bl_file_extensions = ".c3d"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"


def _trimmed(path: Path, seconds_start: float, seconds_end: float) -> tuple[int, int | None]:
    """First and last frame of the source to solve; the file is only read here where something is cut off.

    Raises:
        PoiseError: no such file, or nothing is left.
    """
    if not path.is_file():
        raise PoiseError(f"{path} does not exist; check the path")
    if seconds_start == 0 and seconds_end == 0:
        return 0, None
    from ...vendor_core.mocap.c3d import read_c3d

    take = read_c3d(path)
    n = len(take.points)
    first, last = round(seconds_start * take.rate), n - 1 - round(seconds_end * take.rate)
    if first > last:
        raise PoiseError(f"{path.name} lasts {n / take.rate:.2f} s; trimming leaves nothing of it: trim less")
    return first, last


def _body_file(rig: bpy.types.Object) -> str | None:
    """The file of the body that the rig was made from; None for the default body and for rigs made elsewhere."""
    source = rig.get("poise_body", "default")
    if source == "default":
        return None
    if not Path(source).is_file():
        raise PoiseError(f'The file of the body "{rig.name}", {source}, is gone; put it back or import onto a new body')
    return source


def _shape_file(rig: bpy.types.Object, is_default: bool) -> str:
    """A motion file that tells the worker the shape of a body in the scene."""
    import numpy as np

    from ...vendor_core.motion import Motion, write_motion
    from ..rig.shape import current_betas

    path = Path(bpy.app.tempdir) / "poise_shape.npz"
    body_name = "default" if is_default else ""
    write_motion(path, Motion(np.zeros((1, 55, 3)), np.zeros((1, 3)), betas=current_betas(rig), body_name=body_name))
    return str(path)


def _wait() -> "Message":
    while True:
        message = jobs.poll()
        if message is not None:
            return message
        time.sleep(0.02)


def _finish(context: bpy.types.Context, message: "Message") -> None:
    """Write the solved take into the scene.

    Raises:
        PoiseError: the job failed or was cancelled, or the body is gone; nothing is changed then.
    """
    import numpy as np

    from ...vendor_core.body import default_body, load_body
    from ..rig.pose import read_rig
    from ..rig.take import SolvedTake, add_markers, key_take

    request = _request
    assert request is not None
    if message.type == "cancelled":
        raise PoiseError(f"{request.path.name}: import cancelled, nothing was changed")
    if message.type == "error":
        raise PoiseError(str(message.fields.get("message", "the job failed")))
    scene = bpy.data.scenes.get(request.scene)
    if scene is None or scene != context.scene:
        raise PoiseError(f'The scene "{request.scene}" is not open any more; import {request.path.name} again')
    arrays, data = message.arrays, message.data
    take = SolvedTake(
        name=request.path.stem,
        poses=arrays["poses"],
        trans=arrays["trans"],
        betas=arrays["betas"],
        markers=arrays["markers"],
        labels=tuple(data["labels"]),
        rate=float(data["rate"]),
    )
    rig = add_default_body(context) if request.rig is None else bpy.data.objects.get(request.rig)
    if rig is None:
        raise PoiseError(f'The body "{request.rig}" was removed meanwhile; import {request.path.name} again')
    if request.rig is None:
        rig.name = rig.data.name = take.name
    if "poise_body" in rig and request.fit_shape:
        set_sliders(context, rig, take.betas)
    frames = request.start + np.arange(len(take.poses)) * (request.fps / take.rate)
    body = default_body() if request.body is None else load_body(request.body)
    solved_on = body.rest_joints(take.betas)[:22]
    own = read_rig(rig)
    same = np.abs(own.rest_joints() - solved_on).max() < _SAME_BODY
    key_take(rig, own, take, frames, None if same else solved_on)
    if request.markers:
        add_markers(context, take, frames)
    if request.extend_range:
        scene.frame_end = max(scene.frame_end, int(np.ceil(frames[-1])))
        scene.frame_start = min(scene.frame_start, int(np.floor(frames[0])))
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)


def set_sliders(context: bpy.types.Context, rig: bpy.types.Object, betas: Any) -> None:
    """Set the shape sliders of a body made by Poise, and its shape with them."""
    from ..properties import without_updates
    from ..rig.shape import apply_shape, current_betas

    with without_updates():
        for i, item in enumerate(rig.poise.betas):
            item.value = float(betas[i]) if i < len(betas) else 0.0
    apply_shape(context, rig, current_betas(rig))


def _redraw(context: bpy.types.Context) -> None:
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def _menu(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.operator(POISE_OT_import_c3d.bl_idname, text="Motion Capture (.c3d)")


_CLASSES = (POISE_OT_import_c3d, POISE_OT_follow_job, POISE_OT_cancel_job, POISE_FH_c3d)


def register() -> None:
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.TOPBAR_MT_file_import.append(_menu)


def unregister() -> None:
    jobs.close()
    bpy.types.TOPBAR_MT_file_import.remove(_menu)
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
