# SPDX-License-Identifier: GPL-3.0-or-later
"""Where presets of labels lie: tables `label,marker` as csv files in the extension's folder of the user's own."""

from pathlib import Path

import bpy

from ..vendor_core.errors import PoiseError
from .preferences import PACKAGE

_LONGEST = 60  # letters of a name


def preset_names() -> list[str]:
    """The presets that are there, in alphabetical order."""
    folder = _folder(create=False)
    return sorted((path.stem for path in folder.glob("*.csv")), key=str.lower) if folder is not None else []


def preset_path(name: str, create: bool = False) -> Path:
    """The file of a preset.

    Args:
        name: of the preset.
        create: whether to make the folder.

    Raises:
        PoiseError: no file can be called so, or there is no folder that one could be in.
    """
    name = name.strip()
    if not name or len(name) > _LONGEST or bpy.path.clean_name(name, replace="_") != name.replace(" ", "_"):
        raise PoiseError(f'A preset cannot be called "{name[:_LONGEST]}"; use letters, digits, spaces and hyphens')
    folder = _folder(create)
    if folder is None:
        raise PoiseError("Blender has no folder for presets that can be written; check its user folder's permissions")
    return folder / f"{name}.csv"


def _folder(create: bool) -> Path | None:
    """None where Blender cannot make it: it then answers with an empty path, which would be the working directory."""
    path = bpy.utils.extension_path_user(PACKAGE, path="layouts", create=create)
    return Path(path) if path else None
