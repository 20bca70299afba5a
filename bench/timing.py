# SPDX-License-Identifier: Apache-2.0
"""Timing on machines that others use too: what is compared takes turns, and the best round counts."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from vendor_core.evaluation.timing import without_collection


@dataclass(frozen=True)
class Times:
    """Milliseconds a call: of each round the median and the 95th percentile, of those the smallest."""

    p50: float
    p95: float
    cpu_p50: float  # of the time that this process kept processors busy, all its threads together


def interleaved(variants: Mapping[str, Callable[[int], object]], items: int, rounds: int = 3) -> dict[str, Times]:
    """Time variants that take turns item by item, so that a slow moment of the machine meets all of them.

    Args:
        variants: functions of an item's number.
        items: how many different items there are.
        rounds: how often all items are gone through, after one call of each variant that is not timed.
    """
    wall, cpu = ({name: np.zeros((rounds, items)) for name in variants} for _ in range(2))
    for function in variants.values():
        function(0)
    with without_collection():
        for turn in range(rounds):
            for item in range(items):
                for name, function in variants.items():
                    began, began_cpu = time.perf_counter(), time.process_time()
                    function(item)
                    wall[name][turn, item] = time.perf_counter() - began
                    cpu[name][turn, item] = time.process_time() - began_cpu
    return {name: _best(wall[name], cpu[name]) for name in variants}


def once(function: Callable[[], object]) -> tuple[float, float]:
    """Seconds and processor seconds of one call."""
    began, began_cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - began, time.process_time() - began_cpu


def _best(wall: np.ndarray, cpu: np.ndarray) -> Times:
    p50, p95 = (1e3 * float(np.percentile(wall, q, axis=1).min()) for q in (50, 95))
    return Times(p50, p95, 1e3 * float(np.median(cpu, axis=1).min()))
