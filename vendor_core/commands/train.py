# SPDX-License-Identifier: Apache-2.0
"""A prior trained on motion."""

import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .shared import progress, say

_A_LINE = 60.0  # seconds from one to the next in a log


def train(options: Namespace) -> dict[str, Any]:
    """A prior trained on motion, written as weights."""
    from ..training.processes import is_first
    from ..training.train_prior import train_prior

    with _told(options.out.name, is_first()) as report:
        result = train_prior(
            options.data, options.out, options.seed, options.device, report, options.steps, options.split, say,
            kind=options.kind,
        )  # fmt: skip
    if not result:  # a process that helped the first one
        options.json = None
        return result
    measured = "loss of people held out" if options.kind == "vae" else "recall + precision in mm:"
    held_out = f", {measured} {result['val_loss']:.4f}" if "val_loss" in result else ""
    print(f"{options.out}: {result['bytes']:,} bytes after {result['seconds']} s on {result['device']}{held_out}")
    if result["skipped"]:
        print(f"{sum(result['skipped'].values())} files skipped:")
        print("\n".join(f"{count:6d}  {reason}" for reason, count in result["skipped"].items()))
    return result


@contextmanager
def _told(title: str, first: bool) -> Iterator[Callable[[float, str], None]]:
    """A bar on a terminal, a line a minute in a log; of several processes the first one tells."""
    if first and sys.stderr.isatty():
        with progress(title) as report:
            yield report
    else:
        yield LogLines(_A_LINE if first else float("inf"))


class LogLines:
    """Progress as lines on standard error, at most one in so many seconds."""

    def __init__(self, every: float):
        self.every, self.last = every, time.monotonic()

    def __call__(self, fraction: float, text: str) -> None:
        if time.monotonic() - self.last >= self.every:
            self.last = time.monotonic()
            print(f"{fraction:4.0%}  {text}", file=sys.stderr, flush=True)
