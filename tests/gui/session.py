# SPDX-License-Identifier: Apache-2.0
"""Runs inside Blender's window: each test is a generator of steps, stepped by a timer so that the main loop handles
every event for real.

Run by `run.py`; names of tests after `--` choose some of them.
"""

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "addon")]

import heat_map  # noqa: E402
import imports  # noqa: E402
import live  # noqa: E402
import panels  # noqa: E402
import posing  # noqa: E402
import robot  # noqa: E402

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


def all_tests() -> dict[str, Callable[[], robot.Steps[None]]]:
    modules = (panels, posing, live, heat_map, imports)
    found = {name: test for module in modules for name, test in vars(module).items() if name[:5] == "test_"}
    chosen = sys.argv[sys.argv.index("--") + 1 :]
    return {name: test for name, test in found.items() if not chosen or name in chosen}


def run_all() -> Iterator[float]:
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.view.smooth_view = 0
    bpy.context.preferences.filepaths.use_auto_save_temporary_files = False
    tests = all_tests()
    results = dict.fromkeys(tests, "not run")
    for name, test in tests.items():
        (robot.OUT / "results.json").write_text(json.dumps(results))
        start = time.perf_counter()
        try:
            yield from robot.fresh_scene()
            yield from test()
            results[name] = "passed"
        except _FAULTS:
            traceback.print_exc()
            results[name] = "failed"
        print(f"{results[name].upper():8} {name} {time.perf_counter() - start:.1f} s", flush=True)
    (robot.OUT / "results.json").write_text(json.dumps(results))


steps = run_all()


def step() -> float:
    wait = next(steps, None)
    if wait is None:
        sys.stdout.flush()
        os._exit(0)  # Blender's own exit is not what is tested
    return wait


bpy.app.timers.register(step, first_interval=1.0, persistent=True)
