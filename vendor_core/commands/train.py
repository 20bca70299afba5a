# SPDX-License-Identifier: Apache-2.0
"""A prior trained on motion."""

from argparse import Namespace
from typing import Any

from .shared import progress


def train(options: Namespace) -> dict[str, Any]:
    """A prior trained on motion, written as weights."""
    from ..training.train_vae import train_vae

    with progress(options.out.name) as report:
        result = train_vae(options.data, options.out, options.seed, options.device, report)
    print(f"{options.out}: {result['bytes']:,} bytes after {result['seconds']} s on {result['device']}")
    return result
