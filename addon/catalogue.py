# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue "Poise" of the asset browser, in the file where Blender keeps an asset library's catalogues.

No bpy here. Lines of others are kept as they are, and the file is replaced in one step, so none is ever lost.
"""

import os
import tempfile
from pathlib import Path

from ..vendor_core.errors import PoiseError

NAME = "Poise"
UUID = "7d0c4f0e-53f1-4a52-9c2b-6a0f5b1d8e37"
"""Of the catalogue in every library, so that assets find it wherever they are moved."""
_FILE = "blender_assets.cats.txt"
_HEAD = """# This is an Asset Catalog Definition file for Blender.
#
# Empty lines and lines starting with `#` will be ignored.
# The first non-ignored line should be the version indicator.
# Other lines are of the format "UUID:catalog/path/for/assets:simple catalog name"

VERSION 1

"""


class CatalogueError(PoiseError):
    """The file of catalogues cannot be read or written, or is of another version."""


def ensure_catalogue(folder: Path) -> str:
    """The UUID of the catalogue "Poise" of an asset library; it is added where there is none.

    Args:
        folder: root of the library.

    Raises:
        CatalogueError: the file cannot be read or written, or is of another version; it is as it was.
    """
    path = folder / _FILE
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
        found = _uuid_in(text, path)
        if found is None:
            _replace(path, f"{text}{'' if text.endswith(chr(10)) else chr(10)}{UUID}:{NAME}:{NAME}\n")
    except (OSError, UnicodeDecodeError) as problem:
        why = getattr(problem, "strerror", None) or "it is no text"
        raise CatalogueError(f"{path} cannot be read or written ({why})") from None
    return found or UUID


def _uuid_in(text: str, path: Path) -> str | None:
    """The UUID of our catalogue in the text, whatever the artist calls it by now, or of one of our name."""
    lines = [line.strip() for line in text.splitlines()]
    said = [line for line in lines if line and not line.startswith("#")]
    if not said or said[0] != "VERSION 1":
        raise CatalogueError(f"{path} begins with {said[0][:40] if said else 'nothing'!r}; expected VERSION 1")
    entries = [line.split(":", 2) for line in said[1:] if line.count(":") >= 2]
    if any(uuid.lower() == UUID for uuid, *_ in entries):
        return UUID
    return next((uuid for uuid, where, _ in entries if where == NAME), None)


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{_FILE}", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o644)  # mkstemp lets the owner alone read
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
