# SPDX-License-Identifier: Apache-2.0
"""Tests of what only a real window shows: python tests/gui/run.py

Installs the built zip into a Debian of its own (see `chroot`), starts Blender there on an X server without a screen and
lets simulated mouse and keys drive it (see `session`). Pictures come to out/gui. Names of tests choose some of them.
Exits 0 where all passed, and where this machine cannot run them.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import chroot

REPO = Path(__file__).resolve().parents[2]
CACHE = REPO / ".cache" / "gui"
PICTURES = REPO / "out" / "gui"
REAL_TAKE = REPO.parent / "shared" / "data" / "c3d" / "cmu_02_01.c3d"
_NEEDED = (
    "gui/session.py",
    "gui/robot.py",
    "gui/panels.py",
    "gui/posing.py",
    "gui/imports.py",
    "gui/live.py",
    "gui/heat_map.py",
    "addon/support.py",
    "core/c3d_writer.py",
)
_SCRIPT = """
set -e; cd /job
export BLENDER_USER_RESOURCES=/job/user XDG_RUNTIME_DIR=/job/xdg LIBGL_ALWAYS_SOFTWARE=1
mkdir -m 700 user xdg
blender --command extension install-file -r user_default -e /job/poise.zip
Xvfb -displayfd 3 -screen 0 1150x1000x24 +extension GLX -noreset -nolisten tcp 3>display 2>xvfb.log & server=$!
trap 'kill $server' EXIT
for wait in $(seq 100); do [ -s display ] && break; sleep 0.1; done
export DISPLAY=:$(cat display)
timeout 900 blender --enable-event-simulate --window-geometry 0 0 1150 1000 --python-exit-code 1 \
    --python tests/gui/session.py -- "$@" 2>&1
"""


def main() -> int:
    why = chroot.why_not()
    if why is not None:
        print(f"GUI tests skipped: {why}")
        return 0
    package = _zip()
    if package is None:
        print("GUI tests: no built zip; run `python build.py package`, or name one in POISE_ZIP")
        return 2
    try:
        root = chroot.ready(CACHE)
    except chroot.ChrootError as problem:
        print(f"GUI tests: {problem}")
        return 2
    job = _job_folder(package)
    status = subprocess.run(chroot.inside(root, _SCRIPT, job, sys.argv[1:]), stdin=subprocess.DEVNULL).returncode
    shutil.rmtree(PICTURES, ignore_errors=True)
    shutil.copytree(job / "out", PICTURES)
    results = json.loads((job / "out" / "results.json").read_text()) if (job / "out" / "results.json").is_file() else {}
    passed = sum(outcome == "passed" for outcome in results.values())
    failed = len(results) - passed or int(status != 0)
    print(f"Pictures: {PICTURES.relative_to(REPO)}\n{passed} passed, {failed} failed")
    return 1 if failed else 0


def _zip() -> Path | None:
    built = sorted((REPO / "dist").glob("poise-*.zip"))
    path = Path(os.environ["POISE_ZIP"]) if "POISE_ZIP" in os.environ else built[-1] if built else None
    return path if path is not None and path.is_file() else None


def _job_folder(package: Path) -> Path:
    """A fresh folder with all that the session needs; it is /job inside."""
    job = CACHE / "job"
    shutil.rmtree(job, ignore_errors=True)
    for name in _NEEDED:
        target = job / "tests" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPO / "tests" / name, target)
    (job / "out").mkdir()
    shutil.copy(package, job / "poise.zip")
    if REAL_TAKE.is_file():
        shutil.copy(REAL_TAKE, job / "real.c3d")
    return job


if __name__ == "__main__":
    sys.exit(main())
