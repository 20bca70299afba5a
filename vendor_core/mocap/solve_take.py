# SPDX-License-Identifier: Apache-2.0
"""From a C3D take to a motion: labels, markers on the body, the subject's shape and offsets, every frame's pose."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from ..arrays import FARTHEST, Array
from ..body import BodyModel
from ..devices import chosen_device
from ..errors import TargetError
from ..ik.points import N_BETAS, place
from ..ik.state import PoseState
from ..linalg import one_blas_thread
from ..motion import Motion, status_counts
from ..prior.base import Prior
from ..rotations import log_so3
from ..skeleton import JOINTS, N_BODY
from .c3d import C3D
from .label_take import label_take
from .layouts import LabelMap, gather_markers, stray_points
from .marker_points import PlacedMarkers, place_markers
from .solve_frames import solve_frames
from .subject import LEAST_MARKERS, Subject, calibrate_subject
from .swaps import unswapped
from .timing import resampled, z_up

_SMALLEST, _LARGEST = 0.4, 6.0  # metres that the markers of a person span
_REJECTED = 0.04  # metres: the robust loss hardly listens to a marker farther from its place

Report = Callable[[float, str], None]
"""Called with the fraction done and a line of text; raises `Cancelled` to end the work."""


@dataclass(frozen=True)
class TakeOptions:
    """How to solve a take; frames are those of the source."""

    layout: str = "auto"
    betas: np.ndarray | None = None  # (B,) known shape; None estimates it
    fps: float | None = None  # Hz of the result; None keeps the source's
    first: int = 0
    last: int | None = None  # inclusive
    device: str = "cpu"  # of `devices.NAMES`, for the frames; calibration is NumPy's


@dataclass(frozen=True)
class TakeSolution:
    """A solved take."""

    motion: Motion
    summary: dict[str, Any]  # the JSON of the verb `solve`
    labels: tuple[str, ...]
    markers: np.ndarray  # (F, M, 3) metres, Z up, NaN where unseen, at the motion's rate
    residual: np.ndarray  # (F, M) metres, NaN where unseen
    order: (
        np.ndarray
    )  # (F, M) which point each marker is: its own, another's or a nameless one after those; -1 for none


@one_blas_thread
def solve_take(take: C3D, body: BodyModel, prior: Prior, options: TakeOptions, report: Report) -> TakeSolution:
    """Solve a take of one subject.

    Args:
        take: the markers.
        body: a body with a mesh.
        prior: of poses.
        options: what to solve and how.
        report: called with a fraction in 0..1 and a text; may raise `Cancelled`.

    Raises:
        LayoutError: the labels fit no layout.
        TargetError: no frame shows enough markers, or the range holds no frame.
        BodyError: the body has no mesh.
    """
    began = perf_counter()
    device = chosen_device(options.device)
    report(0.0, "Reading labels")
    body = body.first_betas(N_BETAS if options.betas is None else len(options.betas))
    label_map = label_take(take, options.layout, body, prior, lambda f, text: report(0.05 * f, text))
    labels, points, rate = _points(take, label_map, options)
    markers = points[:, : len(labels)]
    _check_markers(markers)
    placed = place_markers(body, labels)
    report(0.05, "Placing markers")
    solved = _solved(placed, prior, markers, rate, options, device.like, lambda f, text: report(0.05 + 0.95 * f, text))
    order = unswapped(solved.places, np.nan_to_num(points), np.all(np.isfinite(points), axis=-1))
    if (order != np.arange(len(labels))).any():
        markers = np.where(
            order[..., None] >= 0, np.take_along_axis(points, np.maximum(order, 0)[..., None], 1), np.nan
        )
        solved = _solved(
            placed, prior, markers, rate, options, device.like, lambda f, text: report(0.5 + 0.5 * f, text)
        )
    motion = _motion(solved, rate, "default" if body.beta_names else "")
    residual = np.linalg.norm(solved.places - markers, axis=-1)
    summary = _summary(motion, label_map, labels, residual, order, perf_counter() - began) | {"device": device.why}
    return TakeSolution(motion, summary, labels, markers, residual, order)


def _points(take: C3D, label_map: LabelMap, options: TakeOptions) -> tuple[tuple[str, ...], np.ndarray, float]:
    """Labels of M markers, their points and after them those without a label, (F, N, 3) metres, Z up, and the rate."""
    labels, markers = gather_markers(take, label_map)
    source = np.concatenate([markers, stray_points(take, label_map)], axis=1)
    source = _trimmed(np.where(np.abs(source) <= FARTHEST, source, np.nan), options)
    return labels, *resampled(z_up(source, labels, take.up_axis), take.rate, options.fps)


def _check_markers(markers: np.ndarray) -> None:
    """Refuse markers (F, M, 3) of which no frame shows enough, or that do not span a person.

    Raises:
        TargetError: so it is.
    """
    usable = np.isfinite(markers).all(-1).sum(1) >= LEAST_MARKERS
    if not usable.any():
        raise TargetError(
            f"no frame shows {LEAST_MARKERS} of the {markers.shape[1]} markers at once; expected a full-body take"
        )
    _check_size(markers[usable])


@dataclass(frozen=True)
class _Solved:
    subject: Subject
    state: PoseState  # F frames
    status: np.ndarray  # (F,)
    places: np.ndarray  # (F, M, 3) metres, where the body has its markers


def _solved(
    placed: PlacedMarkers, prior: Prior, markers: np.ndarray, rate: float, options: TakeOptions, like: Array,
    report: Report,
) -> _Solved:  # fmt: skip
    """The subject and the poses of markers (F, M, 3), NaN where unseen."""
    seen = np.all(np.isfinite(markers), axis=-1)
    usable, targets = seen.sum(1) >= LEAST_MARKERS, np.where(seen[..., None], markers, 0.0)
    subject = calibrate_subject(
        placed, prior, targets[usable], seen[usable], options.betas, lambda f, text: report(0.4 * f, text)
    )
    text = f"Solving {int(usable.sum())} frames"
    state, status = solve_frames(
        subject, prior, targets, seen & usable[:, None], rate, lambda f: report(0.4 + 0.6 * f, text), like
    )
    return _Solved(subject, state, status, place(subject.points, state.on(subject.points.bones))[0])


def _check_size(markers: np.ndarray) -> None:
    """Refuse markers that do not span a person, such as those of a file whose unit is not what it says."""
    corners = np.nanmax(markers, axis=1) - np.nanmin(markers, axis=1)
    span = float(np.median(np.linalg.norm(corners, axis=-1)))
    if not _SMALLEST < span < _LARGEST:
        raise TargetError(f"the markers span {span:.3g} m; expected those of a person, 1 to 3 m: check the file's unit")


def _trimmed(markers: np.ndarray, options: TakeOptions) -> np.ndarray:
    last = len(markers) - 1 if options.last is None else min(options.last, len(markers) - 1)
    if not 0 <= options.first <= last:
        raise TargetError(f"the range {options.first}..{last} holds no frame; expected frames 0..{len(markers) - 1}")
    return markers[options.first : last + 1]


def _motion(solved: _Solved, rate: float, body_name: str) -> Motion:
    poses = np.zeros((len(solved.state), len(JOINTS), 3))
    poses[:, :N_BODY] = log_so3(solved.state.R_local)
    betas = solved.subject.betas
    return Motion(poses, solved.state.trans, rate, betas, body_name=body_name, frame_status=solved.status)


def _summary(
    motion: Motion,
    label_map: LabelMap,
    labels: tuple[str, ...],
    residual: np.ndarray,
    order: np.ndarray,
    seconds: float,
) -> dict[str, Any]:
    visible = residual[np.isfinite(residual)]
    swapped = float(np.mean((order != np.arange(len(labels)))[np.isfinite(residual) & (order < len(labels))]))
    found = int(np.sum(order >= len(labels)))
    assert motion.frame_status is not None
    per_marker = {
        label: {
            "rms_mm": _rms_mm(residual[:, i]),
            "missing": int(np.isnan(residual[:, i]).sum()),
            "rejected": int(np.nansum(residual[:, i] > _REJECTED)),
        }
        for i, label in enumerate(labels)
    }
    return {
        "frames": len(motion),
        "rate": motion.rate,
        "seconds": round(seconds, 3),
        "frames_per_second": round(len(motion) / seconds, 1),
        "layout": label_map.layout,
        "confidence": round(label_map.confidence, 3),
        "mapped": list(labels),
        "unmapped": list(label_map.unmapped),
        "notes": [*label_map.notes, *_notes_of_order(swapped, found)],
        "rms_mm": _rms_mm(visible),
        "median_mm": round(float(np.median(visible)) * 1e3, 3),
        "swapped_fraction": round(swapped, 5),
        "rejected_fraction": round(float(np.mean(visible > _REJECTED)), 5),
        "frame_status": status_counts(motion.frame_status),
        "markers": per_marker,
    }


def _notes_of_order(swapped: float, found: int) -> list[str]:
    notes = [f"{swapped:.2%} of the markers had another's label, which was put right"] if swapped else []
    return [*notes, f"{found} points without a label were recognised"] if found else notes


def _rms_mm(residual: np.ndarray) -> float | None:
    finite = residual[np.isfinite(residual)]
    return round(float(np.sqrt(np.mean(finite**2))) * 1e3, 3) if len(finite) else None
