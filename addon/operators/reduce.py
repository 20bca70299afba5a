# SPDX-License-Identifier: GPL-3.0-or-later
"""Reduce Keys: a keyed motion on as few keys as stay within a stated error."""

from typing import TYPE_CHECKING

import bpy
from bpy.props import EnumProperty

from ..texts import told
from ..timeline_options import ToleranceOptions
from .common import TimelineOperator, rig_of, scene_range

if TYPE_CHECKING:
    from ..rig.convert import Rig


class POISE_OT_reduce_keys(ToleranceOptions, TimelineOperator, bpy.types.Operator):
    """Key the body at fewer frames, nowhere further off than you allow; its action stays, a copy gets the keys"""

    bl_idname = "poise.reduce_keys"
    bl_label = "Reduce Keys"
    bl_options = {"REGISTER", "UNDO"}

    span: EnumProperty(  # type: ignore[valid-type]
        name="Frames",
        description="Where keys become fewer",
        items=(
            ("ALL", "All", "From the first key to the last"),
            ("SCENE", "Scene Range", "In the preview range, or else in the scene's frame range"),
            ("SELECTED", "Selected Keys", "From the first selected key to the last selected one"),
        ),
    )
    bones: EnumProperty(  # type: ignore[valid-type]
        name="Bones",
        description="The bones whose keys become fewer",
        items=(
            ("ALL", "All", "All bones of the body and its fingers"),
            ("SELECTED", "Selected", "Only bones that are selected in Pose Mode; the others keep their curves"),
        ),
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        for name in ("max_angle", "max_distance", "span", "bones"):
            layout.prop(self, name)

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.keying.actions import copied_action
        from ..rig.keying.reduce import Allowed, plan_reduction
        from ..rig.pose import read_rig
        from ..rig.posing.allowed import selected_bones

        obj = rig_of(context)
        rig = read_rig(obj)
        selected = selected_bones(context, obj)
        names = [name for name in rig.bones if self.bones == "ALL" or name in selected]
        first, last = self._ends(context, obj, rig)
        plan = plan_reduction(obj, rig, names, first, last, Allowed(self.max_angle, self.max_distance))
        old = obj.animation_data.action.name
        action = copied_action(obj, f"{old.removesuffix(' Reduced')} Reduced")
        outcome = plan.write(obj)
        context.scene.frame_set(context.scene.frame_current, subframe=context.scene.frame_subframe)
        self.report({"INFO"}, told("{outcome} in {action}", outcome=outcome.line(), action=action.name))

    def _ends(self, context: bpy.types.Context, obj: bpy.types.Object, rig: "Rig") -> tuple[float, float]:
        """First and last frame to work on.

        Raises:
            PoiseError: they are to be selected, and no key is.
        """
        from ...vendor_core.errors import PoiseError
        from ..rig.keying.keys import keyed_frames

        if self.span == "SCENE":
            return scene_range(context)
        if self.span == "ALL":
            return float("-inf"), float("inf")
        frames = keyed_frames(obj, rig, selected=True, made_too=True, bones=rig.bones)
        if not len(frames):
            raise PoiseError(f'No key of "{obj.name}" is selected; expected selected keys, or Frames: All')
        return float(frames[0]), float(frames[-1])


def register() -> None:
    bpy.utils.register_class(POISE_OT_reduce_keys)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_OT_reduce_keys)
