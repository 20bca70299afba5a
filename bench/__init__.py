# SPDX-License-Identifier: Apache-2.0
"""The figures of the solver, measured here and now; `python build.py bench` runs it.

Poses are those of subjects that training never saw, faults are made with fixed seeds, and every figure that can be is a
ratio of two things measured in one run: machines are noisy.

To add a figure, write a function from `rows.Settings` to one `rows.Outcome` a figure, put it into its module's
BENCHMARKS with names and goals, and a new module into `table`.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
