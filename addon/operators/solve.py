# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets in the scene, and the pose that reaches them."""

import bpy
from bpy.props import EnumProperty, FloatProperty

from ...vendor_core.errors import PoiseError
from ..prior_choice import prior_of
from .body import HANDS
from .common import PosingOperator, RigOperator, rig_of

_LEAST_FREE = 3  # targets, below which the body's place and orientation are open: the other joints are held then
_HOLD = 2e-3  # weight at full hold: a joint 22 mm away costs as much as a target 1 mm away


class POISE_OT_add_targets(RigOperator, bpy.types.Operator):
    """Add empties at joints of the body, to be moved where the joints should go"""

    bl_idname = "poise.add_targets"
    bl_label = "Add Targets"
    bl_options = {"REGISTER", "UNDO"}

    joints: EnumProperty(  # type: ignore[valid-type]
        name="Joints",
        description="The joints that get a target; those that have one are moved back onto the body",
        items=(
            ("EFFECTORS", "Ends", "Pelvis, head, wrists and ankles"),
            ("ALL", "All", "All 22 joints of the body"),
            ("SELECTED", "Selected Bones", "Joints of the bones selected in Pose Mode"),
            ("LOOK_AT", "Look At", "What the face looks at"),
        ),
    )

    def run(self, context: bpy.types.Context) -> None:
        from ...vendor_core.skeleton import BODY_JOINTS
        from ..rig.create import leave_mode
        from ..rig.names import LOOK_AT, joint_of_bone
        from ..rig.pose import read_rig
        from ..rig.targets import EFFECTORS, add_targets

        obj = rig_of(context)
        read_rig(obj)
        joints = {"EFFECTORS": EFFECTORS, "ALL": BODY_JOINTS, "LOOK_AT": (LOOK_AT,)}.get(self.joints)
        if joints is None:
            names = [bone.name for bone in context.selected_pose_bones or () if bone.id_data == obj]
            joints = [joint for name in names if (joint := joint_of_bone(name)) in BODY_JOINTS]
            if not joints:
                raise PoiseError("No body bone is selected; expected selected bones in Pose Mode, or Joints: Ends")
        leave_mode(context)
        targets = add_targets(context, obj, joints)
        for other in context.selected_objects:
            other.select_set(False)
        for target in targets:
            target.select_set(True)
        context.view_layer.objects.active = obj


class POISE_OT_solve_targets(PosingOperator, bpy.types.Operator):
    """Pose the body so that its joints are where the selected targets are, and plausibly everywhere else"""

    bl_idname = "poise.solve_targets"
    bl_label = "Solve from Selected Empties"
    bl_options = {"REGISTER", "UNDO"}

    hold: FloatProperty(  # type: ignore[valid-type]
        name="Hold Pose",
        description="How much joints without a target stay where they are; with one or two targets they always do",
        default=0.0, min=0.0, max=1.0, subtype="FACTOR",
    )  # fmt: skip
    hands: HANDS  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        if not any(obj.type == "EMPTY" for obj in context.selected_objects):
            cls.poll_message_set("Select empties named after joints, or use Add Targets")  # type: ignore[attr-defined]
            return False
        return True

    def run(self, context: bpy.types.Context) -> None:
        import numpy as np

        from ...vendor_core.body import body_from_joints
        from ...vendor_core.ik import solve
        from ..rig.pose import read_pose, read_rig
        from ..rig.posing.showing import full_pose, show_pose
        from ..rig.targets import keypoints_of, read_targets, with_body_held

        obj = rig_of(context)
        rig = read_rig(obj)
        targets = read_targets(o for o in context.selected_objects if o.type == "EMPTY")
        body = body_from_joints(rig.rest_joints(), obj.name)
        hold = 1.0 if len(targets.joints) < _LEAST_FREE else self.hold
        n, gaze = len(targets.joints), targets.gaze is not None
        if hold > 0:
            now = read_pose(obj, rig)
            joints = body.pose(now.R_local[0, :22], now.trans[0]).joints
            targets = with_body_held(targets, joints, _HOLD * hold)
        solved = solve(body, prior_of(context.scene), keypoints_of(targets, body))
        pose = full_pose(solved.R_local, solved.trans, self.hands)
        show_pose(context, obj, rig, pose, self.hands != "KEEP")
        farthest = 1000 * float(solved.residual[0, :n].max(initial=0.0))
        line = f"{n + gaze} target{'s' if n + gaze > 1 else ''}, the farthest missed by {farthest:.1f} mm"
        turned = [np.rad2deg(np.nanmax(misses)) for misses in solved.misses[1:]]
        self.report({"INFO"}, line + (f" and {max(turned):.0f} degrees" if turned else ""))


_CLASSES = (POISE_OT_add_targets, POISE_OT_solve_targets)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
