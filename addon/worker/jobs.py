# SPDX-License-Identifier: GPL-3.0-or-later
"""The one long job that may run in the worker process, and what it says of itself to the panel."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy

from ...vendor_core.errors import Cancelled, PoiseError
from ..texts import shown
from .time_left import TimeLeft

if TYPE_CHECKING:
    import numpy as np

    from ...vendor_core.frames import Message
    from .client import WorkerClient


@dataclass
class JobState:
    """What the panel and the status bar show."""

    job: str = ""  # its name in the worker: each panel shows its own
    title: str = ""
    text: str = ""
    fraction: float = 0.0
    running: bool = False
    cancelling: bool = False
    time_left: TimeLeft | None = None

    def left_text(self) -> str:
        """How long it takes still, for an artist; that it is being found out at first."""
        seconds = self.time_left.seconds(time.monotonic()) if self.time_left is not None else None
        if seconds is None:
            return shown("Time left: not known yet")
        minutes, rest = divmod(seconds, 60)
        if minutes:
            return shown("About {minutes} min {seconds} s left", minutes=minutes, seconds=rest)
        return shown("About {seconds} s left", seconds=rest)


state = JobState()
_client: "WorkerClient | None" = None
_python = ""
_finish: "Finish | None" = None

if TYPE_CHECKING:
    Finish = Callable[[bpy.types.Context, Message], str]


def start(
    python: str,
    title: str,
    job: str,
    params: dict[str, Any],
    finish: "Finish",
    arrays: "Mapping[str, np.ndarray] | None" = None,
) -> None:
    """Send a job to the worker.

    Args:
        python: the interpreter that the user named, or the empty text for Blender's own.
        title: for the panel.
        job: its name in the worker.
        params: its parameters.
        finish: writes the job's last message into the scene and sums it up in a line. It must hold names, no
            data-blocks: undo replaces them while the job runs.
        arrays: more parameters.

    Raises:
        PoiseError: a job is running, or the worker cannot be started.
    """
    global _client, _python, _finish
    from .client import WorkerClient

    if _client is None or python != _python:
        close()
        _client, _python = WorkerClient(bpy.path.abspath(python)) if python else WorkerClient(), python
    _client.run(job, params, arrays)
    _finish = finish
    state.job, state.title, state.text, state.fraction, state.running = job, title, "Starting", 0.0, True
    state.cancelling, state.time_left = False, TimeLeft(time.monotonic())


def poll() -> "Message | None":
    """Note the job's progress; its last message (`result`, `error` or `cancelled`) once it has come.

    Raises:
        WorkerDied: the worker process ended.
    """
    if _client is None:
        return None
    try:
        messages = _client.poll()
    except PoiseError:
        state.running = False
        raise
    for message in messages:
        if message.type == "progress":
            state.fraction, text = float(message.fields["fraction"]), str(message.fields["text"])
            if state.time_left is not None:
                state.time_left.note(state.fraction, time.monotonic())
            state.text = state.text if state.cancelling else text
        elif message.type in ("result", "error", "cancelled"):
            state.running = False
            return message
    return None


def finish(context: bpy.types.Context, message: "Message") -> str:
    """Write what the job found into the scene; a line that sums it up.

    Raises:
        PoiseError: the job failed or was cancelled, or the scene is not what it was; nothing is changed then.
    """
    assert _finish is not None
    return _finish(context, message)


def require_result(message: "Message", what: str) -> None:
    """Go on only where a job has a result.

    Raises:
        PoiseError: it failed; Cancelled: it was cancelled.
    """
    if message.type == "cancelled":
        raise Cancelled(f"{what} cancelled, nothing was changed")
    if message.type == "error":
        raise PoiseError(str(message.fields.get("message", "the job failed")))


def cancel() -> None:
    """Ask the running job to stop; `poll` tells when it has."""
    if _client is not None and state.running:
        state.text, state.cancelling = "Cancelling", True
        _client.cancel()


def close() -> None:
    """End the worker process, and with it any job."""
    global _client
    if _client is not None:
        _client.close()
    _client, state.running = None, False
