# SPDX-License-Identifier: GPL-3.0-or-later
"""Variations to choose from by their pictures."""

import bpy
from bpy.props import IntProperty

from .. import gallery
from .common import PosingOperator, find_rig, redraw_sidebars, rig_of
from .vary import VariationChoices


class POISE_OT_make_variations(VariationChoices, bpy.types.Operator):
    """Make variations of the present pose, with pictures to choose from"""

    bl_idname = "poise.make_variations"
    bl_label = "Show Variations"
    bl_options = {"REGISTER"}

    count: IntProperty(name="Count", description="How many variations", default=9, min=1, max=48)  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> None:
        import numpy as np

        from ...vendor_core.prior.draw import variations
        from ..rig.convert import to_bones
        from ..rig.keying.inbetween import joined
        from ..rig.posing.allowed import only
        from ..rig.posing.generating import grounded, whole_pose
        from ..rig.posing.pictures import pictures_of

        obj, given = rig_of(context), self.given(context)
        R = variations(given.prior, given.plausibility, given.body, self.count, self.seed, self.amount, given.kept)
        poses = grounded(context, obj, given, whole_pose(given, R, self.root, self.hands), self.root)
        allowed = {str(bone) for bone in np.array(given.rig.bones)[given.allowed]}
        bones = only(to_bones(given.rig, joined([given.now, poses]), self.hands != "KEEP"), allowed)
        gallery.show(obj, bones, pictures_of(poses))
        redraw_sidebars(context)


class POISE_OT_pick_variation(PosingOperator, bpy.types.Operator):
    """Give the body this variation"""

    bl_idname = "poise.pick_variation"
    bl_label = "Pick Variation"
    bl_options = {"REGISTER", "UNDO"}

    index: IntProperty(  # type: ignore[valid-type]
        name="Variation", description="Which one, from 1 on; 0 is the pose that was varied", default=1, min=0
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        if gallery.gallery_of(find_rig(context)) is None:
            cls.poll_message_set("Show Variations first")  # type: ignore[attr-defined]
            return False
        return True

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.posing.showing import show_bones

        obj = rig_of(context)
        offered = gallery.gallery_of(obj)
        assert offered is not None
        show_bones(context, obj, offered.bones, self.index, "variation")
        offered.picked = self.index


_CLASSES = (POISE_OT_make_variations, POISE_OT_pick_variation)
register, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def unregister() -> None:
    _unregister_classes()
    gallery.forget()
