# SPDX-License-Identifier: Apache-2.0
"""The verbs of the command line: each reads files, calls the core, writes a file, and answers what `--json` holds."""

from .calibrate import calibrate
from .convert import convert
from .denoise import denoise
from .evaluate import evaluate
from .fit import fit
from .info import info
from .interpolate import interpolate
from .sample import sample
from .score import score
from .solve import solve
from .train import train

__all__ = [
    "calibrate",
    "convert",
    "denoise",
    "evaluate",
    "fit",
    "info",
    "interpolate",
    "sample",
    "score",
    "solve",
    "train",
]
