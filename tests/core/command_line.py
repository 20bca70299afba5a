# SPDX-License-Identifier: Apache-2.0
"""What tests of the command line share."""

import pytest

from vendor_core.cli import main


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line with which a command line is refused."""
    assert main([str(argument) for argument in arguments]) == 2
    line = capsys.readouterr().err.strip()
    assert line.startswith("poise: ") and "\n" not in line and "Traceback" not in line
    return line
