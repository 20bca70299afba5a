# SPDX-License-Identifier: Apache-2.0
"""Takes of marker trajectories, whatever file they come in."""

from pathlib import Path

from .c3d import C3D, read_c3d
from .trc import read_trc

SUFFIXES = (".c3d", ".trc")


def read_take(path: str | Path) -> C3D:
    """Read a C3D or TRC file.

    Raises:
        C3DError: the file is missing, damaged, or holds no markers.
    """
    return read_trc(path) if Path(path).suffix.lower() == ".trc" else read_c3d(path)
