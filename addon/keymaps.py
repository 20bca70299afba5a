# SPDX-License-Identifier: GPL-3.0-or-later
"""Shortcuts of the 3D View, which the artist changes in the add-on's preferences. Blender itself uses none of them."""

import bpy

_SHORTCUTS = (
    ("wm.call_menu_pie", "P", {"name": "POISE_MT_pie"}),
    ("poise.pose_live", "L", {}),
    ("poise.generate_pose", "N", {}),  # a new pose
)
"""Operators with their keys, each with Alt and Shift, and their properties."""

_added: list[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem]] = []


def draw(context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
    """The shortcuts as the artist has them, to be changed."""
    import rna_keymap_ui

    keyconfig = context.window_manager.keyconfigs.user
    keymap = None if keyconfig is None else keyconfig.keymaps.get("3D View")
    if keymap is None:  # Blender runs without a window
        return
    column = layout.column()
    column.context_pointer_set("keymap", keymap)
    for item in keymap.keymap_items:
        if item.idname.startswith("poise.") or getattr(item.properties, "name", "") == "POISE_MT_pie":
            rna_keymap_ui.draw_kmi([], keyconfig, keymap, item, column, 0)


def register() -> None:
    keyconfig = bpy.context.window_manager.keyconfigs.addon
    if keyconfig is None:  # Blender runs without a window
        return
    keymap = keyconfig.keymaps.new(name="3D View", space_type="VIEW_3D")
    for operator, key, properties in _SHORTCUTS:
        item = keymap.keymap_items.new(operator, key, "PRESS", alt=True, shift=True)
        for name, value in properties.items():
            setattr(item.properties, name, value)
        _added.append((keymap, item))


def unregister() -> None:
    for keymap, item in _added:
        keymap.keymap_items.remove(item)
    _added.clear()
