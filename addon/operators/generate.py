# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate Pose: a plausible pose from the prior."""

import random

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty

from .body import HANDS
from .choices import ROOT_ITEMS, PoseChoices
from .common import PosingOperator, rig_of

_STEPS = 100  # resolution of the amount
SEEDS = 10_000  # how many different poses a button offers: a number that an artist can note down


class POISE_OT_generate_pose(PoseChoices, PosingOperator, bpy.types.Operator):
    """Give the body a plausible pose from the learned prior"""

    bl_idname = "poise.generate_pose"
    bl_label = "Generate Pose"
    bl_options = {"REGISTER", "UNDO", "PRESET"}

    seed: IntProperty(name="Seed", description="Another seed, another pose", default=1, min=0)  # type: ignore[valid-type]
    amount: FloatProperty(  # type: ignore[valid-type]
        name="Amount",
        description="How far to go from the present pose to the generated one",
        default=1.0, min=0.0, max=1.0, subtype="FACTOR",
    )  # fmt: skip
    root: EnumProperty(  # type: ignore[valid-type]
        name="Root", description="Where the body stands", items=ROOT_ITEMS, default="UPRIGHT"
    )
    hands: HANDS  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.properties.is_property_set("seed"):  # a press of the button asks for something new
            self.seed = random.randrange(SEEDS)
        return self.execute(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        for name in ("seed", "amount", "root"):
            layout.prop(self, name)
        self.draw_choices(layout)

    def run(self, context: bpy.types.Context) -> None:
        import numpy as np

        from ...vendor_core.prior import interpolate_poses
        from ...vendor_core.prior.draw import drawn_pose
        from ..rig.posing.generating import show_whole_pose, whole_pose

        given = self.given(context)
        new = drawn_pose(given.prior, given.plausibility, given.body, self.seed, given.kept)
        if self.amount < 1:
            path = interpolate_poses(given.prior, np.stack([given.body, new]), [_STEPS])
            new = path[round(self.amount * _STEPS)]
        pose = whole_pose(given, new[None], self.root, self.hands)
        show_whole_pose(context, rig_of(context), given, pose, self.root, self.hands)


def register() -> None:
    bpy.utils.register_class(POISE_OT_generate_pose)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_OT_generate_pose)
