# SPDX-License-Identifier: Apache-2.0
"""Runs inside Blender's window: each test is a generator of steps, stepped by a timer so that the main loop handles
every event for real.

Run by `run.py`; names of tests after `--` choose some of them. Every module of this folder may hold tests.
"""

import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path

import bpy

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "addon")]

import robot  # noqa: E402

_NO_TESTS = ("chroot", "robot", "run", "session")
_FAULTS = (
    AssertionError,
    RuntimeError,
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
    OSError,
    subprocess.SubprocessError,
)
"""What a test may fail with."""


class Figures:
    """Remembers what the tests print: the figures that they measure."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        """There is nothing behind it."""


def all_tests() -> dict[str, Callable[[], robot.Steps[None]]]:
    """The tests by name, those that were asked for, in the order of their files."""
    names = sorted(path.stem for path in TESTS.glob("*.py") if path.stem not in _NO_TESTS)
    modules = [importlib.import_module(name) for name in names]
    found = {
        name: test
        for module in modules
        for name, test in vars(module).items()
        if name[:5] == "test_" and test.__module__ == module.__name__
    }
    chosen = sys.argv[sys.argv.index("--") + 1 :]
    if unknown := set(chosen) - set(found):
        raise SystemExit(f"no test is called {', '.join(sorted(unknown))}; there are: {', '.join(found)}")
    return {name: test for name, test in found.items() if not chosen or name in chosen}


def run_all() -> Iterator[float]:
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.view.smooth_view = 0
    bpy.context.preferences.filepaths.use_auto_save_temporary_files = False
    tests, figures = all_tests(), Figures()
    results = dict.fromkeys(tests, "not run")
    with redirect_stdout(figures):  # type: ignore[type-var]
        for name, test in tests.items():
            results[name] = "did not come to its end"
            _write(results, figures)
            start = time.perf_counter()
            try:
                yield from robot.fresh_scene()
                yield from test()
                results[name] = "passed"
            except _FAULTS as fault:
                traceback.print_exc()
                results[name] = _reason(fault)
            outcome = "PASSED" if results[name] == "passed" else "FAILED"
            print(f"{outcome} {name} {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)
    _write(results, figures)


def _write(results: dict[str, str], figures: Figures) -> None:
    lines = figures.text.splitlines()
    (robot.OUT / "results.json").write_text(json.dumps({"tests": results, "figures": lines}))


def _reason(fault: BaseException) -> str:
    """A fault in a line: what it says, and where in the tests it came from."""
    places = [f for f in traceback.extract_tb(fault.__traceback__) if Path(f.filename).parent == TESTS]
    where = f"{Path(places[-1].filename).name}:{places[-1].lineno}, {places[-1].line}" if places else "elsewhere"
    said = " ".join(str(fault).split())[:600]
    return f"{type(fault).__name__}: {said} ({where})"


steps = run_all()


def step() -> float:
    try:
        wait = next(steps, None)
    except ImportError:  # of a module of tests: nobody would end the window
        traceback.print_exc()
        os._exit(1)
    if wait is None:
        sys.stdout.flush()
        os._exit(0)  # Blender's own exit is not what is tested
    return wait


bpy.app.timers.register(step, first_interval=1.0, persistent=True)
