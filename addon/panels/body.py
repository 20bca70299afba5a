# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Body": making a body, and its shape."""

import bpy

from ..operators.common import find_rig, is_rig
from ..texts import length_text
from .common import SidebarPanel


class POISE_PT_body(SidebarPanel, bpy.types.Panel):
    bl_label = "Body"
    bl_idname = "POISE_PT_body"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        column.operator("poise.add_body", icon="OUTLINER_OB_ARMATURE")
        column.operator("poise.add_body_from_file", icon="FILE_FOLDER")
        rig = find_rig(context)
        if rig is None:
            self.layout.label(text="No body selected", icon="INFO")
        elif is_rig(rig):
            self.layout.label(text=rig.name, icon="ARMATURE_DATA")
        else:
            self.layout.label(text=f"{rig.name} is no SMPL body", icon="ERROR")


class POISE_PT_shape(SidebarPanel, bpy.types.Panel):
    bl_label = "Shape"
    bl_idname = "POISE_PT_shape"
    bl_parent_id = "POISE_PT_body"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        rig = find_rig(context)
        return rig is not None and len(rig.poise.betas) > 0

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False  # shape is set, not animated
        rig = find_rig(context)
        assert rig is not None  # poll
        if (height := _height(rig)) > 0:
            row = layout.split(factor=0.4)
            row.alignment = "RIGHT"
            row.label(text="Height")
            row.label(text=length_text(context.scene.unit_settings, height))
        column = layout.column(align=True)
        column.enabled = rig.visible_get() and rig.library is None
        for item in rig.poise.betas:
            column.prop(item, "value", text=item.name.replace("_", " ").title(), slider=True)


def _height(rig: bpy.types.Object) -> float:
    """From the top of the head to the sole at rest, in Blender's units; 0 for a body that does not say."""
    at_rest, *by_beta = rig.get("poise_height", (0.0,))
    shaped = at_rest + sum(share * item.value for share, item in zip(by_beta, rig.poise.betas, strict=False))
    return shaped * rig.matrix_world.median_scale


_CLASSES = (POISE_PT_body, POISE_PT_shape)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
