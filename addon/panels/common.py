# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panels of the sidebar tabs "Poise" and "Poise Mocap" share."""

import bpy

from .. import guide_pages
from ..take_lookup import find_take
from ..worker import jobs


class SidebarPanel:
    """A panel in the tab "Poise"."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Poise"

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        """Help, at the right end of the header."""
        row = self.layout.row()  # type: ignore[attr-defined]
        row.emboss = "NONE"
        row.operator("poise.open_guide", text="", icon="QUESTION").section = guide_pages.section_of(self.bl_idname)  # type: ignore[attr-defined]

    def draw_job(self, job: str) -> None:
        """Progress and cancel, where this job runs."""
        state = jobs.state
        if state.running and state.job == job:
            layout = self.layout  # type: ignore[attr-defined]
            layout.label(text=state.title)
            row = layout.row(align=True)
            row.progress(factor=state.fraction, text=state.text)
            row.operator("poise.cancel_job", text="", icon="CANCEL")
            layout.label(text=state.left_text(), icon="TIME")


class MocapPanel(SidebarPanel):
    """A panel in the tab "Poise Mocap": who works on takes has all that is about them, and who poses is spared it."""

    bl_category = "Poise Mocap"


class TakePanel(MocapPanel):
    """A panel that is there where a take is meant."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return find_take(context) is not None
