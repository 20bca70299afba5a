# SPDX-License-Identifier: Apache-2.0
"""The markers of a take as they are solved: by automatic labels or the user's own map, Z up, in the range asked for."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import FARTHEST
from ..errors import LayoutError, TargetError
from .c3d import C3D
from .continuity import continued
from .layouts import LabelMap, gather_markers, stray_points
from .placement_table import placement_table
from .timing import Sampling, sampled, turned_to_z, up_axis_of

OWN_MAP = "own map"
"""Layout name of a map that the user made."""

LEAST_MARKERS = 6
"""Markers that a map of the user's own must name."""

_LONGEST_NAME = 100
_SMALLEST, _LARGEST = 0.4, 6.0  # metres that the markers of a person span


@dataclass(frozen=True)
class TakeMarkers:
    """What of a take is solved."""

    labels: tuple[str, ...]  # M
    points: np.ndarray  # (F, N, 3) metres, Z up, NaN where unseen: the M markers, then points without a label
    up_axis: str  # of the source, "X", "Y" or "Z", or one of these after a minus
    order: np.ndarray  # (F, M) which of the M markers as labelled each one is, where labels change hands

    @property
    def markers(self) -> np.ndarray:
        """(F, M, 3) metres."""
        return self.points[:, : len(self.labels)]


def own_map(take: C3D, columns: Mapping[int, str], places: Container[str] = ()) -> LabelMap:
    """The user's own map as a label map.

    Args:
        take: the markers.
        columns: marker of each column that is used.
        places: the markers that have a place of their own, and so any name.

    Raises:
        LayoutError: a column that the take does not have, a marker that nothing places, or too few of them.
    """
    for column, marker in columns.items():
        if not 0 <= column < len(take.labels):
            raise LayoutError(f"The map names column {column}; expected 0 to {len(take.labels) - 1}, as the take has")
        if not 0 < len(marker) <= _LONGEST_NAME or (marker not in placement_table() and marker not in places):
            raise LayoutError(
                f'The map calls column {column} ({take.labels[column][:30]}) "{marker[:30]}", and nothing says where '
                "that sits; expected a marker of the table, or one with a place on the body"
            )
    if len(set(columns.values())) < LEAST_MARKERS:
        raise LayoutError(
            f"The map names {len(set(columns.values()))} markers; expected at least {LEAST_MARKERS}: map more labels"
        )
    outputs = set(take.model_outputs)
    unmapped = tuple(
        label for column, label in enumerate(take.labels) if column not in columns and label not in outputs
    )
    return LabelMap(OWN_MAP, "", 1.0, dict(columns), unmapped, ())


def markers_of_take(take: C3D, label_map: LabelMap, sampling: Sampling, up_axis: str | None) -> TakeMarkers:
    """The mapped markers of a take, each followed where labels change hands.

    Args:
        take: the take.
        label_map: what its columns mean.
        sampling: which frames.
        up_axis: the axis that is up; None believes the body, and the take where the body does not tell.
    """
    labels, markers = gather_markers(take, label_map)
    points = np.concatenate([markers, stray_points(take, label_map)], axis=1)
    points[~(np.abs(points) <= FARTHEST).all(-1)] = np.nan
    n = len(labels)
    order = continued(np.nan_to_num(points[:, :n]), np.asarray(np.isfinite(points[:, :n]).all(-1)))
    points[:, :n] = np.take_along_axis(points[:, :n], order[..., None], axis=1)
    # All frames say what is up: in those asked for, somebody may lie.
    up_axis = up_axis or up_axis_of(points[:, :n], labels, take.up_axis)
    nearest = np.clip(np.round(sampling.at).astype(int), 0, len(points) - 1)
    return TakeMarkers(labels, turned_to_z(sampled(points, sampling.at), up_axis), up_axis, order[nearest])


def check_markers(markers: np.ndarray, least: int) -> None:
    """Refuse markers (F, M, 3) of which no frame shows enough, or that do not span a person.

    Raises:
        TargetError: so it is, such as where a file's unit is not what it says.
    """
    usable = np.isfinite(markers).all(-1).sum(1) >= least
    if not usable.any():
        raise TargetError(
            f"no frame shows {least} of the {markers.shape[1]} markers at once; expected a full-body take"
        )
    corners = np.nanmax(markers[usable], axis=1) - np.nanmin(markers[usable], axis=1)
    span = float(np.median(np.linalg.norm(corners, axis=-1)))
    if not _SMALLEST < span < _LARGEST:
        raise TargetError(f"the markers span {span:.3g} m; expected those of a person, 1 to 3 m: check the file's unit")
