# SPDX-License-Identifier: Apache-2.0
"""Everything that has to hold: style, types, core tests, the package, the add-on in real Blender, and in its window."""

import json
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import ROOT
from .environments import BLENDER, BLENDER_52, CORE, Environment, find_python, ready, ready_blender
from .library import add_torch, build_wheel, clean_environment
from .package import package
from .stages import BuildError, run, say

_REPORTS = ROOT / ".cache" / "reports"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_ON_ALL_CORES = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")  # of pytest-xdist


class Skipped(Exception):
    """A stage that cannot run here; the message says why."""


@dataclass
class Summary:
    """How the stages went, and how many tests passed, failed and were skipped."""

    lines: list[str] = field(default_factory=list)
    failed_stages: int = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, title: str, check: Callable[[], None]) -> None:
        """Run one stage; whatever it finds, the next ones run too."""
        say(f"\n==> {title}")
        start, outcome = time.perf_counter(), "ok"
        try:
            check()
        except Skipped as why:
            outcome = f"skipped: {why}"
        except BuildError as error:
            outcome = f"FAILED: {error}"
            self.failed_stages += 1
        line = f"{title:28} {time.perf_counter() - start:7.1f} s  {outcome}"
        self.lines.append(line)
        say(f"    {line}")

    def count(self, report: Path) -> None:
        """Add the tests of a JUnit report."""
        for suite in ET.parse(report).iter("testsuite"):
            total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            self.passed += total - failed - skipped
            self.failed += failed
            self.skipped += skipped


def run_all(gui: str | None = None) -> int:
    """Run every check.

    Args:
        gui: the release of Debian in whose Blender's window the add-on is driven at the end; None to leave that out.

    Returns:
        0, or 1 where anything failed. The last line counts the tests.
    """
    summary = Summary()
    summary.add("Ruff: rules", lambda: _tool("ruff", "check", "."))
    summary.add("Ruff: format", lambda: _tool("ruff", "format", "--check", "."))
    summary.add("Pyright: types", lambda: _tool("pyright", "--pythonpath", str(ready(CORE))))
    summary.add("Core tests", lambda: _pytest(summary, ready(CORE), "tests/core", {}, *_ON_ALL_CORES))
    _library(summary)
    zips: list[Path] = []
    summary.add("Package", lambda: zips.append(package()))
    for environment, title in ((BLENDER, "Add-on tests, Blender 4.5"), (BLENDER_52, "Add-on tests, Blender 5.2")):
        summary.add(title, lambda environment=environment: _addon_tests(summary, environment, zips))
    if gui is not None:
        summary.add(f"Window tests, Debian {gui}", lambda: _window_tests(summary, gui, zips))
    say("\n" + "\n".join(summary.lines))
    failed = max(summary.failed, summary.failed_stages)
    say(f"\n{summary.passed} passed, {failed} failed, {summary.skipped} skipped")
    return 1 if failed else 0


def _tool(*command: str) -> None:
    if status := run([ready(CORE), "-m", *command]):
        raise BuildError(f"{command[0]} found something (exit {status})")


def _library(summary: Summary) -> None:
    """The wheel in an environment of its own: first what works without PyTorch, then what needs it."""
    made: list[tuple[Path, Path]] = []

    def install() -> None:
        wheel = build_wheel()
        made.append((wheel, clean_environment(wheel)))

    def examples(marked: str) -> None:
        if not made:
            raise BuildError("the library is not installed")
        wheel, python = made[0]
        if marked == "torch":
            add_torch(python)
        env = {"POISE_WHEEL": str(wheel), "POISE_PYTHON": str(python)}
        _pytest(summary, ready(CORE), "tests/library", env, "-m", marked, *_ON_ALL_CORES[:-1], "load")

    summary.add("Library: install", install)
    summary.add("Library: without PyTorch", lambda: examples("not torch"))
    summary.add("Library: with PyTorch", lambda: examples("torch"))


def _addon_tests(summary: Summary, environment: Environment, zips: list[Path]) -> None:
    if find_python(environment.python) is None:
        raise Skipped(f"no Python {environment.python} here, which this Blender needs")
    if not zips:
        raise BuildError("there is no package to test")
    _pytest(summary, ready_blender(environment), "tests/addon", {"POISE_ZIP": str(zips[0])})


def _window_tests(summary: Summary, suite: str, zips: list[Path]) -> None:
    if not zips:
        raise BuildError("there is no package to test")
    written = _REPORTS / f"gui-{suite}.json"
    written.unlink(missing_ok=True)
    command = [sys.executable, ROOT / "tests" / "gui" / "run.py", "--suite", suite, "--report", written]
    status = run(command, env={"POISE_ZIP": str(zips[0])})
    if not written.is_file():
        raise BuildError(f"they ended with exit status {status}")
    report = json.loads(written.read_text())
    if report["skipped"]:
        raise Skipped(report["skipped"])
    summary.passed += report["passed"]
    summary.failed += len(report["failed"])
    if report["problem"]:
        raise BuildError(report["problem"])
    if report["failed"]:
        raise BuildError("; ".join(f"{name}: {why}" for name, why in report["failed"].items()))


def _pytest(summary: Summary, python: Path, folder: str, env: dict[str, str], *options: str) -> None:
    report = _REPORTS / f"{python.parents[1].name}.xml"
    report.unlink(missing_ok=True)
    status = run([python, "-m", "pytest", folder, *options, "-ra", f"--junitxml={report}"], env={**_ONE_THREAD, **env})
    if report.is_file():
        summary.count(report)
    if status:
        raise BuildError(f"pytest exited with {status}")
