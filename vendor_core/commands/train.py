# SPDX-License-Identifier: Apache-2.0
"""A prior trained on motion."""

import sys
from argparse import Namespace
from contextlib import nullcontext
from typing import Any

from tqdm import tqdm

from .shared import progress


def train(options: Namespace) -> dict[str, Any]:
    """A prior trained on motion, written as weights."""
    from ..training.processes import is_first
    from ..training.train_vae import STEPS, train_vae

    steps = options.steps or STEPS
    with progress(options.out.name) if is_first() else nullcontext() as report:
        result = train_vae(
            options.data, options.out, options.seed, options.device, report, steps, split=options.split, say=_say
        )
    if not result:  # a process that helped the first one
        options.json = None
        return result
    held_out = f", loss of people held out {result['val_loss']:.4f}" if "val_loss" in result else ""
    print(f"{options.out}: {result['bytes']:,} bytes after {result['seconds']} s on {result['device']}{held_out}")
    if result["skipped"]:
        print(f"{sum(result['skipped'].values())} files skipped:")
        print("\n".join(f"{count:6d}  {reason}" for reason, count in result["skipped"].items()))
    return result


def _say(text: str) -> None:
    """A line that stays, above the bar."""
    with tqdm.external_write_mode():
        print(f"poise: {text}", file=sys.stderr)
