# SPDX-License-Identifier: Apache-2.0
"""How long calls take."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

import numpy as np


@contextmanager
def without_collection() -> Iterator[None]:
    """Keep the garbage collector out of what is timed."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile of durations, as `ms_p50` and `ms_p95`."""
    p50, p95 = (round(1e3 * float(np.percentile(seconds, q)), 4) for q in (50, 95))
    return {"ms_p50": p50, "ms_p95": p95}


class Stopwatch:
    """Durations of blocks of code: `with watch: ...`."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, *_error: object) -> None:
        self.seconds.append(perf_counter() - self._began)
