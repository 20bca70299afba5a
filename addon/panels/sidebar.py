# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tab "Poise" of the 3D View."""

import bpy

from .. import jobs, pose_check
from ..operators.common import find_rig, is_rig


class _Panel:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Poise"

    def draw_job(self, job: str) -> None:
        """Progress and cancel, where this job runs."""
        state = jobs.state
        if state.running and state.job == job:
            layout = self.layout  # type: ignore[attr-defined]
            layout.label(text=state.title)
            row = layout.row(align=True)
            row.progress(factor=state.fraction, text=state.text)
            row.operator("poise.cancel_job", text="", icon="CANCEL")


class POISE_UL_poses(bpy.types.UIList):
    """Stored poses"""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index) -> None:
        layout.prop(item, "name", text="", emboss=False, icon="POSE_HLT")


class POISE_PT_body(_Panel, bpy.types.Panel):
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


class POISE_PT_shape(_Panel, bpy.types.Panel):
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
        column = layout.column(align=True)
        column.enabled = rig.visible_get() and rig.library is None
        for item in rig.poise.betas:
            column.prop(item, "value", text=item.name.replace("_", " ").title(), slider=True)


class POISE_PT_pose(_Panel, bpy.types.Panel):
    bl_label = "Pose"
    bl_idname = "POISE_PT_pose"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator("poise.generate_pose", icon="SHADERFX")
        rig = find_rig(context)
        if rig is None:
            layout.operator("poise.store_pose", icon="ADD")
            return
        row = layout.row()
        row.template_list("POISE_UL_poses", "", rig.poise, "poses", rig.poise, "active_pose", rows=3)
        buttons = row.column(align=True)
        buttons.operator("poise.store_pose", text="", icon="ADD")
        buttons.operator("poise.remove_pose", text="", icon="REMOVE")
        layout.operator("poise.apply_pose", icon="ARMATURE_DATA")


class POISE_PT_plausible(_Panel, bpy.types.Panel):
    bl_label = "Plausibility"
    bl_idname = "POISE_PT_plausible"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        rig = find_rig(context)
        check = None if rig is None else pose_check.latest(rig)
        current = rig is not None and check is not None and pose_check.pose_mark(rig) == check.mark
        row = layout.row(align=True)
        if check is not None:
            value = row.row(align=True)
            value.active = current  # dimmed where it is of another pose
            value.progress(factor=check.plausibility, text=pose_check.value_text(check.plausibility))
            row.operator("poise.check_pose", text="", icon="FILE_REFRESH")
        else:
            row.operator("poise.check_pose", icon="VIEWZOOM")
        column = layout.column(align=True)
        column.operator("poise.make_plausible", icon="SHADERFX")
        column.operator("poise.denoise", icon="SMOOTHCURVE")
        self.draw_job("denoise")
        if check is not None:  # below the buttons: they stay under the mouse as the list changes
            self._draw_blame(check, current)

    def _draw_blame(self, check: pose_check.PoseCheck, current: bool) -> None:
        column = self.layout.column(align=True)
        column.active = current
        for name, own in check.blamed:
            line = column.split(factor=0.75)
            line.label(text=pose_check.joint_text(name), icon="BONE_DATA")
            line.label(text=pose_check.value_text(own))
        if not check.blamed:
            column.label(text="No joint stands out", icon="CHECKMARK")
        when = f"Frame {check.frame:g}"
        column.label(text=when if current else f"{when}; the pose has changed since", icon="TIME")


class POISE_PT_interpolate(_Panel, bpy.types.Panel):
    bl_label = "Interpolate"
    bl_idname = "POISE_PT_interpolate"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        rig = find_rig(context)
        animated = rig is not None and rig.animation_data is not None and rig.animation_data.action is not None
        stored = rig is not None and len(rig.poise.poses) > 1
        for source, text, possible in (("KEYS", "Between All Keys", animated),
                                       ("SELECTED", "Between Selected Keys", animated),
                                       ("STORED", "Between Stored Poses", stored)):  # fmt: skip
            row = column.row(align=True)
            row.active = possible  # dimmed, but it still answers a press with what is missing
            row.operator("poise.interpolate", text=text, icon="IPO_EASE_IN_OUT").source = source


class POISE_PT_solve(_Panel, bpy.types.Panel):
    bl_label = "Solve"
    bl_idname = "POISE_PT_solve"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        row = column.row(align=True)
        row.enabled = is_rig(find_rig(context))  # a menu does not grey with its operator
        row.operator_menu_enum("poise.add_targets", "joints", icon="EMPTY_AXIS")
        column.operator("poise.solve_targets", icon="CON_KINEMATIC")


class POISE_PT_mocap(_Panel, bpy.types.Panel):
    bl_label = "Motion Capture"
    bl_idname = "POISE_PT_mocap"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator("poise.import_c3d", icon="IMPORT")
        self.draw_job("solve")


_CLASSES = (
    POISE_UL_poses,
    POISE_PT_body,
    POISE_PT_shape,
    POISE_PT_pose,
    POISE_PT_plausible,
    POISE_PT_interpolate,
    POISE_PT_solve,
    POISE_PT_mocap,
)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
