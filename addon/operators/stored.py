# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored poses: a list on each body, to come back to and to interpolate between."""

import bpy
from bpy.props import StringProperty

from .common import PosingOperator, RigOperator, rig_of


class _StoredPoseOperator(RigOperator):
    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        settings = rig_of(context).poise
        if not 0 <= settings.active_pose < len(settings.poses):
            cls.poll_message_set("Store a pose first")  # type: ignore[attr-defined]
            return False
        return True


class POISE_OT_store_pose(RigOperator, bpy.types.Operator):
    """Remember the body's present pose in its list"""

    bl_idname = "poise.store_pose"
    bl_label = "Store Pose"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(name="Name", description="Of the stored pose; empty for a numbered one")  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.pose import read_pose, read_rig
        from ..rig.posing.stored import store

        obj = rig_of(context)
        rig = read_rig(obj).in_own_space()
        store(obj, read_pose(obj, rig), self.name or f"Pose {len(obj.poise.poses) + 1}")


class POISE_OT_apply_pose(_StoredPoseOperator, PosingOperator, bpy.types.Operator):
    """Give the body the chosen stored pose"""

    bl_idname = "poise.apply_pose"
    bl_label = "Apply Stored Pose"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.pose import read_rig
        from ..rig.posing.showing import show_pose
        from ..rig.posing.stored import stored_poses

        obj = rig_of(context)
        rig = read_rig(obj).in_own_space()
        show_pose(context, obj, rig, stored_poses(obj)[obj.poise.active_pose], fingers=True)


class POISE_OT_remove_pose(_StoredPoseOperator, bpy.types.Operator):
    """Remove the chosen stored pose from the list"""

    bl_idname = "poise.remove_pose"
    bl_label = "Remove Stored Pose"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context: bpy.types.Context) -> None:
        settings = rig_of(context).poise
        settings.poses.remove(settings.active_pose)
        settings.active_pose = max(0, min(settings.active_pose, len(settings.poses) - 1))


_CLASSES = (POISE_OT_store_pose, POISE_OT_apply_pose, POISE_OT_remove_pose)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
