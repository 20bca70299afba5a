# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in the middle of a training: heard at once, heeded when the step under way is done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed, or the system asked the process to end; when asked a second time it ends at once.

    Only the main thread hears of signals: elsewhere the answer is always no.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked = threading.Event()
    before = {which: signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for which, handler in before.items():
            signal.signal(which, handler)

    def hear(_signal: int, _frame: FrameType | None) -> None:
        asked.set()
        restore()

    for which in before:
        signal.signal(which, hear)
    try:
        yield asked.is_set
    finally:
        restore()
