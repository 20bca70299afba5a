# SPDX-License-Identifier: Apache-2.0
"""Tests of what only a real window shows: python tests/gui/run.py [--suite sid] [NAME...]

Installs the built zip into a Debian of its own (see `chroot`), starts Blender there on an X server without a screen and
lets simulated mouse and keys drive it (see `session`). Pictures come to out/gui. Names of tests choose some of them.
Exits 0 where all passed, and where this machine cannot run them.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import chroot

REPO = Path(__file__).resolve().parents[2]
CACHE = REPO / ".cache" / "gui"
PICTURES = REPO / "out" / "gui"
REAL_TAKE = REPO.parent / "shared" / "data" / "c3d" / "cmu_02_01.c3d"
_NEEDED = ("gui/*.py", "addon/support.py", "addon/known_take.py", "addon/traces.py", "core/c3d_writer.py")
_MINUTES = 30  # that all tests together may take; a machine of two cores needs about a quarter of it
_SCRIPT = """
set -e; cd /job
export BLENDER_USER_RESOURCES=/job/user XDG_RUNTIME_DIR=/job/xdg LIBGL_ALWAYS_SOFTWARE=1
mkdir -m 700 user xdg
blender --command extension install-file -r user_default -e /job/poise.zip
Xvfb -displayfd 3 -screen 0 1150x1000x24 +extension GLX -noreset -nolisten tcp 3>display 2>xvfb.log & server=$!
trap 'kill $server' EXIT
for wait in $(seq 300); do [ -s display ] && break; sleep 0.1; done
export DISPLAY=:$(cat display)
minutes=$1; shift
timeout ${minutes}m blender --enable-event-simulate --window-geometry 0 0 1150 1000 --python-exit-code 1 \\
    --python tests/gui/session.py -- "$@" 2>&1
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="tests to run; all without")
    parser.add_argument(
        "--suite", choices=tuple(chroot.SUITES), default="trixie", help="the Debian, and so the Blender"
    )
    parser.add_argument("--report", type=Path, help="where to write as JSON what happened")
    arguments = parser.parse_args()
    report = _run(arguments.suite, arguments.names)
    if arguments.report is not None:
        arguments.report.parent.mkdir(parents=True, exist_ok=True)
        arguments.report.write_text(json.dumps(report, indent=1))
    return 1 if report["failed"] or report["problem"] else 0


def _run(suite: str, names: list[str]) -> dict[str, Any]:
    """What happened: "skipped" and why, or a "problem" before the tests, or how many "passed" and which "failed"."""
    report: dict[str, Any] = {"skipped": "", "problem": "", "passed": 0, "failed": {}, "figures": []}
    if (why := chroot.why_not()) is not None:
        print(f"Window tests skipped: {why}")
        return {**report, "skipped": why}
    try:
        root = chroot.ready(CACHE, suite)
        with tempfile.TemporaryDirectory(prefix="job-", dir=CACHE) as folder:
            return {**report, **_run_in(root, Path(folder), names)}
    except (chroot.ChrootError, FileNotFoundError) as problem:
        print(f"Window tests: {problem}")
        return {**report, "problem": str(problem)}


def _run_in(root: Path, job: Path, names: list[str]) -> dict[str, Any]:
    """Run the tests; the pictures and what came of it are kept, the rest of the job's folder is not."""
    _fill(job)
    command = chroot.inside(root, _SCRIPT, job, [str(_MINUTES), *names])
    status = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
    shutil.rmtree(PICTURES, ignore_errors=True)
    shutil.copytree(job / "out", PICTURES)
    written = job / "out" / "results.json"
    if not written.is_file():
        print(f"Window tests: Blender did not start (exit status {status})")
        return {"problem": f"Blender did not start (exit status {status})"}
    results = json.loads(written.read_text())
    failed = {name: why for name, why in results["tests"].items() if why != "passed"}
    problem = f"Blender's window ended with exit status {status}" if status and not failed else ""
    for line in (*results["figures"], *(f"FAILED {name}: {why}" for name, why in failed.items()), problem):
        print(line)
    passed = len(results["tests"]) - len(failed)
    print(f"Pictures: {PICTURES.relative_to(REPO)}\n{passed} passed, {len(failed)} failed")
    return {"problem": problem, "passed": passed, "failed": failed, "figures": results["figures"]}


def _fill(job: Path) -> None:
    """Put all that the session needs into the folder that is /job inside.

    Raises:
        FileNotFoundError: there is no built zip.
    """
    for path in (found for pattern in _NEEDED for found in (REPO / "tests").glob(pattern)):
        target = job / path.relative_to(REPO)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (job / "out").mkdir()
    shutil.copy(_zip(), job / "poise.zip")
    if REAL_TAKE.is_file():
        shutil.copy(REAL_TAKE, job / "real.c3d")


def _zip() -> Path:
    built = sorted((REPO / "dist").glob("poise-*.zip"))
    path = Path(os.environ["POISE_ZIP"]) if "POISE_ZIP" in os.environ else built[-1] if built else None
    if path is None or not path.is_file():
        raise FileNotFoundError("no built zip; run `python build.py package`, or name one in POISE_ZIP")
    return path


if __name__ == "__main__":
    sys.exit(main())
