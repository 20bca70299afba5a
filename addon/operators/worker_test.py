# SPDX-License-Identifier: GPL-3.0-or-later
"""Test Worker: what the chosen interpreter has to compute with, and how fast it is, asked of the worker process."""

from typing import TYPE_CHECKING

import bpy

from ...vendor_core.errors import PoiseError
from ..preferences import preferences
from ..worker import jobs
from ..worker import report as worker_report
from ..worker.report import WorkerReport, lines_of
from .job import BUSY, JobFollower, follow

if TYPE_CHECKING:
    from ...vendor_core.frames import Message


class POISE_OT_test_worker(bpy.types.Operator):
    """Start the worker with these settings, time a solve in it, and say what it computes with"""

    bl_idname = "poise.test_worker"
    bl_label = "Test Worker"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if jobs.state.running:
            cls.poll_message_set(BUSY)  # type: ignore[attr-defined]
        return not jobs.state.running

    def execute(self, context: bpy.types.Context) -> set[str]:
        chosen = preferences(context)
        settings = chosen.worker_python, chosen.device
        try:
            jobs.close()  # a fresh process: the test is of its start, too
            jobs.start(
                settings[0], "Testing the worker", "test", {"device": settings[1]},
                lambda _context, message: _note(settings, message),
            )  # fmt: skip
            return follow(self, context, bpy.ops.poise.follow_test)
        except PoiseError as problem:
            _note_failure(context, problem)
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}


class POISE_OT_follow_test(JobFollower, bpy.types.Operator):
    """Wait for the worker that is being tested, without holding up Blender"""

    bl_idname = "poise.follow_test"
    bl_label = "Test Worker"
    bl_options = {"INTERNAL"}

    def fail(self, context: bpy.types.Context, problem: PoiseError) -> None:
        _note_failure(context, problem)
        super().fail(context, problem)

    def redraw(self, context: bpy.types.Context) -> None:
        for window in context.window_manager.windows:
            for area in window.screen.areas:
                if area.type == "PREFERENCES":
                    area.tag_redraw()


def _note(settings: tuple[str, str], message: "Message") -> str:
    jobs.require_result(message, "Test of the worker:")
    lines = lines_of(message.data, own=not settings[0])
    worker_report.note(WorkerReport(settings, lines))
    return lines[-1]


def _note_failure(context: bpy.types.Context, problem: PoiseError) -> None:
    chosen = preferences(context)
    worker_report.note(WorkerReport((chosen.worker_python, chosen.device), (str(problem),), failed=True))


_CLASSES = (POISE_OT_test_worker, POISE_OT_follow_test)
_register_classes, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def register() -> None:
    _register_classes()


def unregister() -> None:
    worker_report.note(None)
    _unregister_classes()
