# SPDX-License-Identifier: Apache-2.0
"""From a C3D take to a motion: labels, markers on the body, the subject's shape and offsets, every frame's pose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np

from ..arrays import Array
from ..body import BodyModel
from ..devices import chosen_device
from ..errors import C3DError, SubjectError
from ..ik.points import N_BETAS, place
from ..ik.state import PoseState
from ..linalg import one_blas_thread
from ..motion import Motion
from ..prior.base import Prior
from ..rotations import log_so3
from ..skeleton import JOINTS, N_BODY
from .anatomy import notes_of_names
from .c3d import C3D
from .calibration_file import Calibration, calibrated_body
from .calibration_frames import LEAST_MARKERS
from .hands_take import Hands, hands_of_take, with_hands, without_fingers
from .label_take import label_take
from .layouts import LabelMap
from .marker_points import PlacedMarkers, SkinPlace, place_markers
from .soles import feet_summary, sole_points
from .solve_frames import Trust, solve_frames
from .subject import Subject, calibrate_subject
from .swaps import unswapped
from .take_fit import HALO, TakeFit, fit_of
from .take_markers import TakeMarkers, check_markers, markers_of_take, own_map
from .take_summary import source_of, summary_of
from .timing import Sampling, sampling
from .unmarked import held_still, notes_of, unmarked

_UNKNOWN = np.full(3, np.nan)

Report = Callable[[float, str], None]
"""Called with the fraction done and a line of text; raises `Cancelled` to end the work."""


@dataclass(frozen=True)
class TakeOptions:
    """How to solve a take; frames are those of the source."""

    layout: str = "auto"
    subject: str | None = None  # prefix of the labels of one of several people; None takes the one with most markers
    columns: Mapping[int, str] | None = None  # marker of each column of the take that is used; None finds them by name
    places: Mapping[str, SkinPlace] = field(default_factory=dict)  # of markers that the table lacks or has elsewhere
    betas: np.ndarray | None = None  # (B,) known shape; None estimates it
    calibration: Calibration | None = None  # of an earlier solve: shape and offsets stay as they are
    fps: float | None = None  # Hz of the result; None keeps the source's
    first: int = 0
    last: int | None = None  # inclusive
    up_axis: str | None = None  # such as "Y" or "-Z", for certain; None: as `up_axis_of` finds it
    device: str = "cpu"  # of `devices.NAMES`, for the frames; calibration is NumPy's


@dataclass(frozen=True)
class TakeSolution:
    """A solved take."""

    motion: Motion
    summary: dict[str, Any]  # the JSON of the verb `solve`
    labels: tuple[str, ...]
    markers: np.ndarray  # (F, M, 3) metres, Z up, NaN where unseen, at the motion's rate
    residual: np.ndarray  # (F, M) metres, NaN where unseen
    order: np.ndarray
    """(F, M) which point each marker is: its own, another's or a nameless one after those; -1 for none."""
    columns: Mapping[int, str]  # of the take that were used, and the marker of each
    calibration: Calibration


