# SPDX-License-Identifier: Apache-2.0
"""Writing files as a whole: under a temporary name first, so that no half file ever stands in a good one's place."""

import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_UNFINISHED = ".part"


@contextmanager
def replaced_file(path: str | Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of `path` once it is whole, and leaves nothing behind otherwise.

    Raises:
        OSError: the folder does not exist or is not writable, or the disk is full.
    """
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):  # it is gone once it has taken its place
            os.unlink(temporary)


def remove_unfinished(path: str | Path) -> None:
    """Remove what programs that were killed while they wrote this file have left beside it."""
    path = Path(path)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{_UNFINISHED}"):
        with suppress(OSError):
            left.unlink()
