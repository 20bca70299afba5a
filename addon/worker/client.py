# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's end of the worker process: starts it, sends it a job, asks it for news. Knows no bpy, blocks never.

A timer of the operator calls `poll`; there are no threads in Blender's process.
"""

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ...vendor_core.errors import PoiseError
from ...vendor_core.frames import FrameError, FrameReader, Message, pack

if TYPE_CHECKING:
    import numpy as np

ROOT = Path(__file__).resolve().parents[2]
"""The extension's folder, which holds vendor_core and the bundled wheels."""

_LAUNCH = """
import os, runpy, sys
if hasattr(os, "nice"):
    os.nice(5)  # whoever draws Blender's window goes first
root, *wheels = sys.argv[1:]
sys.path.insert(0, root)
sys.path.extend(wheels)
sys.argv = ["vendor_core", "worker"]
runpy.run_module("vendor_core", run_name="__main__", alter_sys=True)
"""
_EXPECTED = "expected a Python 3.11 or later with NumPy: see Worker in the add-on's preferences"
_PATIENCE = 0.1  # seconds that a cancelled job may take to stop by itself
_GREETING = 60.0  # seconds that an interpreter may take to start: a cold disk is slow
_PIECE = 1 << 20


class WorkerDied(PoiseError):
    """The worker process ended, or could not be started; the message is one line."""


