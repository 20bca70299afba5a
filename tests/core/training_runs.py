# SPDX-License-Identifier: Apache-2.0
"""Trainings in processes of their own, followed step by step: to be killed at any of them, or to share the work."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import matplotlib.figure  # noqa: F401 - so that the server has it
import torch
import torch._inductor  # torch imports it for deterministic algorithms

from vendor_core.training.train_prior import train_prior

# Forked from a server that has imported torch and never computed: a second each otherwise.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.core.training_runs"])


def start(pipe: Connection, environment: dict[str, str], arguments: dict[str, Any]) -> None:
    """Train, and send ("step", text), ("said", text) as it goes, ("done", result) or ("stopped", why) at the end."""
    os.environ.update(environment)
    torch.set_num_threads(1)
    try:
        result = train_prior(
            report=lambda _done, text: pipe.send(("step", text)),
            say=lambda text: pipe.send(("said", text)),
            **arguments,
        )
    except KeyboardInterrupt as stop:
        pipe.send(("stopped", str(stop)))
    else:
        pipe.send(("done", result))


class Run:
    """A training under way; `data`, `out` and so on are those of `train_prior`."""

    def __init__(self, environment: dict[str, str] | None = None, **arguments: Any):
        self.ear, mouth = CONTEXT.Pipe(duplex=False)
        self.process = CONTEXT.Process(target=start, args=(mouth, environment or {}, arguments), daemon=True)
        self.process.start()
        mouth.close()
        self.said: list[str] = []

    def told(self) -> Iterator[tuple[str, Any]]:
        """What it sends, to its end; what it says is kept too."""
        while True:
            try:
                kind, what = self.ear.recv()
            except EOFError:
                return
            if kind == "said":
                self.said.append(what)
            yield kind, what

    def kill_at(self, words: str, later: float = 0.0) -> None:
        """SIGKILL so many seconds after a line of its progress begins like that."""
        self._await(words)
        time.sleep(later)
        self.process.kill()
        self.process.join()

    def stop_at(self, words: str, how: signal.Signals) -> str:
        """A signal that asks it to stop when a line of its progress begins like that; how it ends."""
        self._await(words)
        assert self.process.pid is not None
        os.kill(self.process.pid, how)
        ends = [what for kind, what in self.told() if kind == "stopped"]
        self.process.join()
        assert len(ends) == 1
        return ends[0]

    def _await(self, words: str) -> None:
        assert any(kind == "step" and what.startswith(words) for kind, what in self.told()), words

    def result(self) -> dict[str, Any]:
        """What it answers in the end."""
        results = [what for kind, what in self.told() if kind == "done"]
        self.process.join()
        assert self.process.exitcode == 0 and len(results) == 1
        return results[0]


def train_here(out: Path, **arguments: Any) -> dict[str, Any]:
    """The same, in this process."""
    return train_prior(out=out, device="cpu", **arguments)
