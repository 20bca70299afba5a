# SPDX-License-Identifier: Apache-2.0
"""The examples of the documentation run, each as a reader would run it."""

import os
import subprocess
import sys

import pytest

from tests.core.conftest import REPO

EXAMPLES = sorted(path.stem for path in (REPO / "docs" / "examples").glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(name: str) -> None:
    if name.startswith(("reference", "prior_penalise")):
        pytest.importorskip("torch")
    command = [sys.executable, "-W", "error::RuntimeWarning", "-m", f"docs.examples.{name}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() and "nan" not in done.stdout.lower()
