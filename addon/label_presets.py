# SPDX-License-Identifier: GPL-3.0-or-later
"""Where presets of labels lie: tables `label,marker` as csv files in the extension's folder of the user's own."""

from pathlib import Path

import bpy

from ..vendor_core.errors import PoiseError
from .preferences import PACKAGE

_LONGEST = 60  # letters of a name


def preset_names() -> list[str]:
    """The presets that are there, in alphabetical order."""
    return sorted((path.stem for path in _folder(create=False).glob("*.csv")), key=str.lower)


def preset_path(name: str, create: bool = False) -> Path:
    """The file of a preset.

    Args:
        name: of the preset.
        create: whether to make the folder.

    Raises:
        PoiseError: no file can be called so.
    """
    name = name.strip()
    if not name or len(name) > _LONGEST or bpy.path.clean_name(name, replace="_") != name.replace(" ", "_"):
        raise PoiseError(f'A preset cannot be called "{name[:_LONGEST]}"; use letters, digits, spaces and hyphens')
    return _folder(create) / f"{name}.csv"


def _folder(create: bool) -> Path:
    return Path(bpy.utils.extension_path_user(PACKAGE, path="layouts", create=create))
