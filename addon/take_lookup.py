# SPDX-License-Identifier: GPL-3.0-or-later
"""Which take the artist means. Panels ask at every drawing, so nothing heavy is imported here."""

from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ..vendor_core.errors import PoiseError
from .operators.common import find_rig, is_rig

_Key = tuple[str, str | None]  # the name of an object, which is unique in its file, and that file if it is linked
_takes: dict[str, list[_Key]] = {}  # by scene

NO_TAKE = "Import a take first, or select its empty or the body that was solved from it"


def is_take(obj: bpy.types.Object | None) -> bool:
    """Whether an object is a take."""
    return obj is not None and obj.type == "EMPTY" and bool(obj.poise_take.version)  # type: ignore[attr-defined]


def takes_of(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The takes of a scene. Their names are kept until objects come, go or are named anew: scenes may be large."""
    keys = _takes.get(scene.name_full)
    found = [obj for obj in (_object_of(scene, key) for key in keys or ()) if obj is not None and is_take(obj)]
    if keys is None or len(found) < len(keys):  # Blender does not tell of new names
        found = [obj for obj in scene.objects if obj.type == "EMPTY" and is_take(obj)]
        _takes[scene.name_full] = [_key_of(obj) for obj in found]
    return found


def _key_of(obj: bpy.types.Object) -> _Key:
    return obj.name, obj.library.filepath if obj.library is not None else None


def _object_of(scene: bpy.types.Scene, key: _Key) -> bpy.types.Object | None:
    named = scene.objects.get(key[0])
    if named is None or _key_of(named) == key:
        return named
    objects: Any = bpy.data.objects  # a local and a linked object may have one name
    return objects.get(key)


def forget_takes(*_: object) -> None:
    """Look for takes anew."""
    _takes.clear()


@persistent
def _after_update(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    if depsgraph.id_type_updated("SCENE") or depsgraph.id_type_updated("COLLECTION"):  # objects come and go
        forget_takes()


@persistent
def _after_loading(*_: object) -> None:
    forget_takes()


def find_take(context: bpy.types.Context) -> bpy.types.Object | None:
    """The take that the artist means: the active one, else the one whose motion the body has that they mean, else the
    only one of the scene.
    """
    active = context.object
    if is_take(active):
        return active
    scene: Any = context.scene
    takes = takes_of(scene)
    if len(takes) < 2:
        return takes[0] if takes else None
    rig = find_rig(context)
    data = rig.animation_data if rig is not None else None
    if rig is None or data is None or data.action is None:
        return None
    return _take_of_motion(takes, rig, data.action)


def _take_of_motion(
    takes: list[bpy.types.Object], rig: bpy.types.Object, action: bpy.types.Action
) -> bpy.types.Object | None:
    """The take that an action of a body was solved from; names may be others by now, and takes copies of others."""
    named, solve = (action.get(f"poise_{name}", "") for name in ("take", "solve"))
    onto = [take for take in takes if take.poise_take.body == rig]  # type: ignore[attr-defined]
    for some in (onto, takes):
        for take in some:
            if solve and take.poise_take.solve == solve:  # type: ignore[attr-defined]
                return take
    return next((take for take in (*onto, *takes) if named and take.name == named), None)  # of an earlier solve


def take_of(context: bpy.types.Context) -> bpy.types.Object:
    """The take that the artist means, as `find_take` finds it.

    Raises:
        PoiseError: there is none.
    """
    take = find_take(context)
    if take is None:
        raise PoiseError(f"No take is meant. {NO_TAKE}")
    return take


def own_take_of(context: bpy.types.Context) -> bpy.types.Object:
    """The take that the artist means, for writing to it.

    Raises:
        PoiseError: there is none, or this file does not keep what is written to it.
    """
    take = take_of(context)
    if take.library is not None or take.override_library is not None:
        raise PoiseError(f'"{take.name}" is linked from another file and would lose changes: make it local first')
    return take


def solved_rig(context: bpy.types.Context, take: bpy.types.Object) -> bpy.types.Object | None:
    """The body that a take was solved onto; None where there is none, or the view layer does not have it any more."""
    data: Any = take.poise_take  # type: ignore[attr-defined]
    layer: Any = context.view_layer
    named = layer.objects.get(data.body.name if data.body is not None else data.rig)
    if data.body is None or named is None or named == data.body:
        return named
    return data.body if data.body in layer.objects.values() else None  # a linked object may have the same name


def rig_of_take(context: bpy.types.Context, take: bpy.types.Object) -> bpy.types.Object | None:
    """The body of a take: the one it was solved onto, else the only one of the view layer."""
    rig = solved_rig(context, take)
    if is_rig(rig):
        return rig
    bodies = [obj for obj in context.view_layer.objects if is_rig(obj)]
    return bodies[0] if len(bodies) == 1 else None


def name_of(take: bpy.types.Object) -> str:
    """What the body and the action of a take are called: its file's name without what follows the last dot."""
    return Path(take.poise_take.source).stem or take.name  # type: ignore[attr-defined]


def register() -> None:
    bpy.app.handlers.depsgraph_update_post.append(_after_update)
    for handlers in (bpy.app.handlers.load_post, bpy.app.handlers.undo_post, bpy.app.handlers.redo_post):
        handlers.append(_after_loading)


def unregister() -> None:
    forget_takes()
    bpy.app.handlers.depsgraph_update_post.remove(_after_update)
    for handlers in (bpy.app.handlers.load_post, bpy.app.handlers.undo_post, bpy.app.handlers.redo_post):
        handlers.remove(_after_loading)
