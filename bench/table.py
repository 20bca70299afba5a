# SPDX-License-Identifier: Apache-2.0
"""All benchmarks, in the order in which they run and are shown."""

from . import (
    accuracy,
    against_reference,
    batch,
    calibration,
    cold,
    from_pictures,
    live,
    robustness,
    sequence,
    takes,
)
from .rows import Benchmark

_MODULES = (
    live, cold, against_reference, accuracy, from_pictures, sequence, takes, robustness, calibration, batch,
)  # fmt: skip

ALL: dict[str, Benchmark] = {benchmark.name: benchmark for module in _MODULES for benchmark in module.BENCHMARKS}
