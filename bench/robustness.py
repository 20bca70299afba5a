# SPDX-License-Identifier: Apache-2.0
"""What noise, swapped labels, outliers and gaps do to a take."""

from collections.abc import Callable, Sequence

import numpy as np

from vendor_core.body import default_body
from vendor_core.evaluation.metrics import joint_error
from vendor_core.mocap.solve_take import TakeOptions

from .known import known_take
from .motion import one_clip_a_subject
from .rows import Benchmark, Figure, Outcome, Settings
from .takes import motion_joints, solve_quietly
from .takes_made import Faults, MadeTake, record, with_faults

_NOISE = 0.003  # metres
FAULTS = {
    "10 % outliers": Faults(_NOISE, outliers=0.10),
    "10 % swaps": Faults(_NOISE, swaps=0.10),
    "15 % gaps": Faults(_NOISE, gaps=0.15),
    "outliers and gaps": Faults(_NOISE, outliers=0.10, gaps=0.15),
    "swaps and gaps": Faults(_NOISE, swaps=0.10, gaps=0.15),
}
BOTH = ("outliers and gaps", "swaps and gaps")
_SECONDS, _TAKES = 4, 3
_RATES = (120.0, 30.0)  # Hz


def engine_error(take: MadeTake) -> float:
    """Mean distance, mm, of the joints where the points' places on the body are known."""
    return joint_error(known_take(take).in_sequence(), take.joints)


def whole_error(take: MadeTake) -> float:
    """The same where the shape is known, and the markers' offsets are found first."""
    solved = solve_quietly(take.c3d(), TakeOptions(betas=take.subject.betas))
    return joint_error(motion_joints(solved.motion), take.joints)


def _measured(
    settings: Settings, error: Callable[[MadeTake], float], rates: Sequence[float], names: Sequence[str], known: str
) -> list[Outcome]:  # fmt: skip
    """One outcome a rate and fault."""
    outcomes = []
    for rate in rates:
        clips = one_clip_a_subject(settings, round(_SECONDS * rate), rate)[:_TAKES]
        clean = [record(clip, default_body()) for clip in clips]
        clean_mm, noisy_mm = (_mean(error, clean, faults) for faults in (Faults(), Faults(_NOISE)))
        note = f"{len(clips)} takes of {_SECONDS} s, {known}, 3 mm noise; with the noise alone {noisy_mm:.2f} mm"
        goal = max(1.2 * clean_mm, clean_mm + 1.0)
        outcomes += [
            Outcome(_mean(error, clean, FAULTS[name]), "without noise and faults", clean_mm, note, goal)
            for name in names
        ]
    return outcomes


def _mean(error: Callable[[MadeTake], float], clean: Sequence[MadeTake], faults: Faults) -> float:
    return float(np.mean([error(with_faults(take, faults, seed)) for seed, take in enumerate(clean)]))


BENCHMARKS = (
    Benchmark(
        "robustness",
        tuple(
            Figure(f"joints of a take with {name}, {rate:g} Hz, points known", "mm", "lower")
            for rate in _RATES
            for name in FAULTS
        ),
        lambda settings: _measured(settings, engine_error, _RATES, tuple(FAULTS), "41 points known"),
        threads=None,
    ),
    Benchmark(
        "robustness-whole",
        tuple(Figure(f"joints of a take with {name}, {_RATES[1]:g} Hz, offsets found", "mm", "lower") for name in BOTH),
        lambda settings: _measured(settings, whole_error, _RATES[1:], BOTH, "shape known, marker offsets not"),
        threads=None,
    ),
)
