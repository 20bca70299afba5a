# SPDX-License-Identifier: Apache-2.0
"""From the labels of a take to the markers that we can place: synonyms, split labels, several subjects."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import LayoutError
from .c3d import C3D
from .layout_table import LAYOUTS, Layout, read_layout, simplified, synonyms
from .placement_table import placement_table
from .unmarked import can_be_posed, in_parts, marked_parts

__all__ = [
    "LAYOUTS",
    "LabelMap",
    "Layout",
    "candidate_layouts",
    "gather_markers",
    "is_unlabelled",
    "map_labels",
    "map_markers",
    "read_layout",
    "stray_points",
]

_LEAST_FRACTION = 0.6  # of the markers that a layout has on those parts of the body that carry some
_LEAST_MARKERS = 12
_LEAST_UNLABELLED = 15  # points that may be a person
_LEAST_OF_FILE = 6  # markers, for a layout that the user wrote for the take

_LISTED = 6  # names in a message
_UNLABELLED = re.compile(r"\W*|[*?]\d*|U[_ ]?\d+|(unlabel+ed|unidentified|unnamed|uname)\W*\w*", re.IGNORECASE)
_REPEATED = re.compile(r"(.+)#(\d+)")
_CONTINUATION = re.compile(r"(.+?)[-_#]\d+")
_SAME_MARKER = 0.05  # metres: two columns of one marker that are further apart are two markers


@dataclass(frozen=True)
class LabelMap:
    """What the labels of a take mean.

    Attributes:
        layout: name of the layout.
        subject: the prefix of the labels used, "" where they carry none.
        confidence: fraction of the layout's markers that were found, 0..1.
        columns: canonical label of each column that is used; several columns may be parts of one marker, the
            first of them is the marker's own.
        unmapped: labels that mean nothing to us, as found; unlabelled points are left out.
        notes: one line for each choice made, such as one of several subjects.
    """

    layout: str
    subject: str
    confidence: float
    columns: Mapping[int, str]
    unmapped: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def markers(self) -> tuple[str, ...]:
        """The markers found, in the order of `placement_table()`, and after them those of the user's own."""
        found = dict.fromkeys(self.columns.values())
        known = [marker for marker in placement_table() if marker in found]
        return (*known, *(marker for marker in found if marker not in placement_table()))


def map_labels(
    labels: Sequence[str], layout: str | Path | Layout = "auto", subject: str | None = None
) -> LabelMap:  # fmt: skip
    """Finds the layout of a take's labels and the marker that each column shows.

    Subject prefixes, case and separators do not matter. Named layouts know each other's spellings, and markers that
    we can place are mapped even where the chosen layout does not ask for them; a layout from a file knows only itself.

    Args:
        labels: the columns' labels; "" for a column to be left out.
        layout: "auto", the name of one of `LAYOUTS`, a csv file for `read_layout`, or a layout.
        subject: the prefix of the labels to use; None takes the subject with most markers. Where so many labels come
            twice that two people share them, the second's labels have the prefix "#2".

    Raises:
        LayoutError: no layout fits, no such layout, its file cannot be used, or no such subject.
    """
    candidates = candidate_layouts(layout)
    custom = LAYOUTS.get(candidates[0].name) is not candidates[0]
    meanings = candidates[0].labels if custom else synonyms()
    subjects = _subjects(labels, meanings)
    columns = {subject: _columns(tails, meanings) for subject, tails in subjects.items()}
    counts = {subject: len(set(found.values())) for subject, found in columns.items()}
    subject = _chosen(subject, counts)
    found = columns.get(subject, {})
    own = [simplified(tail) for tail in subjects.get(subject, {}).values()]
    chosen = max(candidates, key=lambda candidate: _fit(candidate, found, own))
    _check(chosen, found, labels, candidates, custom)
    return LabelMap(
        layout=chosen.name,
        subject=subject,
        confidence=_matches(chosen, found) / len(chosen.markers),
        columns=found,
        unmapped=tuple(label for column, label in subjects[subject].items() if column not in found),
        notes=_notes(subject, counts),
    )


