# SPDX-License-Identifier: Apache-2.0
"""Running the steps of a build so that one sees what runs, for how long, and what failed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import ROOT


class BuildError(Exception):
    """A step that cannot be done; the message is one line that says what to do."""


def say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def stage(title: str) -> Iterator[None]:
    """Print what begins, and the seconds it took once it is done."""
    say(f"==> {title}")
    start = time.perf_counter()
    yield
    say(f"    done in {time.perf_counter() - start:.1f} s")


def run(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> int:
    """Run a program in the repository's root with its output shown as it comes; its exit status."""
    sys.stdout.flush()
    return subprocess.run([str(part) for part in command], cwd=ROOT, env={**os.environ, **(env or {})}).returncode


def must(command: Sequence[str | Path], failure: str, env: Mapping[str, str] | None = None) -> None:
    """Run a program that has to succeed.

    Raises:
        BuildError: it exited non-zero; the message is `failure`.
    """
    if status := run(command, env):
        raise BuildError(f"{failure} (exit {status})")
