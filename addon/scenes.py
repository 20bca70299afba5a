# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding again, once a long job is done, what it was about: whoever waits may rename objects and open other scenes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from ..vendor_core.errors import PoiseError


def object_of(name: str, uid: int = 0) -> bpy.types.Object | None:
    """The object of a name and, where one is given, a `session_uid`, which neither renaming nor undo changes."""
    obj = bpy.data.objects.get(name)
    if not uid or (obj is not None and obj.session_uid == uid):
        return obj
    return next((other for other in bpy.data.objects if other.session_uid == uid), None)


def scene_with(obj: bpy.types.Object, name: str) -> bpy.types.Scene:
    """The scene that an object is in: the one of a name, else the first one that has it.

    Raises:
        PoiseError: none has.
    """
    scenes: list[bpy.types.Scene] = sorted(bpy.data.scenes, key=lambda scene: scene.name != name)
    scene = next((scene for scene in scenes if scene.objects.get(obj.name) == obj), None)
    if scene is None:
        raise PoiseError(f'"{obj.name}" is in no scene any more; link it to one and try again')
    return scene


@contextmanager
def opened(context: bpy.types.Context, scene: bpy.types.Scene) -> Iterator[bpy.types.Context]:
    """A context in which a scene is open: operators of Blender heed the window's scene alone. Afterwards the window has
    the one that it had.
    """
    if context.scene == scene:
        yield context
        return
    manager: Any = context.window_manager
    window: Any = context.window or manager.windows[0]
    before = window.scene
    window.scene = scene
    try:
        with context.temp_override(window=window):
            yield bpy.context
    finally:
        window.scene = before
