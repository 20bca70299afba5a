# SPDX-License-Identifier: GPL-3.0-or-later
"""Variations of the present pose: one in its place, or many as keys on the timeline."""

import random

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty

from ..texts import told
from .body import HANDS_KEPT
from .choices import ROOT_ITEMS, PoseChoices
from .common import PosingOperator, TimelineOperator, rig_of
from .generate import SEEDS


class VariationChoices(PoseChoices):
    """What all operators that vary the present pose ask."""

    seed: IntProperty(name="Seed", description="Another seed, another variation", default=1, min=0)  # type: ignore[valid-type]
    amount: FloatProperty(  # type: ignore[valid-type]
        name="Amount",
        description="How far from the present pose: 0 is the pose itself, 1 is any pose",
        default=0.4, min=0.0, max=1.0, subtype="FACTOR",
    )  # fmt: skip
    root: EnumProperty(  # type: ignore[valid-type]
        name="Root", description="Where the body stands", items=ROOT_ITEMS, default="HEIGHT"
    )
    hands: HANDS_KEPT  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.properties.is_property_set("seed"):  # type: ignore[attr-defined]
            self.seed = random.randrange(SEEDS)
        return self.execute(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout  # type: ignore[attr-defined]
        layout.use_property_split = True
        for name in ("seed", "amount", "root"):
            layout.prop(self, name)
        self.draw_choices(layout)


class POISE_OT_vary_pose(VariationChoices, PosingOperator, bpy.types.Operator):
    """Change the present pose a little, as plausibly as before"""

    bl_idname = "poise.vary_pose"
    bl_label = "Vary Pose"
    bl_options = {"REGISTER", "UNDO", "PRESET"}

    def run(self, context: bpy.types.Context) -> None:
        from ...vendor_core.prior.draw import variations
        from ..rig.posing.generating import show_whole_pose, whole_pose

        given = self.given(context)
        R = variations(given.prior, given.plausibility, given.body, 1, self.seed, self.amount, given.kept)
        pose = whole_pose(given, R, self.root, self.hands)
        show_whole_pose(context, rig_of(context), given, pose, self.root, self.hands)


class POISE_OT_key_variations(VariationChoices, TimelineOperator, bpy.types.Operator):
    """Key many variations of the present pose one after the other, from the current frame on"""

    bl_idname = "poise.key_variations"
    bl_label = "Key Variations"
    bl_options = {"REGISTER", "UNDO"}

    count: IntProperty(  # type: ignore[valid-type]
        name="Count", description="How many variations", default=20, min=1, max=10_000, soft_max=200
    )
    spacing: IntProperty(  # type: ignore[valid-type]
        name="Frames Apart", description="Frames from one variation to the next", default=10, min=1
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "count")
        layout.prop(self, "spacing")
        super().draw(context)

    def run(self, context: bpy.types.Context) -> None:
        import numpy as np

        from ...vendor_core.prior.draw import variations
        from ..rig.convert import to_bones
        from ..rig.keying.actions import copied_action, current_action
        from ..rig.keying.keys import key_bones, keyed_frames
        from ..rig.posing.allowed import only
        from ..rig.posing.generating import grounded, whole_pose

        obj, given = rig_of(context), self.given(context)
        R = variations(given.prior, given.plausibility, given.body, self.count, self.seed, self.amount, given.kept)
        poses = grounded(context, obj, given, whole_pose(given, R, self.root, self.hands), self.root)
        allowed = {bone for bone, free in zip(given.rig.bones, given.allowed, strict=True) if free}
        bones = only(to_bones(given.rig, poses, self.hands != "KEEP"), allowed)
        frames = context.scene.frame_current + self.spacing * np.arange(self.count, dtype=float)
        old = keyed_frames(obj, given.rig, selected=False, made_too=True, bones=bones.bones)
        occupied = bool(((old >= frames[0]) & (old <= frames[-1])).any())
        action = copied_action(obj, f"{obj.name} Variations") if occupied else current_action(obj)
        key_bones(obj, action, frames, bones, "CONSTANT")
        context.scene.frame_set(context.scene.frame_current, subframe=context.scene.frame_subframe)
        line = told("{n} variations, frames {first:g} to {last:g}", n=self.count, first=frames[0], last=frames[-1])
        kept = told("the action as it was stays in the file")
        self.report({"INFO"}, f"{line}; {kept}" if occupied else line)


_CLASSES = (POISE_OT_vary_pose, POISE_OT_key_variations)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
