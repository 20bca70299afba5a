# SPDX-License-Identifier: Apache-2.0
"""What the markers of a take are: by their labels, or, where they carry none, by where they can be on a body."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..body import BodyModel
from ..errors import LayoutError
from ..prior.base import Prior
from .c3d import C3D
from .layouts import LabelMap, Layout, candidate_layouts, is_unlabelled, map_markers
from .marker_points import PlacedMarkers, place_markers
from .timing import turned_to_z
from .trajectories import first_of_each
from .unlabelled import votes_of_frames
from .unlabelled_subject import markers_of_subject

_FEWER, _MORE = 0.75, 1.5  # points seen in a frame for each marker of a layout that may be the take's
_CHOOSING, _VOTING = (5, 3), (24, 6)  # frames, and poses fitted to each, that choose the layout or tell it apart
_LIKE = 0.075  # metres: a body whose markers are missed by more is no explanation of the points; takes stay below 0.062


def label_take(
    take: C3D, layout: str, body: BodyModel, prior: Prior, report: Callable[[float, str], None],
    subject: str | None = None,
) -> LabelMap:  # fmt: skip
    """Find out which column of a take shows which marker.

    Args:
        take: the markers.
        layout: "auto", a layout's name or file.
        body: a body with a mesh.
        prior: of poses.
        report: called with a fraction and a text.
        subject: the prefix of the labels to use, where there are any; None takes the subject with most markers.

    Raises:
        LayoutError: the labels fit no layout, or there are none and no layout explains where the points are.
    """
    if not is_unlabelled(take):
        return map_markers(take, layout, subject)
    columns = take.markers()
    first = first_of_each(np.nan_to_num(take.points[:, columns]), take.visible[:, columns])
    columns, repeated = columns[first == np.arange(len(first))], dict(zip(columns, columns[first], strict=True))
    points, seen = np.nan_to_num(take.points[:, columns]), take.visible[:, columns]
    candidates = _fitting_number(candidate_layouts(layout), seen)
    fit = _best_fit(
        candidates, points, seen, take.up_axis, body, prior, lambda f: report(0.5 * f, "Looking for a set of markers")
    )
    if fit.miss > _LIKE:
        raise LayoutError(
            f"The {len(columns)} points carry no labels, and no layout explains where they are: {fit.layout.name} "
            f"misses them by {100 * fit.miss:.0f} cm; expected one person's full-body markers. Label them"
        )
    p = turned_to_z(points, fit.axis)
    votes = votes_of_frames(
        fit.placed.points, prior, p, seen, *_VOTING, lambda f: report(0.5 + 0.4 * f, "Telling markers apart")
    )
    report(0.9, "Telling markers apart")
    marker_of = dict(zip(columns, markers_of_subject(fit.placed, prior, p, seen, votes.marker_of), strict=True))
    found = {int(column): int(marker_of[own]) for column, own in repeated.items()}
    return _label_map(fit.layout, found, take)


@dataclass(frozen=True)
class _Fit:
    layout: Layout
    placed: PlacedMarkers
    axis: str  # that points up
    miss: float  # metres, see `Votes`
    unlike: float


def _best_fit(
    candidates: list[Layout], points: np.ndarray, seen: np.ndarray, up_axis: str, body: BodyModel, prior: Prior,
    report: Callable[[float], None],
) -> _Fit:  # fmt: skip
    """The layout that explains a few frames best, and which axis is up: the file's own, where that explains them."""
    placed = [place_markers(body, candidate.markers) for candidate in candidates]
    fits: list[_Fit] = []
    for axis in (up_axis, *(other for other in "ZYX" if other != up_axis)):
        p = turned_to_z(points, axis)
        for i, (candidate, markers) in enumerate(zip(candidates, placed, strict=True)):
            report(i / len(candidates))
            votes = votes_of_frames(markers.points, prior, p, seen, *_CHOOSING, lambda fraction: None)
            fits.append(_Fit(candidate, markers, axis, votes.miss, votes.unlike))
        if min(fit.miss for fit in fits) < _LIKE:
            break
    return min(fits, key=lambda fit: fit.unlike)


def _fitting_number(candidates: list[Layout], seen: np.ndarray) -> list[Layout]:
    usual = float(np.median(seen.sum(1)))
    fitting = [c for c in candidates if _FEWER * len(c.markers) <= usual <= _MORE * len(c.markers)]
    if not fitting:
        known = ", ".join(f"{c.name} {len(c.markers)}" for c in candidates)
        many = usual > _MORE * max(len(c.markers) for c in candidates)
        what = "Label those of each person, or leave those of one" if many else "Label them, or give a layout file"
        raise LayoutError(
            f"The points carry no labels, and {usual:.0f} of them are seen in a frame; expected about as many as a "
            f"layout has: {known}. {what}"
        )
    return fitting


def _label_map(layout: Layout, marker_of: Mapping[int, int], take: C3D) -> LabelMap:
    """The map of columns, those first that show most of a marker; -1 is none."""
    seen = take.visible.sum(0)
    order = sorted((column for column, marker in marker_of.items() if marker >= 0), key=lambda c: (-seen[c], c))
    found = {column: layout.markers[marker_of[column]] for column in order}
    given = len(set(found.values()))
    note = f"The points carry no labels: {len(found)} of {len(marker_of)} were told apart by where they move"
    return LabelMap(layout.name, "", given / len(layout.markers), found, (), (note,))