@one_blas_thread
def solve_take(
    take: C3D, body: BodyModel, prior: Prior, options: TakeOptions = TakeOptions(),
    report: Report = lambda fraction, text: None,
) -> TakeSolution:  # fmt: skip
    """Solve a take of one subject.

    With a calibration, the frames around a range are solved along with it, so that what is solved of a part of a take
    fits what was solved of the whole.

    Args:
        take: the markers.
        body: a body with a mesh.
        prior: of poses.
        options: what to solve and how.
        report: called with a fraction in 0..1 and a text; may raise `Cancelled`.

    Raises:
        C3DError: the take is none.
        LayoutError: the labels fit no layout, or the map given is none of this take.
        SubjectError: the calibration is of another body.
        TargetError: no frame shows enough markers, the range holds no frame, or a place is not on the body.
        BodyError: the body has no mesh.
    """
    began = perf_counter()
    if not isinstance(take, C3D):
        raise C3DError(f"the take is a {type(take).__name__}; expected what read_take or take_of_points gives")
    device = chosen_device(options.device)
    known = _known(options, body)
    body = body.first_betas(len(known.betas))
    report(0.0, "Reading labels")
    label_map = _labelled(take, body, prior, options, known, lambda f, text: report(0.05 * f, text))
    fit, times = _times(take, options, prior)
    shown = markers_of_take(take, without_fingers(label_map), times, options.up_axis)
    check_markers(shown.markers, LEAST_MARKERS)
    report(0.05, "Placing markers")
    offsets = np.array([known.offsets.get(label, _UNKNOWN) for label in shown.labels])
    placed = place_markers(body, shown.labels, known.places).with_offsets(offsets)
    placed = replace(placed, soles=sole_points(body))
    betas = options.betas if options.calibration is None else known.betas
    work = _Work(placed, prior, times.rate, betas, fit, device.like)
    solved = _solved_in_turn(work, shown, lambda f, text: report(0.05 + 0.9 * f, text))
    hands = hands_of_take(
        take, label_map, times, shown.up_axis, body, known, solved.subject, solved.state,
        lambda f: report(0.95 + 0.05 * f, "Solving fingers"),
    )  # fmt: skip
    seen = np.asarray(np.isfinite(solved.markers).all(-1)).any(0).reshape(-1)
    notes = *notes_of(unmarked(placed.points)[0]), *notes_of_names(placed, solved.subject, seen)
    label_map = replace(label_map, notes=(*label_map.notes, *notes))
    learnt = _learnt(known, shown.labels, solved, hands)
    fit = fit or fit_of(len(take.points), take.rate, times, solved.trust, solved.subject.poses)
    motion = _motion(solved, hands, times, "default" if body.beta_names else "")
    markers, order = solved.markers[times.inside], solved.order[times.inside]
    residual = np.linalg.norm(solved.places[times.inside] - markers, axis=-1)
    labels, feet = shown.labels, _feet(solved, times, shown.labels, markers)
    if hands is not None:
        labels = (*labels, *hands.labels)
        residual, markers, order = with_hands(hands, times.inside, residual, markers, order)
    summary = summary_of(motion, label_map, labels, residual, order, perf_counter() - began) | feet
    summary |= source_of(take, shown.up_axis, times) | {"device": device.why}
    return TakeSolution(motion, summary, labels, markers, residual, order, label_map.columns, replace(learnt, fit=fit))


def _labelled(
    take: C3D, body: BodyModel, prior: Prior, options: TakeOptions, known: Calibration, report: Report
) -> LabelMap:
    """Which column shows which marker: by the user's map, or found."""
    if options.columns is not None:
        return own_map(take, options.columns, known.places)
    return label_take(take, options.layout, body, prior, report, options.subject)


def _times(take: C3D, options: TakeOptions, prior: Prior) -> tuple[TakeFit | None, Sampling]:
    """Which frames to solve; and how the whole was solved, where only a part of it is to be solved again."""
    n, known = len(take.points), options.calibration
    if known is not None and known.fit is not None and known.fit.is_of(n, take.rate, options.fps, prior):
        part = known.fit.part(options.first, n - 1 if options.last is None else min(options.last, n - 1))
        if part is not None:
            return known.fit, part
    halo = 0.0 if known is None else HALO
    return None, sampling(n, take.rate, options.fps, options.first, options.last, halo)


def _known(options: TakeOptions, body: BodyModel) -> Calibration:
    """What is known of the subject beforehand; a marker that has moved since it was calibrated has no offset."""
    places, given = dict(options.places), options.calibration
    if given is None:
        betas = np.zeros(N_BETAS) if options.betas is None else options.betas
        return Calibration(betas, {}, places, calibrated_body(body))
    if options.betas is not None:
        raise SubjectError("A calibration and betas are given, and the calibration holds betas; give one of them")
    given.check_body(body)
    moved = {marker for marker, place in places.items() if given.places.get(marker) != place}
    offsets = {marker: offset for marker, offset in given.offsets.items() if marker not in moved}
    return replace(given, offsets=offsets, places={**given.places, **places})


@dataclass(frozen=True)
class _Work:
    """What does not change from one solve of the frames to the next."""

    placed: PlacedMarkers
    prior: Prior
    rate: float
    betas: np.ndarray | None
    fit: TakeFit | None  # of the whole, where a part is solved again
    like: Array

    def subject(self, targets: np.ndarray, seen: np.ndarray, report: Report) -> Subject:
        """The subject of markers (F, M, 3) in the frames that show enough of them."""
        placed, fit = self.placed, self.fit
        if fit is None or self.betas is None or placed.sigma.any():
            return calibrate_subject(placed, self.prior, targets, seen, self.betas, report)
        n, points = len(fit.starts), placed.points.with_betas(self.betas)
        soles = None if placed.soles is None else placed.soles.with_betas(self.betas)
        return Subject(points, self.betas, np.zeros((len(points), 3)), np.arange(n), fit.poses(), soles)


