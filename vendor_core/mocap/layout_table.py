# SPDX-License-Identifier: Apache-2.0
"""Named sets of markers: those of assets/layouts.csv, and the user's own."""

import csv
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import LayoutError
from .placement_table import mirrored_label, placement_table

_TABLE = Path(__file__).parent / "assets" / "layouts.csv"
_LARGEST_FILE = 1_000_000  # bytes


@dataclass(frozen=True)
class Layout:
    """A named set of markers.

    Attributes:
        name: as on the command line.
        markers: canonical labels, keys of `placement_table()`.
        labels: canonical label of each label of the layout's own, labels simplified as by `simplified`.
    """

    name: str
    markers: tuple[str, ...]
    labels: Mapping[str, str]


def simplified(label: str) -> str:
    """A label without case and separators."""
    return re.sub(r"[\W_]", "", label).upper()


@cache
def _rows() -> tuple[dict[str, str], ...]:
    """assets/layouts.csv, with the right side added."""
    rows = list(csv.DictReader(_TABLE.read_text("utf-8").splitlines()))
    known = {row["marker"] for row in rows}
    for row in list(rows):
        if mirrored_label(row["marker"]) in known:
            continue
        mirrored = {key: " ".join(map(mirrored_label, value.split())) for key, value in row.items()}
        rows.append({**mirrored, "part": row["part"]})
    return tuple(rows)


def _named_layouts() -> dict[str, Layout]:
    names = [key for key in _rows()[0] if key not in ("marker", "part", "also")]
    layouts = {}
    for name in names:
        rows = [row for row in _rows() if row[name]]
        labels = {simplified(row[name]): row["marker"] for row in rows}
        layouts[name] = Layout(name, tuple(row["marker"] for row in rows), labels)
    return layouts


LAYOUTS: dict[str, Layout] = _named_layouts()
"""The layouts that "auto" tries, by name."""


@cache
def synonyms() -> dict[str, str]:
    """Canonical label of every label met in any layout, and of the further spellings of the table."""
    synonyms: dict[str, str] = {}
    for row in _rows():
        spellings = [value for key, value in row.items() if key not in ("part", "also") and value]
        synonyms.update({simplified(label): row["marker"] for label in (*spellings, *row["also"].split())})
    return synonyms


@cache
def body_parts() -> dict[str, str]:
    """Part of the body that each canonical marker sits on: torso (head and pelvis included), arm or leg."""
    return {row["marker"]: row["part"] for row in _rows()}


def read_layout(path: str | Path) -> Layout:
    """A layout of the user's own: a csv with the header `label,marker`, marker being one of `placement_table()`.

    Several labels may mean one marker; a take needs only one of them.

    Raises:
        LayoutError: no such file, no such table, an unknown marker, a label with two meanings.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise LayoutError(f"{path.name}: larger than 1 MB, expected a short csv with the header label,marker")
        lines = path.read_text("utf-8-sig").splitlines()
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines)]
    except OSError as error:
        raise LayoutError(
            f"{path.name}: cannot be read ({error.strerror}). Expected a csv with the header label,marker"
        ) from None
    except (UnicodeDecodeError, csv.Error):
        raise LayoutError(
            f"{path.name}: no readable text. Expected a csv in UTF-8 with the header label,marker; save it so"
        ) from None
    if not rows or [cell.lower() for cell in rows[0]] != ["label", "marker"]:
        found = ",".join(rows[0])[:60] if rows else "an empty file"
        raise LayoutError(
            f"{path.name}: starts with {found}, expected the header label,marker; add it as the first line"
        )
    labels: dict[str, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        if any(row):
            label, marker = _checked_row(f"{path.name} line {number}", row)
            if labels.setdefault(label, marker) != marker:
                raise LayoutError(
                    f'{path.name} line {number}: "{row[0]}" already means {labels[label]}; keep one of them'
                )
    if not labels:
        raise LayoutError(f"{path.name}: holds no labels, expected one line label,marker for each marker")
    return Layout(path.stem, tuple(dict.fromkeys(labels.values())), labels)


def _checked_row(where: str, row: list[str]) -> tuple[str, str]:
    if len(row) != 2 or not simplified(row[0]):
        raise LayoutError(f'{where}: "{",".join(row)[:60]}" found, expected two entries, label,marker')
    marker = row[1].upper()
    if marker not in placement_table():
        near = difflib.get_close_matches(marker, placement_table(), n=3) or list(placement_table())
        raise LayoutError(f'{where}: no marker is called "{row[1]}"; write one of {", ".join(near)}')
    return simplified(row[0].rpartition(":")[2]), marker
