# SPDX-License-Identifier: Apache-2.0
"""The parts of build.py: environments, the package, the tests and the demo. Standard library only."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
