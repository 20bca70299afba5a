# SPDX-License-Identifier: GPL-3.0-or-later
"""From a camera: targets over a reference picture, and the pose that is seen so."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty

from ...vendor_core.errors import PoiseError
from ..prior_choice import prior_of
from ..texts import told
from .body import HANDS
from .common import PosingOperator, RigOperator, rig_of

_NO_CAMERA = "The scene has no active camera: add one, or set one in the Scene properties"


class CameraOperator(RigOperator):
    """An operator that needs a body and the scene's camera."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        if context.scene.camera is None:
            cls.poll_message_set(_NO_CAMERA)  # type: ignore[attr-defined]
            return False
        return True


class POISE_OT_add_picture_targets(CameraOperator, bpy.types.Operator):
    """Add points in the camera's view, to be moved onto the joints of a person in the picture behind"""

    bl_idname = "poise.add_picture_targets"
    bl_label = "Add Picture Targets"
    bl_options = {"REGISTER", "UNDO"}

    joints: EnumProperty(  # type: ignore[valid-type]
        name="Joints",
        description="The joints that get a target; those that have one are moved back onto the body",
        items=(
            ("SEEN", "Usual", "Head, neck, shoulders, elbows, wrists, hips, knees, ankles and feet"),
            ("ALL", "All", "All 22 joints of the body"),
            ("SELECTED", "Selected Bones", "Joints of the bones selected in Pose Mode"),
        ),
    )

    def run(self, context: bpy.types.Context) -> None:
        from ...vendor_core.skeleton import BODY_JOINTS
        from ..rig.create import leave_mode
        from ..rig.names import joint_of_bone
        from ..rig.seen.camera import active_camera
        from ..rig.seen.picture_targets import SEEN, add_picture_targets

        obj, view = rig_of(context), active_camera(context)
        joints = {"SEEN": SEEN, "ALL": BODY_JOINTS}.get(self.joints)
        if joints is None:
            names = [bone.name for bone in context.selected_pose_bones or () if bone.id_data == obj]
            joints = [joint for name in names if (joint := joint_of_bone(name)) in BODY_JOINTS]
            if not joints:
                raise PoiseError("No body bone is selected; expected selected bones in Pose Mode, or Joints: Usual")
        context.view_layer.update()
        targets = add_picture_targets(context, obj, view, joints)
        leave_mode(context)
        for other in context.selected_objects:
            other.select_set(False)
        for target in targets:
            target.select_set(True)
        context.view_layer.objects.active = targets[0]
        if isinstance(context.space_data, bpy.types.SpaceView3D) and context.region_data is not None:
            context.region_data.view_perspective = "CAMERA"


class POISE_OT_solve_picture(CameraOperator, PosingOperator, bpy.types.Operator):
    """Pose and place the body so that the camera sees its joints at the picture targets"""

    bl_idname = "poise.solve_picture"
    bl_label = "Solve from Picture"
    bl_options = {"REGISTER", "UNDO"}

    tolerance: FloatProperty(  # type: ignore[valid-type]
        name="Tolerance",
        description="How far targets may lie beside their joints, in percent of the picture's height: "
        "the farther, the more plausible the pose",
        default=0.5, min=0.05, max=5.0, precision=2, subtype="PERCENTAGE",
    )  # fmt: skip
    from_pose: BoolProperty(  # type: ignore[valid-type]
        name="Start from Pose",
        description="Start from the pose and place that the body has, which decides between poses that look the same",
    )
    hands: HANDS  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        if not any("poise_picture_joint" in obj for obj in context.view_layer.objects if obj.type == "EMPTY"):
            cls.poll_message_set("There are no picture targets: use Add Picture Targets")  # type: ignore[attr-defined]
            return False
        return True

    def run(self, context: bpy.types.Context) -> None:
        from ...vendor_core.body import body_from_joints
        from ...vendor_core.ik import ImageTargets, solve
        from ..rig.pose import read_pose, read_rig
        from ..rig.posing.showing import full_pose, show_pose
        from ..rig.seen.camera import active_camera, frame_of, read_camera
        from ..rig.seen.picture_targets import picture_targets, read_picture_targets, start_from

        obj, view = rig_of(context), active_camera(context)
        context.view_layer.update()
        rig, camera = read_rig(obj), read_camera(context, view)
        seen = read_picture_targets(camera, picture_targets(context.view_layer.objects, obj.name))
        sigma = self.tolerance / 100 * frame_of(context).height
        body, prior = body_from_joints(rig.rest_joints(), obj.name), prior_of(context.scene)
        targets = ImageTargets(seen.joints, seen.pixels[None], camera, sigma=sigma)
        start = start_from(prior, read_pose(obj, rig)) if self.from_pose else None
        solved = solve(body, prior, [targets], start=start)
        show_pose(context, obj, rig, full_pose(solved.R_local, solved.trans, self.hands), self.hands != "KEEP")
        farthest = int(solved.residual[0].argmax())
        miss = float(solved.residual[0, farthest])
        name = seen.joints[farthest].replace("_", " ")
        self.report(
            {"INFO"},
            told(
                "{n} targets, the farthest missed by {miss:.1f} pixels ({joint})",
                n=len(seen.joints),
                miss=miss,
                joint=name,
            ),
        )


_CLASSES = (POISE_OT_add_picture_targets, POISE_OT_solve_picture)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
