# SPDX-License-Identifier: Apache-2.0
"""Whether markers sit where their names say: a calibrated body's places against those of the table."""

import numpy as np

from .assignment import pairs
from .marker_points import PlacedMarkers
from .subject import Subject

_STRAYED = 9.0  # squared sigmas from the table's place beyond which farther is hardly less likely
_GAIN = 4.0  # in such units, by which names must suit better to be changed


def better_names(placed: PlacedMarkers, subject: Subject, own: np.ndarray) -> np.ndarray:
    """What each of M markers had better be called: itself, unless names change hands to a clear advantage.

    A marker's place on the calibrated body is held against all places of the table, in sigmas. Some markers sit far
    from where they should, so that squares count up to a point only: Cauchy's function.

    Args:
        placed: M markers where the table has them.
        subject: calibrated with them.
        own: indices of the markers that are seen and may change names, none of which has a sigma of zero.

    Returns:
        (M,) index of the marker that each one seems to be.
    """
    table = placed.points.with_betas(subject.betas).rest
    off = (subject.points.rest[own][:, None] - table[own]) / placed.sigma[own]
    cost = _STRAYED * np.log1p(np.sum(off**2, axis=-1) / _STRAYED)
    names = np.arange(len(table))
    a, b = pairs(cost)
    if np.trace(cost) - cost[a, b].sum() > _GAIN:
        names[own[a]] = own[b]
    return names


def notes_of_names(placed: PlacedMarkers, subject: Subject, seen: np.ndarray) -> tuple[str, ...]:
    """A line about markers that sit where others should, if there are such.

    Args:
        placed, subject: as `better_names` takes them.
        seen: (M,) bool, the markers that are seen.
    """
    labels = placed.points.names
    better = better_names(placed, subject, np.flatnonzero(seen & (placed.sigma > 0).all(1)))
    changed = [f"{labels[m]} where {labels[k]} should be" for m, k in enumerate(better.tolist()) if m != k]
    return (f"Some markers may have each other's names: {', '.join(changed)}",) if changed else ()