def _chosen(subject: str | None, counts: Mapping[str, int]) -> str:
    if subject is None:
        return max(counts, key=lambda name: counts[name], default="")
    for name in counts:
        if name.lower() == subject.rstrip(":").lower():
            return name
    most = sorted(counts.items(), key=lambda item: -item[1])[:_LISTED]
    there = ", ".join(f"{_said(name) or 'one without prefix'} ({count} markers)" for name, count in most)
    raise LayoutError(f'The take holds no subject called "{_said(subject)}"; it holds {there or "no labels"}: name one')


def candidate_layouts(layout: str | Path | Layout) -> list[Layout]:
    """The layouts that "auto", a name, a csv file or a layout allows.

    Raises:
        LayoutError: no such layout, or its file cannot be used.
    """
    if isinstance(layout, Layout):
        return [layout]
    named = {name.lower(): candidate for name, candidate in LAYOUTS.items()}
    name = str(layout)
    if name.lower() == "auto":
        return list(LAYOUTS.values())
    if name.lower() in named:
        return [named[name.lower()]]
    if Path(name).suffix.lower() == ".csv" or Path(name).is_file():
        return [read_layout(layout)]
    raise LayoutError(f'No layout is called "{name}". Expected auto, {", ".join(LAYOUTS)} or a csv file label,marker')


def _subjects(labels: Sequence[str], meanings: Mapping[str, str]) -> dict[str, dict[int, str]]:
    """Labelled columns by subject: for each prefix, its columns and their labels without it."""
    underscored = Counter(label.partition("_")[0] for label in labels if "_" in label and ":" not in label)
    twice = Counter(part[2] for label in labels if (part := _part_of_two(label, meanings)))
    subjects: dict[str, dict[int, str]] = {}
    for column, label in enumerate(labels):
        subject, _, tail = label.rpartition(":")
        if not subject and _meaning(tail, meanings) is None:
            prefix, _, rest = tail.partition("_")
            if len(prefix) > 1 and underscored[prefix] >= _LEAST_OF_FILE and _meaning(rest, meanings):
                subject, tail = prefix, rest
        if (part := _part_of_two(tail, meanings)) and twice[part[2]] >= _LEAST_MARKERS:
            subject, tail = f"{subject}#{part[2]}", part[1]
        if not _UNLABELLED.fullmatch(tail):
            subjects.setdefault(subject, {})[column] = tail
    return subjects


def _said(name: str) -> str:
    """A name of the file as a message may hold it: short, in one line."""
    return "".join(c if c.isprintable() else " " for c in name[:30])


def _part_of_two(label: str, meanings: Mapping[str, str]) -> re.Match[str] | None:
    """A known label that comes again, LSHO#2, in two parts; where many do, they are another person's."""
    part = _REPEATED.fullmatch(label)
    return part if part and _meaning(part[1].rpartition(":")[2], meanings) else None


def _meaning(label: str, meanings: Mapping[str, str]) -> tuple[str, bool] | None:
    """The marker that a label means, and whether the label is the marker's own, no continuation such as RBAC-1."""
    own = meanings.get(simplified(label))
    if own:
        return own, True
    part = _CONTINUATION.fullmatch(label)
    whole = meanings.get(simplified(part[1])) if part else None
    return (whole, False) if whole else None


def _columns(tails: Mapping[int, str], meanings: Mapping[str, str]) -> dict[int, str]:
    """Marker of each column; a marker's own columns come before its continuations."""
    found = {column: meaning for column, tail in tails.items() if (meaning := _meaning(tail, meanings))}
    return {column: found[column][0] for column in sorted(found, key=lambda c: (not found[c][1], c))}


def _matches(layout: Layout, found: Mapping[int, str]) -> int:
    return len(set(found.values()).intersection(layout.markers))


def _fit(layout: Layout, found: Mapping[int, str], own: Sequence[str]) -> tuple[int, int, float]:
    """Most markers found, then most of them in the layout's own spelling, then fewest missing."""
    matches = _matches(layout, found)
    return matches, sum(label in layout.labels for label in own), matches / len(layout.markers)


