# SPDX-License-Identifier: GPL-3.0-or-later
"""Which take the artist means. Panels ask at every drawing, so nothing heavy is imported here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

from ..vendor_core.errors import PoiseError
from .operators.common import find_rig

NO_TAKE = "Import a take first, or select its empty or the body that was solved from it"


def is_take(obj: bpy.types.Object | None) -> bool:
    """Whether an object is a take."""
    return obj is not None and obj.type == "EMPTY" and bool(obj.poise_take.version)  # type: ignore[attr-defined]


def takes_of(scene: bpy.types.Scene) -> Iterator[bpy.types.Object]:
    """The takes of a scene."""
    return (obj for obj in scene.objects if obj.type == "EMPTY" and is_take(obj))


def find_take(context: bpy.types.Context) -> bpy.types.Object | None:
    """The take that the artist means: the active one, else the one whose motion the body has that they mean, else the
    only one of the scene.
    """
    active = context.object
    if is_take(active):
        return active
    scene: Any = context.scene
    takes = list(takes_of(scene))
    if len(takes) < 2:
        return takes[0] if takes else None
    rig = find_rig(context)
    data = rig.animation_data if rig is not None else None
    if rig is None or data is None or data.action is None:
        return None
    named = str(data.action.get("poise_take", ""))
    return next((take for take in takes if take.name == named), None)


def take_of(context: bpy.types.Context) -> bpy.types.Object:
    """The take that the artist means, as `find_take` finds it.

    Raises:
        PoiseError: there is none.
    """
    take = find_take(context)
    if take is None:
        raise PoiseError(f"No take is meant. {NO_TAKE}")
    return take


def name_of(take: bpy.types.Object) -> str:
    """What the body and the action of a take are called: its file's name without what follows the last dot."""
    return Path(take.poise_take.source).stem or take.name  # type: ignore[attr-defined]
