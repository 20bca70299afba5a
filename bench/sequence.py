# SPDX-License-Identifier: Apache-2.0
"""The engine of takes on points that are known: sequences against single frames, speed, memory."""

from time import perf_counter

import numpy as np

from vendor_core.arrays import Array
from vendor_core.body import default_body
from vendor_core.evaluation.metrics import acceleration_error, joint_error

from .known import KnownTake, known_take
from .machine import peak_memory
from .motion import long_clip, one_clip_a_subject
from .rows import Benchmark, Figure, Outcome, Settings, Unavailable
from .takes_made import Faults, many_points, record

_RATES = (120.0, 30.0)  # Hz
_TAKES, _SECONDS = 3, 5
_NOISY = Faults(noise=0.005)
_SPEED_FRAMES, _RATE = 3000, 120.0
_LONG_FRAMES, _LONG_POINTS = 10_000, 60


def _against_frames(settings: Settings) -> list[Outcome]:
    clean, noisy = ([_both_ways(settings, rate, faults) for rate in _RATES] for faults in (Faults(), _NOISY))
    return [found[0] for found in clean] + [outcome for found in noisy for outcome in found[1:]]


def _both_ways(settings: Settings, rate: float, faults: Faults) -> list[Outcome]:
    """How far sequences are from single frames, their acceleration errors and joint errors by those of frames."""
    apart, accelerations, errors = [], [], []
    moves = one_clip_a_subject(settings, round(_SECONDS * rate), rate)[:_TAKES]
    for seed, move in enumerate(moves):
        made = record(move, default_body(), faults=faults, seed=seed)
        take = known_take(made)
        together, alone = take.in_sequence(), take.frame_by_frame()
        apart.append(1e3 * np.linalg.norm(together - alone, axis=-1))
        accelerations.append([acceleration_error(joints, made.joints) for joints in (together, alone)])
        errors.append([joint_error(joints, made.joints) for joints in (together, alone)])
    distance = np.concatenate(apart)
    note = (
        f"{len(moves)} takes of {_SECONDS} s, splines at {rate:g} Hz of motion at 30 Hz, 41 points known, "
        f"{1e3 * faults.noise:g} mm noise"
    )
    (acceleration, acceleration_alone), (error, error_alone) = np.mean(accelerations, axis=0), np.mean(errors, axis=0)
    ends = f"p99 {np.percentile(distance, 99):.2f} mm, largest {distance.max():.1f} mm"
    joints = f"joints from the truth {error:.2f} mm, frame by frame {error_alone:.2f} mm"
    return [
        Outcome(float(distance.mean()), note=f"{note}; {ends}; {joints}"),
        Outcome(
            acceleration / acceleration_alone,
            note=f"{note}; {acceleration:.3f} by {acceleration_alone:.3f} mm/frame^2",
        ),
        Outcome(error, "frame by frame", error_alone, note, goal=error_alone),
    ]


def _speed_take(settings: Settings) -> KnownTake:
    return known_take(record(long_clip(settings, _SPEED_FRAMES, _RATE), default_body(), faults=Faults(noise=0.001)))


def _speed(take: KnownTake, like: Array) -> Outcome:
    warm = KnownTake(take.subject, take.targets[:200], take.seen[:200], take.rate)
    warm.in_sequence(like)
    began = perf_counter()
    take.in_sequence(like)
    speed = _SPEED_FRAMES / (perf_counter() - began)
    return Outcome(speed, "the recording", _RATE, f"{_SPEED_FRAMES} frames at {_RATE:g} Hz, 1 mm noise, points known")


def _numpy_speed(settings: Settings) -> list[Outcome]:
    return [_speed(_speed_take(settings), np.zeros(1, np.float32))]


def _torch_speed(settings: Settings) -> list[Outcome]:
    try:
        import torch
    except ImportError:
        raise Unavailable("torch is not installed") from None
    return [_speed(_speed_take(settings), torch.zeros(1, dtype=torch.float32))]


def _memory(settings: Settings) -> list[Outcome]:
    body = default_body()
    points = many_points(body, _LONG_POINTS)
    made = record(long_clip(settings, _LONG_FRAMES, _RATE), body, faults=Faults(noise=0.001), points=points)
    take, before = known_take(made), peak_memory()
    error = joint_error(take.in_sequence(), made.joints)
    note = (
        f"{_LONG_FRAMES} frames at {_RATE:g} Hz, 41 markers and {_LONG_POINTS - 41} vertices, known; the whole "
        f"process, {before:.2f} GB of it before the solve, to make the take; joints {error:.2f} mm from the truth"
    )
    return [Outcome(peak_memory(), note=note)]


BENCHMARKS = (
    Benchmark(
        "sequence",
        (
            *(Figure(f"sequence on clean markers at {rate:g} Hz, distance from single frames", "mm", "lower", goal=0.5)
              for rate in _RATES),
            *(figure for rate in _RATES for figure in (
                Figure(f"sequence, 5 mm noise at {rate:g} Hz, acceleration error by single frames'", "x", "lower",
                       goal=0.25 if rate == max(_RATES) else None),
                Figure(f"sequence, 5 mm noise at {rate:g} Hz, joints, mean distance", "mm", "lower"),
            )),
        ),
        _against_frames,
        threads=None,
    ),
    Benchmark(
        "engine",
        (Figure("the engine of takes, 41 known points, sequence", "frames/s", "higher", goal=500,
                goal_without_blas=120),),
        _numpy_speed,
        threads=None,
        without_blas=True,
    ),
    Benchmark(
        "engine-torch",
        (Figure("the engine of takes, 41 known points, sequence, torch", "frames/s", "higher", goal=1000),),
        _torch_speed,
        threads=1,  # the engine's own threads share the cores already
    ),
    Benchmark(
        "memory",
        (Figure("a take of 10,000 frames and 60 points, peak memory", "GB", "lower", goal=1.5),),
        _memory,
        threads=None,
    ),
)  # fmt: skip
