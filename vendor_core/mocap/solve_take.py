# SPDX-License-Identifier: Apache-2.0
"""From a C3D take to a motion: labels, markers on the body, the subject's shape and offsets, every frame's pose."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from ..body import BodyModel
from ..errors import TargetError
from ..ik.fit import nearest_of
from ..ik.initialiser import moved_rigidly, rigid_alignment
from ..ik.points import N_BETAS, place
from ..ik.problem import Problem, Stage
from ..ik.residuals import Position
from ..ik.sequence import Smoothing, noise_of, smoothed, solve_sequence
from ..ik.state import PoseState, Unknowns
from ..linalg import one_blas_thread
from ..motion import HELD, SOLVED, Motion
from ..prior.base import Prior
from ..rotations import log_so3
from ..skeleton import JOINTS, N_BODY
from .c3d import C3D
from .layouts import LabelMap, gather_markers, map_markers
from .marker_points import place_markers
from .subject import MARKER_SIGMA, MARKER_WEIGHTS, Subject, calibrate_subject, heard_within
from .timing import resampled, z_up

_LEAST_MARKERS = 4  # seen in a frame, below which it counts as empty
_SMALLEST, _LARGEST = 0.4, 6.0  # metres that the markers of a person span
_REJECTED = 0.04  # metres: the robust loss hardly listens to a marker farther from its place
_STARTS = 12  # calibrated poses that a frame may start from

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


@dataclass(frozen=True)
class TakeSolution:
    """A solved take."""

    motion: Motion
    summary: dict[str, object]  # the JSON of the verb `solve`
    labels: tuple[str, ...]
    markers: np.ndarray  # (F, M, 3) metres, Z up, NaN where unseen, at the motion's rate
    residual: np.ndarray  # (F, M) metres, NaN where unseen


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
    report(0.0, "Reading labels")
    label_map = map_markers(take, options.layout)
    labels, source = gather_markers(take, label_map)
    source = _trimmed(source, options)
    markers, rate = resampled(z_up(source, labels, take.up_axis), take.rate, options.fps)
    seen = np.all(np.isfinite(markers), axis=-1)
    usable = seen.sum(1) >= _LEAST_MARKERS
    if not usable.any():
        raise TargetError(
            f"no frame shows {_LEAST_MARKERS} of the {len(labels)} mapped markers at once; expected a full-body take"
        )
    _check_size(markers[usable])
    targets = np.where(seen[..., None], markers, 0.0)
    body = body.first_betas(N_BETAS if options.betas is None else len(options.betas))
    placed = place_markers(body, labels)
    report(0.05, "Placing markers")
    subject = calibrate_subject(
        placed, prior, targets[usable], seen[usable], options.betas, lambda f, text: report(0.05 + 0.35 * f, text)
    )
    solved = np.flatnonzero(usable)
    state = _solve_frames(
        subject,
        prior,
        targets[solved],
        seen[solved],
        rate,
        lambda f: report(0.4 + 0.6 * f, f"Solving {len(solved)} frames"),
    )
    state = state.take(nearest_of(solved, len(markers)))
    body_name = "default" if body.beta_names else ""
    motion = _motion(state, subject, rate, solved, body_name)
    x = place(_bulk(subject), state.on(_bulk(subject).bones))[0].astype(np.float64)
    residual = np.where(seen, np.linalg.norm(x - targets, axis=-1), np.nan)
    summary = _summary(motion, label_map, labels, residual, perf_counter() - began)
    return TakeSolution(motion, summary, labels, markers, residual)


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


def _bulk(subject: Subject):
    """The subject's markers in single precision: millions of small products a take."""
    return subject.points.like(np.zeros(1, np.float32))


def _solve_frames(
    subject: Subject, prior: Prior, targets: np.ndarray, seen: np.ndarray, rate: float, report: Callable[[float], None]
) -> PoseState:
    """Poses of all frames, under a narrowing robust loss, smoothed as far as the markers are noisy."""
    single = np.zeros(1, np.float32)
    position = Position(seen, MARKER_SIGMA, subject.points, targets)
    problem = Problem(subject.points.bones, prior, (position,)).like(single)
    far, near = (
        Stage(Unknowns(), MARKER_WEIGHTS, heard_within(scale), iterations, damping=1e-2, tolerance=1e-3)
        for scale, iterations in ((0.15, 6), (0.04, 20))
    )

    def start(rows: np.ndarray) -> PoseState:
        return _similar_start(subject, targets[rows], seen[rows]).like(single)

    state = solve_sequence(problem, start, (far, near), rate, lambda f: report(0.7 * f))
    smoothing = Smoothing(rate, noise_of(problem, state), MARKER_SIGMA)
    return smoothed(problem, state, near, smoothing, lambda f: report(0.7 + 0.3 * f))


def _similar_start(subject: Subject, targets: np.ndarray, seen: np.ndarray) -> PoseState:
    """For each frame the calibrated pose that fits its markers best after a rigid motion."""
    every = np.linspace(0, len(subject.frames) - 1, min(_STARTS, len(subject.frames))).round().astype(int)
    poses = subject.poses.take(every).changed(betas=np.zeros((len(every), 0)))
    candidates = place(subject.points, poses.on(subject.points.bones))[0]  # (K, M, 3)
    confidence = seen.astype(float)
    best = np.full(len(targets), np.inf)
    R, t, chosen = np.zeros((len(targets), 3, 3)), np.zeros((len(targets), 3)), np.zeros(len(targets), int)
    for k, points in enumerate(candidates):
        R_k, t_k = rigid_alignment(np.broadcast_to(points, targets.shape), targets, confidence)
        apart = np.linalg.norm(points @ np.swapaxes(R_k, 1, 2) + t_k[:, None] - targets, axis=-1)
        error = np.sum(np.minimum(apart, 0.3) * confidence, axis=1)
        better = error < best
        best = np.where(better, error, best)
        R, t, chosen = (
            np.where(better[:, None, None], R_k, R),
            np.where(better[:, None], t_k, t),
            np.where(better, k, chosen),
        )
    return moved_rigidly(subject.points.bones, poses.take(chosen), R, t)


def _motion(state: PoseState, subject: Subject, rate: float, solved: np.ndarray, body_name: str) -> Motion:
    poses = np.zeros((len(state), len(JOINTS), 3))
    poses[:, :N_BODY] = log_so3(state.R_local.astype(np.float64))
    status = np.full(len(poses), HELD, np.uint8)
    status[solved] = SOLVED
    return Motion(poses, state.trans.astype(np.float64), rate, subject.betas, body_name=body_name, frame_status=status)


def _summary(
    motion: Motion, label_map: LabelMap, labels: tuple[str, ...], residual: np.ndarray, seconds: float
) -> dict[str, object]:
    visible = residual[np.isfinite(residual)]
    status = motion.frame_status
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
        "notes": list(label_map.notes),
        "rms_mm": _rms_mm(visible),
        "median_mm": round(float(np.median(visible)) * 1e3, 3),
        "rejected_fraction": round(float(np.mean(visible > _REJECTED)), 5),
        "frame_status": {
            "solved": int(np.sum(status == SOLVED)),
            "held": int(np.sum(status == HELD)),
        },
        "markers": per_marker,
    }


def _rms_mm(residual: np.ndarray) -> float | None:
    finite = residual[np.isfinite(residual)]
    return round(float(np.sqrt(np.mean(finite**2))) * 1e3, 3) if len(finite) else None
