# SPDX-License-Identifier: GPL-3.0-or-later
"""The one long job that may run in the worker process, and what it says of itself to the panel."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy

from ..vendor_core.errors import PoiseError

if TYPE_CHECKING:
    from ..vendor_core.frames import Message
    from .worker_client import WorkerClient


@dataclass
class JobState:
    """What the panel and the status bar show."""

    title: str = ""
    text: str = ""
    fraction: float = 0.0
    running: bool = False


state = JobState()
_client: "WorkerClient | None" = None
_python = ""


def start(python: str, title: str, job: str, params: dict[str, Any]) -> None:
    """Send a job to the worker.

    Args:
        python: the interpreter that the user named, or the empty text for Blender's own.
        title: for the panel.
        job: its name in the worker.
        params: its parameters.

    Raises:
        PoiseError: a job is running, or the worker cannot be started.
    """
    global _client, _python
    from .worker_client import WorkerClient

    if _client is None or python != _python:
        close()
        _client, _python = WorkerClient(bpy.path.abspath(python)) if python else WorkerClient(), python
    _client.run(job, params)
    state.title, state.text, state.fraction, state.running = title, "Starting", 0.0, True


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
            state.fraction, state.text = float(message.fields["fraction"]), str(message.fields["text"])
        elif message.type in ("result", "error", "cancelled"):
            state.running = False
            return message
    return None


def cancel() -> None:
    """Ask the running job to stop; `poll` tells when it has."""
    if _client is not None and state.running:
        state.text = "Cancelling"
        _client.cancel()


def close() -> None:
    """End the worker process, and with it any job."""
    global _client
    if _client is not None:
        _client.close()
    _client, state.running = None, False
