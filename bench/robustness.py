# SPDX-License-Identifier: Apache-2.0
"""What noise, swapped labels, outliers and gaps do to a take."""

import numpy as np

from vendor_core.body import default_body
from vendor_core.mocap.solve_take import TakeOptions

from .metrics import joint_error
from .motion import one_clip_a_subject
from .rows import Benchmark, Figure, Outcome, Settings
from .takes import motion_joints, solve_quietly
from .takes_made import Faults, MadeTake, record, with_faults

FAULTS = Faults(noise=0.003, swaps=0.05, outliers=0.05, gaps=0.15)
_FRAMES, _RATE, _TAKES = 150, 30.0, 6


def _faulty_takes(settings: Settings) -> list[Outcome]:
    clips = one_clip_a_subject(settings, _FRAMES, _RATE)[:_TAKES]
    clean = [record(clip, default_body()) for clip in clips]
    faulty = [with_faults(take, FAULTS, seed) for seed, take in enumerate(clean)]
    noisy = [with_faults(take, Faults(noise=FAULTS.noise), seed) for seed, take in enumerate(clean)]
    clean_mm, noisy_mm, faulty_mm = (float(np.mean([_error(take) for take in ts])) for ts in (clean, noisy, faulty))
    note = (
        f"{len(clips)} takes of {_FRAMES} frames at {_RATE:g} Hz, 41 markers, shape known, offsets not: 3 mm noise, "
        f"5 % swapped, 5 % displaced, 15 % unseen; with the noise alone {noisy_mm:.2f} mm"
    )
    goal = max(1.2 * clean_mm, clean_mm + 1.0)
    return [Outcome(faulty_mm, "the same takes without noise and faults", clean_mm, note, goal)]


def _error(take: MadeTake) -> float:
    solved = solve_quietly(take.c3d(), TakeOptions(betas=take.subject.betas))
    return joint_error(motion_joints(solved.motion), take.joints)


BENCHMARKS = (
    Benchmark(
        "robustness",
        (Figure("joints of a take with noise, outliers, swaps and gaps, mean distance", "mm", "lower"),),
        _faulty_takes,
        threads=None,
    ),
)
