# SPDX-License-Identifier: GPL-3.0-or-later
"""Open Guide: help with what one looks at, also by F1 over a button."""

import bpy
from bpy.props import StringProperty

from .. import guide_pages


class POISE_OT_open_guide(bpy.types.Operator):
    """Read about this in Poise's guide, which opens in the web browser and needs no network"""

    bl_idname = "poise.open_guide"
    bl_label = "Open Guide"

    section: StringProperty(name="Section", description="Where to open it; empty for its beginning")  # type: ignore[valid-type]

    def execute(self, context: bpy.types.Context) -> set[str]:
        bpy.ops.wm.url_open(url=guide_pages.address(self.section))
        return {"FINISHED"}


def register() -> None:
    bpy.utils.register_class(POISE_OT_open_guide)
    bpy.utils.register_manual_map(guide_pages.manual_map)


def unregister() -> None:
    bpy.utils.unregister_manual_map(guide_pages.manual_map)
    bpy.utils.unregister_class(POISE_OT_open_guide)