def _check(
    chosen: Layout, found: Mapping[int, str], labels: Sequence[str], candidates: Sequence[Layout], custom: bool
) -> None:
    parts = marked_parts(set(found.values()))
    least = _LEAST_OF_FILE if custom else _LEAST_MARKERS
    wanted = chosen.markers if custom else in_parts(chosen, parts)
    there = len(set(found.values()).intersection(wanted))
    if there >= max(least, _LEAST_FRACTION * len(wanted)) and (custom or can_be_posed(parts)):
        return
    named = [_said(label) for label in labels if label and not _UNLABELLED.fullmatch(label)]
    first = ", ".join(named[:_LISTED]) + (", ..." if len(named) > _LISTED else "") if named else "no labels"
    tried = ", ".join(f"{layout.name} {_matches(layout, found)} of {len(layout.markers)}" for layout in candidates)
    needed = max(least, round(_LEAST_FRACTION * len(chosen.markers))) if custom else least
    spread_over = "" if custom else " on trunk and arms or on pelvis and legs"
    raise LayoutError(
        f"The marker labels fit no layout: found {first} ({len(named)} labels); matches: {tried}. "
        f"Expected at least {needed} markers{spread_over}. Give a layout file, a csv label,marker that names yours"
    )


def _notes(subject: str, counts: Mapping[str, int]) -> tuple[str, ...]:
    several = {name: count for name, count in counts.items() if count >= _LEAST_OF_FILE}
    if len(several) < 2:
        return ()
    listed = ", ".join(
        f"{_said(name) or 'without prefix'} ({count} markers)" for name, count in list(several.items())[:_LISTED]
    )
    return (f"The take holds several subjects: {listed}; {_said(subject) or 'the one without prefix'} is used",)


def map_markers(c3d: C3D, layout: str | Path | Layout = "auto", subject: str | None = None) -> LabelMap:
    """`map_labels` for the points of a take that are markers and seen at least once.

    Raises:
        LayoutError: nothing is ever visible, or as `map_labels`.
    """
    markers = set(c3d.markers().tolist())
    if not markers:
        raise LayoutError(
            f"None of the {len(c3d.labels)} points is a marker that is visible in any of the {len(c3d.points)} frames. "
            "Expected marker trajectories; export the take with its labelled markers"
        )
    return map_labels([label if i in markers else "" for i, label in enumerate(c3d.labels)], layout, subject)


def is_unlabelled(c3d: C3D) -> bool:
    """Whether next to none of a take's markers carries a label, and there are enough of them for a body."""
    labels = [c3d.labels[i].rpartition(":")[2] for i in c3d.markers()]
    named = sum(not _UNLABELLED.fullmatch(label) for label in labels)
    return named < _LEAST_OF_FILE and len(labels) - named >= _LEAST_UNLABELLED


def stray_points(c3d: C3D, label_map: LabelMap) -> np.ndarray:
    """The points of a take that carry no label and mean no marker: (F, U, 3) float32, metres, NaN where unseen."""
    bare = (i for i in c3d.markers().tolist() if _UNLABELLED.fullmatch(c3d.labels[i].rpartition(":")[2]))
    return c3d.points[:, [i for i in bare if i not in label_map.columns]]


def gather_markers(c3d: C3D, label_map: LabelMap) -> tuple[tuple[str, ...], np.ndarray]:
    """The mapped markers of a take, continuations merged.

    Where a marker's own column is unseen its continuation fills in, unless both are seen together somewhere and lie
    further apart than one marker can.

    Returns:
        Canonical labels, and (F, M, 3) float32 points in metres, NaN = unseen.
    """
    labels = label_map.markers
    points = np.full((len(c3d.points), len(labels), 3), np.nan, dtype=np.float32)
    for column, marker in label_map.columns.items():
        target, part = points[:, labels.index(marker)], c3d.points[:, column]
        apart = np.linalg.norm(target - part, axis=-1)
        if np.isfinite(apart).any() and np.nanmedian(apart) > _SAME_MARKER:
            continue
        unseen = np.isnan(target[:, 0])
        target[unseen] = part[unseen]
    return labels, points
