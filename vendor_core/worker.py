# SPDX-License-Identifier: Apache-2.0
"""The worker process: takes jobs from standard input, answers on standard output, one job at a time.

`python -m vendor_core worker`, with the messages of `frames`:

    to the worker   {"type": "run", "id", "job", "params"} and arrays    {"type": "cancel", "id"}
    from it         {"type": "hello", "version", "python", "numpy", "device"}
                    {"type": "progress", "id", "fraction", "text"}    {"type": "result", "id", "data"} and arrays
                    {"type": "error", "id", "message"}    {"type": "cancelled", "id"}

A job finds its arrays among its params. A thread reads standard input while the main thread computes. The end of the
input ends the process at once, so no worker outlives Blender. A fault of the program ends the process, its traceback on
standard error; the client says so.
"""

import os
import platform
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NoReturn

import numpy as np

from . import __version__
from .errors import Cancelled, PoiseError
from .frames import FrameError, FrameReader, Message, pack

_PIECE = 1 << 16
_QUIET = 0.05  # seconds between two progress messages


Jobs = Mapping[
    str, Callable[[dict[str, Any], Callable[[float, str], None]], tuple[dict[str, Any], dict[str, np.ndarray]]]
]


def main(jobs: Jobs | None = None) -> NoReturn:
    """Serve until standard input ends (this then leaves the process without returning).

    Args:
        jobs: by name; those of `jobs.JOBS` where None.
    """
    # The messages keep standard output to themselves; whatever is printed goes to standard error.
    pipe = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    worker = _Worker(pipe)
    worker.greet()
    if jobs is None:
        from .jobs import JOBS  # takes longer than a greeting should

        jobs = JOBS
    worker.serve(jobs)


class _Worker:
    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._waiting: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._cancelled: set[int] = set()

    def greet(self) -> None:
        """Say hello and begin to listen."""
        device = f"CPU (NumPy {np.__version__})"
        python = platform.python_version()
        self._send(
            {"type": "hello", "version": __version__, "python": python, "numpy": np.__version__, "device": device}
        )
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    def serve(self, jobs: Jobs) -> NoReturn:
        while True:
            self._run(jobs, self._waiting.get())

    def _read(self) -> None:
        """Pass messages on as they come; leave the process when there will be no more."""
        reader = FrameReader()
        while piece := os.read(sys.stdin.fileno(), _PIECE):
            try:
                messages = reader.feed(piece)
            except FrameError as error:
                print(error, file=sys.stderr, flush=True)
                os._exit(2)
            for message in messages:
                if message.type == "cancel":
                    self._cancelled.add(message.id or 0)
                else:
                    self._waiting.put(message)
        os._exit(0)

    def _run(self, jobs: Jobs, message: Message) -> None:
        number, job = message.id or 0, message.fields.get("job")
        report = _Report(self, number)
        try:
            if message.type != "run" or not isinstance(job, str) or job not in jobs:
                raise PoiseError(f"No job is called {job!r}; expected one of: {', '.join(jobs)}")
            report.check()
            data, arrays = jobs[job]({**message.fields.get("params", {}), **message.arrays}, report)
            report.check()
            self._send({"type": "result", "id": number, "data": data}, arrays)
        except Cancelled:
            self._send({"type": "cancelled", "id": number})
        except PoiseError as error:
            self._send({"type": "error", "id": number, "message": " ".join(str(error).split())})
        finally:
            self._cancelled.discard(number)

    def is_cancelled(self, number: int) -> bool:
        return number in self._cancelled

    def progress(self, number: int, fraction: float, text: str) -> None:
        self._send({"type": "progress", "id": number, "fraction": fraction, "text": text})

    def _send(self, fields: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> None:
        self._pipe.write(pack(fields, arrays))
        self._pipe.flush()


class _Report:
    """What a job calls as it goes on: passes progress on, now and then, and ends a cancelled job."""

    def __init__(self, worker: _Worker, number: int) -> None:
        self._worker = worker
        self._number = number
        self._text = ""
        self._sent = 0.0

    def check(self) -> None:
        if self._worker.is_cancelled(self._number):
            raise Cancelled("Cancelled")

    def __call__(self, fraction: float, text: str) -> None:
        self.check()
        now = time.monotonic()
        if text != self._text or now - self._sent > _QUIET:
            self._text, self._sent = text, now
            self._worker.progress(self._number, min(max(float(fraction), 0.0), 1.0), text)
