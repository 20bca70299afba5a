# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts with values in them, in the language of Blender's interface and the units of its scene.

A translation needs the text before its values are put in: `told("{n} targets", n=3)`, not an f-string.
"""

import bpy


def told(message: str, **values: object) -> str:
    """A message of an operator."""
    return bpy.app.translations.pgettext_rpt(message).format(**values)


def joint_text(name: str) -> str:
    """A joint as an artist calls it: "Left elbow"."""
    return name.replace("_", " ").capitalize()


def length_text(units: bpy.types.UnitSettings, length: float) -> str:
    """A length (Blender's units) as the scene shows lengths."""
    if units.system == "NONE":
        return f"{length:.3g}"
    return bpy.utils.units.to_string(
        units.system, "LENGTH", length * units.scale_length, precision=3, split_unit=units.use_separate
    )


def shown(message: str, **values: object) -> str:
    """A text of a panel or of the status bar."""
    return bpy.app.translations.pgettext_iface(message).format(**values)
