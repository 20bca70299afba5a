# SPDX-License-Identifier: Apache-2.0
"""What a solve says of itself: the JSON of the verb `solve`."""

from typing import Any

import numpy as np

from ..motion import Motion, status_counts
from .c3d import C3D
from .layouts import LabelMap
from .timing import Sampling

REJECTED = 0.04
"""Metres: the robust loss hardly listens to a marker farther from its place."""


def summary_of(
    motion: Motion, label_map: LabelMap, labels: tuple[str, ...], residual: np.ndarray, order: np.ndarray,
    seconds: float,
) -> dict[str, Any]:  # fmt: skip
    """How a solve went.

    Args:
        motion: F frames, with their status.
        label_map: what the take's labels mean.
        labels: M markers.
        residual: (F, M) metres, NaN where unseen.
        order: (F, M) as in `TakeSolution`.
        seconds: that the solve took.
    """
    assert motion.frame_status is not None
    visible = residual[np.isfinite(residual)]
    swapped = float(np.mean((order != np.arange(len(labels)))[np.isfinite(residual) & (order < len(labels))]))
    found = int(np.sum(order >= len(labels)))
    return {
        "frames": len(motion),
        "rate": motion.rate,
        "seconds": round(seconds, 3),
        "frames_per_second": round(len(motion) / seconds, 1),
        "layout": label_map.layout,
        "subject": label_map.subject,
        "confidence": round(label_map.confidence, 3),
        "mapped": list(labels),
        "unmapped": list(label_map.unmapped),
        "notes": [*label_map.notes, *_notes_of_order(swapped, found)],
        "rms_mm": _rms_mm(visible),
        "median_mm": round(float(np.median(visible)) * 1e3, 3),
        "swapped_fraction": round(swapped, 5),
        "rejected_fraction": round(float(np.mean(visible > REJECTED)), 5),
        "frame_status": status_counts(motion.frame_status),
        "markers": {label: _of_marker(residual[:, i]) for i, label in enumerate(labels)},
    }


def source_of(take: C3D, up_axis: str, times: Sampling) -> dict[str, Any]:
    """What the file says of the take: its rate, unit, up axis (as used), first frame, and events, seconds and label.

    And where the motion starts, in seconds from the take's first frame.
    """
    return {
        "start": round(float(times.at[times.inside.start]) / take.rate, 6),
        "source_rate": take.rate,
        "units": take.units,
        "up_axis": up_axis,
        "first_frame": take.first_frame,
        "events": [[round(float(seconds), 6), label] for seconds, label in take.events],
    }


def _of_marker(residual: np.ndarray) -> dict[str, Any]:
    visible = residual[np.isfinite(residual)]
    return {
        "rms_mm": _rms_mm(visible),
        "median_mm": round(float(np.median(visible)) * 1e3, 3) if len(visible) else None,
        "missing": len(residual) - len(visible),
        "rejected": int(np.sum(visible > REJECTED)),
    }


def _notes_of_order(swapped: float, found: int) -> list[str]:
    notes = [f"{swapped:.2%} of the markers had another's label, which was put right"] if swapped else []
    return [*notes, f"{found} points without a label were recognised"] if found else notes


def _rms_mm(residual: np.ndarray) -> float | None:
    return round(float(np.sqrt(np.mean(residual**2))) * 1e3, 3) if len(residual) else None
