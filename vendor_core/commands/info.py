# SPDX-License-Identifier: Apache-2.0
"""What a file holds."""

from argparse import Namespace
from typing import Any

from ..info import describe


def info(options: Namespace) -> dict[str, Any]:
    """What a file holds."""
    facts = describe(options.file)
    for name, value in facts.items():
        print(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    return facts
