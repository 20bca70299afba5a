# SPDX-License-Identifier: Apache-2.0
"""Work on all cores: threads, since array libraries let go of Python's lock while they compute."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")

_MOST = 8  # threads: beyond, what each does between two array operations keeps the others waiting


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_parallel(function: Callable[[_In], _Out], items: Iterable[_In]) -> Iterator[_Out]:
    """The function's results in the order of the items, as they come; on an exception what has not begun never does."""
    items = list(items)
    workers = min(cores(), len(items), _MOST)
    if workers <= 1:
        yield from map(function, items)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="poise")
    try:
        yield from pool.map(function, items)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
