# SPDX-License-Identifier: Apache-2.0
"""The figures of the solver, measured here and now; `python build.py bench` runs it.

Poses are those of subjects that training never saw, faults are made with fixed seeds, and every figure that can be is a
ratio of two things measured in one run: machines are noisy.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
