# SPDX-License-Identifier: Apache-2.0
"""Everything in a running Blender where an add-on could leave something."""

import os
from pathlib import Path

import bpy
import bpy.utils.previews


def traces() -> dict[str, list[str]]:
    """What is registered in Blender, by kind, as comparable names."""
    keymaps = bpy.context.window_manager.keyconfigs.addon
    return {
        "types": sorted(dir(bpy.types)),
        "operators": sorted(f"{room}.{name}" for room in dir(bpy.ops) for name in dir(getattr(bpy.ops, room))),
        "properties": _properties(),
        "handlers": _handlers(),
        "menus": _drawn(),
        "manuals": sorted(f"{f.__module__}.{f.__name__}" for f in bpy.utils._manual_map),
        "previews": sorted(bpy.utils.previews._uuid_open) if hasattr(bpy.utils.previews, "_uuid_open") else [],
        "keys": sorted(f"{m.name} {k.idname} {k.to_string()}" for m in (keymaps.keymaps if keymaps else ())
                       for k in m.keymap_items),
        "processes": _children(),
    }  # fmt: skip


def difference(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is there more, or less, by kind; empty where nothing is."""
    found = {kind: sorted(set(before[kind]) ^ set(after[kind])) for kind in before}
    found |= {f"count of {kind}": [f"{len(before[kind])} -> {len(after[kind])}"] for kind in before
              if len(before[kind]) != len(after[kind])}  # fmt: skip
    return {kind: names for kind, names in found.items() if names}


def _properties() -> list[str]:
    """Properties that an add-on may add to Blender's own types."""
    kinds = (getattr(bpy.types, name) for name in dir(bpy.types))
    structs = {kind for kind in kinds if isinstance(kind, type) and hasattr(kind, "bl_rna")}
    return sorted(f"{kind.__name__}.{prop.identifier}" for kind in structs for prop in kind.bl_rna.properties)


def _handlers() -> list[str]:
    lists = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
    return sorted(f"{name} {f.__module__}" for name, found in lists.items() if isinstance(found, list) for f in found)


def _drawn() -> list[str]:
    """Functions that draw into Blender's menus, headers and panels."""
    hosts = (getattr(bpy.types, name) for name in dir(bpy.types))
    return sorted(
        f"{host.__name__} {f.__module__}"
        for host in hosts
        for f in getattr(getattr(host, "draw", None), "_draw_funcs", ())
        if f.__module__ != host.__module__  # its own, which Blender puts there once anyone has added another
    )


def _children() -> list[str]:
    """Programs that this process started and that run."""
    listing = Path(f"/proc/self/task/{os.getpid()}/children")
    found = listing.read_text().split() if listing.is_file() else []
    return [name for pid in found if (name := Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip())]
