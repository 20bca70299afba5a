# SPDX-License-Identifier: Apache-2.0
"""The examples of the documentation run outside of the repository, each as a reader would run it."""

import ast
import shutil
from pathlib import Path

import pytest

from tests.library.installed import PYTHON, REPO, run

_EXAMPLES = sorted((REPO / "docs" / "examples").glob("*.py"))


def about(example: Path) -> str:
    """What an example says of itself first."""
    return ast.get_docstring(ast.parse(example.read_text(encoding="utf-8"))) or ""


def parameters() -> list:
    return [
        pytest.param(path, id=path.stem, marks=pytest.mark.torch if "Needs PyTorch." in about(path) else ())
        for path in _EXAMPLES
    ]


@pytest.mark.parametrize("example", parameters())
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    if not PYTHON and "Needs PyTorch." in about(example):
        pytest.importorskip("torch")
    shutil.copy(example, tmp_path)
    printed = run([example.name], tmp_path)
    assert printed.strip() and "nan" not in printed.lower()
