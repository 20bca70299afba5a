# SPDX-License-Identifier: GPL-3.0-or-later
"""Solve Range Again: a part of a solved take after a fix, in the worker process; the rest stays as it is."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import IntProperty

from ...vendor_core.errors import PoiseError
from ..bodies import body_file
from ..preferences import preferences
from ..prior_choice import source_of
from ..scenes import object_of, opened, scene_with
from ..take_lookup import NO_TAKE, find_take, own_take_of, solved_rig
from ..take_solve import take_params
from ..texts import told
from ..worker import jobs
from .job import BUSY, Job, JobFollower, JobOperator
from .moments import NOT_SOLVED

if TYPE_CHECKING:
    from ...vendor_core.frames import Message

_AROUND = 0.75  # seconds of the take on both sides of what is to be mended
_NEAR = 1.0  # seconds within which a worst moment is the one that is meant


@dataclass(frozen=True)
class _Request:
    """What is being solved. Names instead of data-blocks: they outlive undo while the job runs."""

    take: str
    scene: str
    rig: str
    take_uid: int  # as of `scenes.object_of`
    rig_uid: int
    first: int  # of the take, inclusive
    last: int


class POISE_OT_resolve_range(JobOperator, bpy.types.Operator):
    """Solve a part of the take again, after labels or places were corrected; keys outside the range stay as they are"""

    bl_idname = "poise.resolve_range"
    bl_label = "Solve Range Again"
    bl_options = {"REGISTER"}

    follower = "follow_resolve"
    first: IntProperty(  # type: ignore[valid-type]
        name="First Frame", description="Of the scene; without, the preview range or what is around the present frame",
        options={"SKIP_SAVE"},
    )  # fmt: skip
    last: IntProperty(  # type: ignore[valid-type]
        name="Last Frame", description="Of the scene; it is solved too", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        take = find_take(context)
        why = BUSY if jobs.state.running else NO_TAKE if take is None else _why_not(context, take)
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._set_range(context, own_take_of(context))
        return context.window_manager.invoke_props_dialog(self, confirm_text="Solve")  # type: ignore[return-value]

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column(align=True)
        column.prop(self, "first")
        column.prop(self, "last")

    def job(self, context: bpy.types.Context) -> Job:
        take, scene = own_take_of(context), _scene(context)
        self._set_range(context, take)
        first, last = _frames_between(scene, take, self.first, self.last)
        rig: Any = solved_rig(context, take)  # poll
        request = _Request(take.name, scene.name, rig.name, take.session_uid, rig.session_uid, first, last)
        params, arrays = take_params(take)
        params |= {
            "body": body_file(rig), "calibration": json.loads(take.poise_take.calibration),
            "first": first, "last": last, "device": preferences(context).device, "prior": source_of(scene),
        }  # fmt: skip
        title = f"Solving {take.name}, frames {self.first} to {self.last}"
        return Job(title, "solve", params, lambda context, message: _write(context, request, message), arrays)

    def _set_range(self, context: bpy.types.Context, take: bpy.types.Object) -> None:
        given = self.properties.is_property_set
        if not (given("first") and given("last")):
            self.first, self.last = _meant_range(context, take)


class POISE_OT_follow_resolve(JobFollower, bpy.types.Operator):
    """Wait for the part of a take that is being solved, without holding up Blender"""

    bl_idname = "poise.follow_resolve"
    bl_label = "Solve Range Again"
    bl_options = {"INTERNAL", "UNDO"}


def _scene(context: bpy.types.Context) -> bpy.types.Scene:
    scene: Any = context.scene
    return scene


def _why_not(context: bpy.types.Context, take: bpy.types.Object) -> str:
    """Why no part of a take can be solved again; empty where one can."""
    from ..rig.keying.actions import why_not_writable
    from ..rig.takes.scene import is_timed_as_solved

    data: Any = take.poise_take
    if not data.residual_version or not data.calibration:
        return NOT_SOLVED
    rig = solved_rig(context, take)
    if rig is None:
        return "The body of the take is gone: solve the whole take again"
    action = rig.animation_data.action if rig.animation_data is not None else None
    if action is None:
        return f'The body "{rig.name}" has no action any more: solve the whole take again'
    if action.get("poise_solve") != data.solve:
        return f'The body "{rig.name}" has the action "{action.name}", not that of this take\'s last solve'
    if not is_timed_as_solved(take, _scene(context)):
        return "The take's start or the scene's frame rate has changed since it was solved: solve the whole take again"
    return why_not_writable(rig)


def _meant_range(context: bpy.types.Context, take: bpy.types.Object) -> tuple[int, int]:
    """First and last frame of the scene: the preview range, or what is around a worst moment near the present frame, or
    around that frame itself.
    """
    from ..rig.takes.scene import scene_frame, take_frame
    from ..take_report import report_of

    scene, data = _scene(context), take.poise_take  # type: ignore[attr-defined]
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end
    now, report = take_frame(take, scene), report_of(take)
    near = [m.frame for m in report.worst if abs(m.frame - now) <= _NEAR * data.rate] if report is not None else []
    middle = min(near, key=lambda frame: abs(frame - now)) if near else now
    reach = _AROUND * data.rate
    first, last = max(middle - reach, 0), min(middle + reach, data.frames - 1)
    return round(scene_frame(take, scene, first)), round(scene_frame(take, scene, last))


def _frames_between(scene: bpy.types.Scene, take: bpy.types.Object, first: int, last: int) -> tuple[int, int]:
    """First and last frame of a take that lie between two of the scene.

    Raises:
        PoiseError: none does.
    """
    from math import ceil, floor

    from ..rig.takes.scene import scene_frame, timing

    data: Any = take.poise_take
    begin, step = timing(take, scene)
    low, high = max(0, ceil((first - begin) / step - 1e-6)), min(data.frames - 1, floor((last - begin) / step + 1e-6))
    if low > high:
        end = scene_frame(take, scene, data.frames - 1)
        raise PoiseError(
            f'Frames {first} to {last} hold nothing of "{take.name}"; expected frames between {begin:.0f} and {end:.0f}'
        )
    return low, high


def _write(context: bpy.types.Context, request: _Request, message: "Message") -> str:
    """Write the part into the keys and residuals that are there; a line that sums it up.

    Raises:
        PoiseError: the job failed or was cancelled, or the scene is not what it was; nothing is changed then.
    """
    jobs.require_result(message, f"{request.take}: solving again")
    take, rig = object_of(request.take, request.take_uid), object_of(request.rig, request.rig_uid)
    if take is None or rig is None:
        raise PoiseError(f'"{request.take}" or its body was removed meanwhile; nothing is changed')
    with opened(context, scene_with(take, request.scene)) as inside:
        if solved_rig(inside, take) != rig:
            raise PoiseError(f'"{take.name}" was solved onto another body meanwhile; nothing is changed')
        if why := _why_not(inside, take):
            raise PoiseError(f'"{rig.name}" cannot get the new keys now. {why}')
        return _write_into(_scene(inside), take, rig, request, message)


def _write_into(
    scene: bpy.types.Scene, take: bpy.types.Object, rig: bpy.types.Object, request: _Request, message: "Message"
) -> str:
    from ..rig.takes.mended import note_part
    from ..take_mend import attach_markers, write_part

    n = write_part(scene, take, rig, request.first, message)
    before, after = note_part(take, scene, request.first, request.last, message)
    attach_markers(take, rig)
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    was, now = (told("no marker seen") if value is None else f"{1e3 * value:.1f} mm" for value in (before, after))
    return told("{n} keys solved again: {before} before, {after} now", n=n, before=was, after=now)


_CLASSES = (POISE_OT_resolve_range, POISE_OT_follow_resolve)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
