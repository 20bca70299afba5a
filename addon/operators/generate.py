# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate Pose: a plausible pose from the prior."""

import random

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty

from .body import HANDS
from .common import RigOperator, rig_of

_STEPS = 100  # resolution of the amount
_SEEDS = 10_000  # how many different poses the button offers: a number that an artist can note down


class POISE_OT_generate_pose(RigOperator, bpy.types.Operator):
    """Give the body a plausible pose from the learned prior"""

    bl_idname = "poise.generate_pose"
    bl_label = "Generate Pose"
    bl_options = {"REGISTER", "UNDO"}

    seed: IntProperty(name="Seed", description="Another seed, another pose", default=1, min=0)  # type: ignore[valid-type]
    amount: FloatProperty(  # type: ignore[valid-type]
        name="Amount",
        description="How far to go from the present pose to the generated one",
        default=1.0, min=0.0, max=1.0, subtype="FACTOR",
    )  # fmt: skip
    root: EnumProperty(  # type: ignore[valid-type]
        name="Root",
        description="Where the body stands",
        items=(
            ("UPRIGHT", "Upright on Ground", "Upright, facing where it faces, its lowest point at height zero"),
            ("KEEP", "Keep", "The pelvis stays as it is"),
        ),
        default="UPRIGHT",
    )
    hands: HANDS  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.properties.is_property_set("seed"):  # a press of the button asks for something new
            self.seed = random.randrange(_SEEDS)
        return self.execute(context)

    def run(self, context: bpy.types.Context) -> None:
        import numpy as np

        from ...vendor_core.prior import interpolate_poses, load_prior
        from ..rig.convert import upright
        from ..rig.pose import read_pose, read_rig
        from ..rig.posing import full_pose, show_pose

        obj = rig_of(context)
        rig = read_rig(obj)
        now = read_pose(obj, rig)
        prior = load_prior()
        new = prior.decode(prior.sample(1, self.seed))[0]
        R_body = now.R_local[:, :22].copy()
        if self.amount < 1:
            path = interpolate_poses(prior, np.stack([R_body[0, 1:], new]), [_STEPS])
            new = path[round(self.amount * _STEPS)]
        R_body[0, 1:] = new
        ground = None
        if self.root == "UPRIGHT":
            ground = 0.0
            R_body[:, 0] = upright(R_body[:, 0])
        show_pose(context, obj, rig, full_pose(R_body, now.trans, self.hands), self.hands != "KEEP", ground)


def register() -> None:
    bpy.utils.register_class(POISE_OT_generate_pose)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_OT_generate_pose)
