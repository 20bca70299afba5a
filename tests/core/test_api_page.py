# SPDX-License-Identifier: Apache-2.0
"""The page about the public API is what the code says, and everything public says what it is."""

import importlib
import re

import pytest

from tests.core.conftest import REPO
from tools.api_page import PAGE, ROOMS, page
from tools.api_source import OURS, publics

_MODULES = {module: first for room in ROOMS for module, first in room.modules.items()}


def test_the_page_is_made_from_the_code() -> None:
    fresh, made = REPO / ".cache" / "api.md", page()
    if PAGE.read_text(encoding="utf-8") != made:
        fresh.parent.mkdir(exist_ok=True)
        fresh.write_text(made, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == made, "docs/api.md is out of date: run python -m tools.api_page"


@pytest.mark.parametrize("module", _MODULES)
def test_everything_public_is_described_and_annotated(module: str) -> None:
    assert [fault for public in publics(module, _MODULES[module]) for fault in public.faults()] == []


@pytest.mark.parametrize("module", _MODULES)
def test_public_names_can_be_imported_from_where_the_page_says(module: str) -> None:
    room = importlib.import_module(module)
    shown = {public.name for public in publics(module, _MODULES[module])}
    assert [name for name in shown if not hasattr(room, name)] == []
    if hasattr(room, "__all__"):
        assert shown | OURS >= set(room.__all__)


def test_the_page_shows_what_a_reader_looks_for() -> None:
    """Read as a reader does, so that what makes the page cannot leave things out unseen."""
    text = page()
    assert text.count("\n## ") == len(ROOMS) and text.count("```") % 2 == 0
    (solve,) = re.findall(r"^solve\((.*?)^\) -> Solution$", text, re.M | re.S)
    assert "    targets: Sequence[Target],\n    unknowns: Unknowns | None = None,\n" in solve
    for line in (
        "- `positions`: (F, P, 3) metres in any world frame, NaN where unseen.",  # of a function's arguments
        "    pixels: np.ndarray  # (F, P, 2)",  # of a field, from the comment beside it
        "    labels: tuple[str, ...]  # P names as found, unique: the second LABEL is LABEL#2",  # from the docstring
        "- `.decode(z: Array) -> Array` Poses R (..., 21, 3, 3) of latents z (..., L).",
        "    sigma: float = 0.003",  # the number, not a constant's name
        "- raises `TargetError`",
    ):
        assert f"\n{line}" in text, line
