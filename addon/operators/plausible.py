# SPDX-License-Identifier: GPL-3.0-or-later
"""Check Pose and Make Plausible: how plausible the present pose is, and a repair of the joints that are to blame."""

import bpy
from bpy.props import BoolProperty, FloatProperty

from ..pose_check import PoseCheck, blame_text, forget, note, value_text
from ..prior_choice import critic_of, prior_of
from ..texts import told
from .common import BONES, LOCK, PosingOperator, RigOperator, redraw_sidebars, rig_of


class POISE_OT_check_pose(RigOperator, bpy.types.Operator):
    """Find how plausible the body's present pose is, and which joints are to blame"""

    bl_idname = "poise.check_pose"
    bl_label = "Check Pose"
    bl_options = {"REGISTER"}

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.pose import read_pose, read_rig
        from ..rig.posing.plausible import checked_pose

        obj = rig_of(context)
        context.view_layer.update()  # of what a script has just set
        R = read_pose(obj, read_rig(obj)).R_local[0, 1:22]
        check = checked_pose(obj, context.scene.frame_current_final, critic_of(context.scene), R)
        note(obj, check)
        redraw_sidebars(context)
        self.report(
            {"INFO"},
            told("Plausibility {value}, {blame}", value=value_text(check.plausibility), blame=blame_text(check)),
        )


class POISE_OT_make_plausible(PosingOperator, bpy.types.Operator):
    """Turn the joints that make the pose implausible to what fits all the others, and limbs out of the body"""

    bl_idname = "poise.make_plausible"
    bl_label = "Make Plausible"
    bl_options = {"REGISTER", "UNDO"}

    amount: FloatProperty(  # type: ignore[valid-type]
        name="Amount",
        description="How far to turn the joints that are to blame",
        default=1.0, min=0.0, max=1.0, subtype="FACTOR",
    )  # fmt: skip
    untangle: BoolProperty(  # type: ignore[valid-type]
        name="Limbs out of Body",
        description="Also move limbs out of the body and of one another; on bodies that Poise made",
        default=True,
    )
    bones: BONES  # type: ignore[valid-type]
    lock: LOCK  # type: ignore[valid-type]

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "amount")
        layout.prop(self, "untangle")
        layout.prop(self, "bones")
        layout.column(heading="Lock").prop(self, "lock", expand=True)

    def run(self, context: bpy.types.Context) -> None:
        from ...vendor_core.prior.repair import repair
        from ..rig.convert import Pose
        from ..rig.keying.auto_key import auto_key
        from ..rig.pose import read_pose, read_rig, write_pose
        from ..rig.posing.allowed import kept_joints, selected_bones
        from ..rig.posing.plausible import bones_of_change, checked_pose, limbs_moved_out

        obj = rig_of(context)
        context.view_layer.update()  # of what a script has just set
        rig = read_rig(obj)
        now = read_pose(obj, rig)
        kept = kept_joints(rig, self.lock, self.bones, selected_bones(context, obj))
        prior, plausibility = prior_of(context.scene), critic_of(context.scene)
        frame = context.scene.frame_current_final
        before = checked_pose(obj, frame, plausibility, now.R_local[0, 1:22])
        R = now.R_local.copy()
        R[0, 1:22] = repair(prior, plausibility, R[0, 1:22], self.amount, kept)
        if self.untangle:
            R[0, :22] = limbs_moved_out(obj, prior, R[0, :22], kept, self.amount)
        bones = bones_of_change(rig, now, Pose(R, now.trans))
        if bones.bones:
            write_pose(obj, bones)
            context.view_layer.update()
            auto_key(context, obj, bones)
        after = checked_pose(obj, frame, plausibility, R[0, 1:22])
        note(obj, after)
        redraw_sidebars(context)
        self.report({"INFO"}, _summed_up(before, after, len(bones.bones)))


def _summed_up(before: PoseCheck, after: PoseCheck, turned: int) -> str:
    if not turned:
        return f"Nothing was changed: plausibility {value_text(before.plausibility)}, {blame_text(before)}"
    values = f"{value_text(before.plausibility)} before and {value_text(after.plausibility)} after"
    return f"{turned} bone{'s' if turned > 1 else ''} turned, plausibility {values}"


_CLASSES = (POISE_OT_check_pose, POISE_OT_make_plausible)
register, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def unregister() -> None:
    _unregister_classes()
    forget()