class WorkerClient:
    """One worker process, started when the first job needs it and again after it died."""

    def __init__(self, python: str | Path = sys.executable, root: Path = ROOT) -> None:
        """
        Args:
            python: the interpreter to run; Blender's own, or one of the user's. It needs NumPy.
            root: the folder of the package `vendor_core`, with the bundled wheels in `wheels` beside it. They come
                last in the worker's search path, so an interpreter's own packages go first.
        """
        self._python = str(python)
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self._killed: list[subprocess.Popen[bytes]] = []  # and not known to have ended
        self._reader = FrameReader()
        self._log: IO[bytes] | None = None
        self._numbers = itertools.count(1)
        self._unsent = b""  # until the worker has said hello: it does not read before, and a full pipe would block
        self._job: int | None = None
        self._deadline: float | None = None
        self._started = 0.0
        self.hello: dict[str, Any] = {}
        """What the worker said of itself: version, python, numpy, device. Empty until it did."""

    @property
    def busy(self) -> bool:
        """Whether a job's end is still to come."""
        return self._job is not None

    def start(self) -> None:
        """Start the process, if it does not run.

        Raises:
            WorkerDied: the interpreter cannot be run.
        """
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        wheels = sorted(str(path) for path in (self._root / "wheels").glob("*.whl"))
        command = [self._python, "-I", "-c", _LAUNCH, str(self._root), *wheels]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        flags = 0
        if os.name == "nt":
            flags = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS  # pyright: ignore[reportAttributeAccessIssue]
        try:
            self._process = subprocess.Popen(
                command, 0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, creationflags=flags
            )
        except OSError as problem:
            why = problem.strerror or problem
            raise WorkerDied(f"{self._python} cannot be run ({why}); {_EXPECTED}") from None
        self._started = time.monotonic()
        if os.name != "nt":
            os.set_blocking(self._stdout(), False)
        self._reader = FrameReader()

    def run(self, job: str, params: dict[str, Any], arrays: "Mapping[str, np.ndarray] | None" = None) -> int:
        """Send a job to the worker, which is started if need be; the job's number.

        Args:
            job: its name.
            params: its parameters, as JSON takes them.
            arrays: more of them.

        Raises:
            WorkerDied: the worker cannot be started or does not listen.
            PoiseError: a job is still running.
        """
        if self.busy:
            raise PoiseError("A job is still running; wait for its end or cancel it")
        self.start()
        self._job, self._deadline = next(self._numbers), None
        self._send({"type": "run", "id": self._job, "job": job, "params": params}, arrays)
        return self._job

    def cancel(self) -> None:
        """Ask the running job to stop. Its `cancelled` message comes within 0.3 s: a deaf worker is killed."""
        if self.busy and self._deadline is None:
            self._deadline = time.monotonic() + _PATIENCE
            self._send({"type": "cancel", "id": self._job})

    def poll(self) -> list[Message]:
        """The messages that have come since the last call; never waits.

        The last one of a job is its `result`, `error` or `cancelled`.

        Raises:
            WorkerDied: the process ended or sends garbage; the running job is lost and the next `run` starts anew.
        """
        if self._process is None:
            return []
        try:
            piece, ended = _read_waiting(self._stdout())
            messages = self._reader.feed(piece)
        except FrameError as error:
            raise self._died("The worker process sent garbage", str(error)) from None
        for message in messages:
            self._note(message)
        self._flush()
        if ended and not messages:
            raise self._died("The worker process ended unexpectedly")
        if not self.hello and time.monotonic() - self._started > _GREETING:
            raise self._died("The worker process is silent", f"no answer within {_GREETING:.0f} s")
        if self._deadline is not None and time.monotonic() > self._deadline:
            cancelled = Message({"type": "cancelled", "id": self._job})
            self.close()
            return [*messages, cancelled]
        return messages

    def close(self) -> None:
        """End the process, at once if it is busy."""
        process, log = self._process, self._log
        self._process, self._log, self._job, self._deadline, self.hello = None, None, None, None, {}
        self._unsent = b""
        if process is not None and process.stdin and process.stdout:
            process.stdin.close()  # the worker leaves when its input ends
            process.kill()
            process.stdout.close()
            self._killed.append(process)
        self._killed = [process for process in self._killed if process.poll() is None]  # waiting would hold up Blender
        if log is not None:
            log.close()

    def _note(self, message: Message) -> None:
        if message.type == "hello":
            self.hello = message.fields
        elif message.id == self._job and message.type in ("result", "error", "cancelled"):
            self._job = self._deadline = None

    def _send(self, fields: dict[str, Any], arrays: "Mapping[str, np.ndarray] | None" = None) -> None:
        self._unsent += pack(fields, arrays)
        self._flush()

    def _flush(self) -> None:
        if not self._unsent or not self.hello or self._process is None:
            return
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(self._unsent)
            self._unsent = b""
        except OSError:
            raise self._died("The worker process does not listen") from None

    def _stdout(self) -> int:
        assert self._process is not None and self._process.stdout is not None
        return self._process.stdout.fileno()

    def _died(self, what: str, how: str = "") -> WorkerDied:
        """End the process; what to tell the user, who chose the interpreter where it never got as far as a greeting."""
        greeted, how = bool(self.hello), how or self._last_words()
        self.close()
        if greeted:
            return WorkerDied(f"{what}: {how}. Run it again; a new worker starts by itself")
        return WorkerDied(f"{self._python} does not serve as a worker: {how}; {_EXPECTED}")

    def _last_words(self) -> str:
        """How the process ended: the last line it printed to standard error, or its exit status."""
        assert self._process is not None and self._log is not None
        try:
            status = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return "it closed its output"
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return last[:300].rstrip(".") or (f"signal {-status}" if status < 0 else f"exit status {status}")


def _read_waiting(fd: int) -> tuple[bytes, bool]:
    """What waits in a non-blocking pipe, and whether its other end is closed."""
    if os.name == "nt":
        return _read_waiting_on_windows(fd)
    pieces = []
    while True:
        try:
            piece = os.read(fd, _PIECE)
        except BlockingIOError:
            return b"".join(pieces), False
        if not piece:
            return b"".join(pieces), True
        pieces.append(piece)


def _read_waiting_on_windows(fd: int) -> tuple[bytes, bool]:
    """As `_read_waiting`; pipes cannot be made non-blocking there, so it asks first how much there is."""
    import ctypes
    import msvcrt

    waiting = ctypes.c_ulong(0)
    handle = ctypes.c_void_p(msvcrt.get_osfhandle(fd))  # pyright: ignore[reportAttributeAccessIssue]
    peek = ctypes.windll.kernel32.PeekNamedPipe  # pyright: ignore[reportAttributeAccessIssue]
    if not peek(handle, None, 0, None, ctypes.byref(waiting), None):
        return b"", True
    return (os.read(fd, waiting.value) if waiting.value else b""), False
