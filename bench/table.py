# SPDX-License-Identifier: Apache-2.0
"""All benchmarks, in the order in which they run and are shown."""

from . import accuracy, against_reference, calibration, cold, robustness, takes
from .rows import Benchmark

ALL: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for module in (cold, against_reference, accuracy, takes, robustness, calibration)
    for benchmark in module.BENCHMARKS
}  # fmt: skip