@dataclass(frozen=True)
class _Solved:
    subject: Subject
    state: PoseState  # F frames
    status: np.ndarray  # (F,)
    trust: Trust
    places: np.ndarray  # (F, M, 3) metres, where the body has its markers
    markers: np.ndarray  # (F, M, 3) metres, NaN where unseen
    order: np.ndarray  # (F, M), see `TakeSolution`


def _solved_in_turn(work: _Work, shown: TakeMarkers, report: Report) -> _Solved:
    """The subject and the poses; once more where that shows that labels were swapped or lost."""
    points, n = shown.points, len(shown.labels)
    solved = _solved(work, shown.markers, report)
    order = unswapped(solved.places, np.nan_to_num(points), np.all(np.isfinite(points), axis=-1))
    if (order == np.arange(n)).all():
        return replace(solved, order=shown.order)
    markers = np.where(order[..., None] >= 0, np.take_along_axis(points, np.maximum(order, 0)[..., None], 1), np.nan)
    again = _solved(work, markers, lambda f, text: report(0.5 + 0.5 * f, text))
    as_labelled = np.take_along_axis(shown.order, np.clip(order, 0, n - 1), axis=1)
    return replace(again, order=np.where((order >= 0) & (order < n), as_labelled, order))


def _solved(work: _Work, markers: np.ndarray, report: Report) -> _Solved:
    """The subject and the poses of markers (F, M, 3), NaN where unseen."""
    seen = np.all(np.isfinite(markers), axis=-1)
    usable, targets = seen.sum(1) >= LEAST_MARKERS, np.where(seen[..., None], markers, 0.0)
    subject = work.subject(targets[usable], seen[usable], lambda f, text: report(0.4 * f, text))
    text = f"Solving {int(usable.sum())} frames"
    state, status, trust = solve_frames(
        subject, work.prior, targets, seen & usable[:, None], work.rate, lambda f: report(0.4 + 0.6 * f, text),
        work.like, work.fit and work.fit.trust,
    )  # fmt: skip
    state = held_still(state, unmarked(work.placed.points)[1])
    places, own = place(subject.points, state.on(subject.points.bones))[0], np.arange(markers.shape[1])
    return _Solved(subject, state, status, trust, places, markers, np.tile(own, (len(markers), 1)))


def _learnt(known: Calibration, labels: tuple[str, ...], solved: _Solved, hands: Hands | None) -> Calibration:
    """What is known of the subject afterwards: of markers that were never seen, nothing."""
    seen = np.all(np.isfinite(solved.markers), axis=-1).any(0)
    new = {label: solved.subject.offsets[i] for i, label in enumerate(labels) if seen[i] and label not in known.offsets}
    if hands is not None:
        told = np.all(np.isfinite(hands.markers), axis=-1).any(0)
        new |= {label: hands.motion.offsets[i] for i, label in enumerate(hands.labels) if told[i]}
    return replace(known, betas=solved.subject.betas, offsets={**known.offsets, **new})


def _feet(solved: _Solved, times: Sampling, labels: tuple[str, ...], markers: np.ndarray) -> dict[str, Any]:
    soles, inside = solved.subject.soles, np.arange(len(solved.state))[times.inside]
    return {} if soles is None else feet_summary(soles, solved.state.take(inside), labels, markers, times.rate)


def _motion(solved: _Solved, hands: Hands | None, times: Sampling, body_name: str) -> Motion:
    state, status = solved.state.take(np.arange(len(solved.state))[times.inside]), solved.status[times.inside]
    poses = np.zeros((len(state), len(JOINTS), 3))
    poses[:, :N_BODY] = log_so3(state.R_local)
    if hands is not None:
        poses[:, N_BODY + 3 :] = hands.motion.poses[times.inside]
    return Motion(poses, state.trans, times.rate, solved.subject.betas, body_name=body_name, frame_status=status)
