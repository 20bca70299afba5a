# SPDX-License-Identifier: Apache-2.0
"""The library as it is installed where POISE_PYTHON says; without that, the repository's in this Python."""

import os
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parents[2]
PYTHON = os.environ.get("POISE_PYTHON", "")


def run(arguments: list[str], folder: Path) -> str:
    """What Python prints in a folder outside of the repository; one thread, and overflows are errors."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": "" if PYTHON else str(REPO)}
    command = [PYTHON or sys.executable, "-W", "error::RuntimeWarning", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout
