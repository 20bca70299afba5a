# SPDX-License-Identifier: GPL-3.0-or-later
"""Mirror Pose: left becomes right, or one side is given to the other."""

import bpy
from bpy.props import EnumProperty

from .common import PosingOperator, rig_of


class POISE_OT_mirror_pose(PosingOperator, bpy.types.Operator):
    """Mirror the body's pose; it stays where it is and faces where it faces"""

    bl_idname = "poise.mirror_pose"
    bl_label = "Mirror Pose"
    bl_options = {"REGISTER", "UNDO"}

    side: EnumProperty(  # type: ignore[valid-type]
        name="Mirror",
        description="What becomes of the two sides",
        items=(
            ("SWAP", "Whole Pose", "Left and right change places"),
            ("LEFT", "Left to Right", "The right arm and leg do what the left ones do"),
            ("RIGHT", "Right to Left", "The left arm and leg do what the right ones do"),
        ),
    )

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.pose import read_pose, read_rig
        from ..rig.posing.mirror import mirrored_pose
        from ..rig.posing.showing import show_pose

        obj = rig_of(context)
        rig = read_rig(obj)
        show_pose(context, obj, rig, mirrored_pose(read_pose(obj, rig), self.side), fingers=True)


def register() -> None:
    bpy.utils.register_class(POISE_OT_mirror_pose)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_OT_mirror_pose)
