# SPDX-License-Identifier: Apache-2.0
"""The examples of the documentation run outside of the repository, and print what the page about them says."""

import ast
import re
import shutil
from pathlib import Path

import pytest

from tests.library.installed import PYTHON, REPO, run

_EXAMPLES = sorted((REPO / "docs" / "examples").glob("*.py"))
_PAGE = REPO / "docs" / "library.md"
_FRESH = REPO / ".cache" / "examples"
_NUMBER = re.compile(r"[-+]?\d[\d.,]*(e[-+]?\d+)?")


def about(example: Path) -> str:
    """What an example says of itself first."""
    return ast.get_docstring(ast.parse(example.read_text(encoding="utf-8"))) or ""


def parameters() -> list:
    return [
        pytest.param(path, id=path.stem, marks=pytest.mark.torch if "Needs PyTorch." in about(path) else ())
        for path in _EXAMPLES
    ]


def words(text: str) -> str:
    """A text without its numbers and spaces: what machines agree on."""
    return " ".join(_NUMBER.sub("#", text).split())


@pytest.mark.parametrize("example", parameters())
def test_an_example_prints_what_the_page_says(example: Path, tmp_path: Path) -> None:
    if not PYTHON and "Needs PyTorch." in about(example):
        pytest.importorskip("torch")
    shutil.copy(example, tmp_path)
    printed = run([example.name], tmp_path)
    assert "nan" not in printed.lower()
    says = about(example).replace(" Needs PyTorch.", "")
    fresh = f"### {example.name}\n{says}\n\n```text\n{printed.rstrip()}\n```\n"
    if words(fresh) not in words(_PAGE.read_text(encoding="utf-8")):
        _FRESH.mkdir(parents=True, exist_ok=True)
        (_FRESH / f"{example.stem}.md").write_text(fresh, encoding="utf-8")
        pytest.fail(f"{_PAGE.name} is out of date: put .cache/examples/{example.stem}.md there")


def test_the_page_lists_every_example_and_what_it_needs() -> None:
    rows = re.findall(r"^\|.*\[(\w+)\.py\]\(examples/\w+\.py\) \| (\w*) ?\|$", _PAGE.read_text(encoding="utf-8"), re.M)
    needed = {path.stem: "PyTorch" if "Needs PyTorch." in about(path) else "" for path in _EXAMPLES}
    assert dict(rows) == needed and len(rows) == len(needed)
