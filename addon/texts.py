# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts with values in them, in the language of Blender's interface.

A translation needs the text before its values are put in: `told("{n} targets", n=3)`, not an f-string.
"""

import bpy


def told(message: str, **values: object) -> str:
    """A message of an operator."""
    return bpy.app.translations.pgettext_rpt(message).format(**values)


def shown(message: str, **values: object) -> str:
    """A text of a panel or of the status bar."""
    return bpy.app.translations.pgettext_iface(message).format(**values)
