# SPDX-License-Identifier: Apache-2.0
"""A stranger's shape and marker offsets, found from a take alone."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from vendor_core.body import default_body
from vendor_core.mocap.marker_points import place_markers
from vendor_core.mocap.subject import calibrate_subject
from vendor_core.prior import load_prior
from vendor_core.skeleton import N_BODY

from .metrics import bone_length_errors
from .motion import one_clip_a_subject
from .rows import Benchmark, Figure, Outcome, Settings
from .takes_made import LABELS, Faults, MadeTake, record, unusual_subject

_FRAMES, _RATE = 1200, 120.0
_SUBJECTS = 5


@dataclass(frozen=True)
class _Found:
    seconds: float
    worst_bone: float  # mm
    mean_bone: float  # mm
    offsets: float  # mm, root mean square
    offsets_before: float  # mm, of the table's places


def _strangers(settings: Settings) -> list[Outcome]:
    body = default_body()
    moves = one_clip_a_subject(settings, _FRAMES, _RATE)
    found = []
    for seed in range(_SUBJECTS):
        stranger = unusual_subject(body, seed)
        found.append(_calibrated(record(moves[seed % len(moves)], body, stranger, Faults(noise=0.001), seed)))
    worst, mean, offsets, before, seconds = (
        np.array([getattr(f, name) for f in found])
        for name in ("worst_bone", "mean_bone", "offsets", "offsets_before", "seconds")
    )
    note = f"{_SUBJECTS} subjects with half of their betas at 2 or -2, {_FRAMES} frames at {_RATE:g} Hz, 1 mm noise"
    each = f"{note}; worst bone of each: {', '.join(f'{mm:.1f}' for mm in worst)} mm"
    return [
        Outcome(float(worst.mean()), note=each),
        Outcome(float(mean.mean()), note=note),
        Outcome(float(offsets.mean()), "the markers at the table's places", float(before.mean()), note),
        Outcome(float(np.median(seconds)), note=note),
    ]


def _calibrated(take: MadeTake) -> _Found:
    body = default_body()
    seen = np.all(np.isfinite(take.markers), axis=-1)
    began = perf_counter()
    placed = place_markers(body, LABELS)
    subject = calibrate_subject(placed, load_prior(), take.markers, seen, None, lambda fraction, text: None)
    seconds = perf_counter() - began
    rest, true_rest = (body.rest_joints(betas)[:N_BODY] for betas in (subject.betas, take.subject.betas))
    bones = np.abs(bone_length_errors(rest, true_rest))
    apart = _rms(subject.offsets - take.subject.offsets)
    return _Found(seconds, float(bones.max()), float(bones.mean()), apart, _rms(take.subject.offsets))


def _rms(offsets: np.ndarray) -> float:
    """Root mean square length, mm, of offsets (M, 3) in metres."""
    return 1e3 * float(np.sqrt(np.mean(np.sum(offsets**2, axis=-1))))


BENCHMARKS = (
    Benchmark(
        "calibration",
        (
            Figure("a stranger's bone lengths, the worst bone", "mm", "lower", goal=3),
            Figure("a stranger's bone lengths, mean of all bones", "mm", "lower"),
            Figure("a stranger's marker offsets, rms", "mm", "lower", goal=4),
            Figure("a stranger's calibration", "s", "lower", goal=5),
        ),
        _strangers,
    ),
)
