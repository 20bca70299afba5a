# SPDX-License-Identifier: GPL-3.0-or-later
"""Following a job of the worker process while Blender stays alive: progress, Esc, and its result in one undo step."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy

from ...vendor_core.errors import Cancelled, PoiseError
from ..preferences import preferences
from ..worker import jobs
from .common import over_view, redraw_sidebars

if TYPE_CHECKING:
    import numpy as np

    from ...vendor_core.frames import Message

BUSY = "Another job is running; wait for it or cancel it"
_TICK = 0.05  # seconds between two looks at the worker
_BAR = 14  # width of the progress in the status bar, in units of its height
_timer: bpy.types.Timer | None = None  # of the module, so that disabling the add-on finds it


@dataclass(frozen=True)
class Job:
    """What the worker is to do, and what becomes of its answer."""

    title: str
    name: str  # in the worker
    params: dict[str, Any]
    write: "Callable[[bpy.types.Context, Message], str]"  # holds names, no data-blocks; see `jobs.start`
    arrays: "dict[str, np.ndarray] | None" = None


class JobOperator:
    """An operator that has the worker do a job, and its result written when it is there."""

    follower: str  # the operator that waits for it: a `JobFollower`

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            job = self.job(context)
            jobs.start(preferences(context).worker_python, job.title, job.name, job.params, job.write, job.arrays)
            return follow(self, context, getattr(bpy.ops.poise, self.follower))  # type: ignore[arg-type]
        except PoiseError as problem:
            self.report({"ERROR"}, str(problem))  # type: ignore[attr-defined]
            return {"CANCELLED"}

    def job(self, context: bpy.types.Context) -> Job:
        """Read the scene.

        Raises:
            PoiseError: there is nothing to do.
        """
        raise NotImplementedError


def follow(operator: bpy.types.Operator, context: bpy.types.Context, follower: Callable[..., object]) -> set[str]:
    """See a job through that was just started: by a modal operator, or at once where there is no window.

    Args:
        operator: that started it.
        context: its context.
        follower: the modal one, a `JobFollower`.

    Raises:
        PoiseError: without a window: the job failed.
    """
    if bpy.app.background:
        operator.report({"INFO"}, jobs.finish(context, _wait()))
    else:
        follower("INVOKE_DEFAULT")
    return {"FINISHED"}


class JobFollower:
    """A modal operator that waits for the running job; its label names the undo step of what the job changes."""

    _shown = ""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        global _timer
        _timer = context.window_manager.event_timer_add(_TICK, window=context.window)
        context.window_manager.modal_handler_add(self)  # type: ignore[arg-type]
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC" and event.value == "PRESS" and over_view(context, event):
            jobs.cancel()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            message = jobs.poll()
            if message is None:
                self._show(context)
                return {"PASS_THROUGH"} if jobs.state.running else self._end(context, {"CANCELLED"})
            self.report({"INFO"}, jobs.finish(context, message))  # type: ignore[attr-defined]
        except PoiseError as problem:
            self.fail(context, problem)
            return self._end(context, {"CANCELLED"})
        return self._end(context, {"FINISHED"})

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender closes the file or itself: the job goes with it."""
        jobs.close()
        self._end(context, set())

    def fail(self, context: bpy.types.Context, problem: PoiseError) -> None:
        """Say why there is no result."""
        self.report({"WARNING" if isinstance(problem, Cancelled) else "ERROR"}, str(problem))  # type: ignore[attr-defined]

    def _show(self, context: bpy.types.Context) -> None:
        state = jobs.state
        now = f"{state.fraction:.2f} {state.text} {state.left_text()}"
        if now != self._shown and context.workspace is not None:
            self._shown = now
            context.workspace.status_text_set(_draw_status)  # type: ignore[arg-type]  # a function, too
            self.redraw(context)

    def redraw(self, context: bpy.types.Context) -> None:
        """Draw anew where the progress and the result are shown."""
        redraw_sidebars(context)

    def _end(self, context: bpy.types.Context, result: set[str]) -> set[str]:
        _stop_timer()
        if context.workspace is not None:
            context.workspace.status_text_set(None)
        self.redraw(context)
        return result


def _draw_status(header: bpy.types.Header, context: bpy.types.Context) -> None:
    """The status bar while a job runs."""
    state, row = jobs.state, header.layout.row()
    row.label(text=state.title)
    bar = row.row(align=True)
    bar.ui_units_x = _BAR
    bar.progress(factor=state.fraction, text=state.text)
    bar.operator("poise.cancel_job", text="", icon="CANCEL")
    row.label(text=state.left_text())
    row.label(text="Cancel", icon="EVENT_ESC")


class POISE_OT_cancel_job(bpy.types.Operator):
    """Stop the running job; nothing is changed"""

    bl_idname = "poise.cancel_job"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not jobs.state.running:
            cls.poll_message_set("No job is running")  # type: ignore[attr-defined]
        return jobs.state.running

    def execute(self, context: bpy.types.Context) -> set[str]:
        jobs.cancel()
        return {"FINISHED"}


def _stop_timer() -> None:
    global _timer
    if _timer is not None:
        bpy.context.window_manager.event_timer_remove(_timer)
    _timer = None


def _wait() -> "Message":
    while True:
        message = jobs.poll()
        if message is not None:
            return message
        time.sleep(0.02)


def register() -> None:
    bpy.utils.register_class(POISE_OT_cancel_job)


def unregister() -> None:
    if jobs.state.running:
        for workspace in bpy.data.workspaces:
            workspace.status_text_set(None)
    jobs.close()
    _stop_timer()
    bpy.utils.unregister_class(POISE_OT_cancel_job)
