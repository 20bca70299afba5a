# SPDX-License-Identifier: GPL-3.0-or-later
"""Interpolate: in-betweens along the prior's path, as keys on the timeline."""

import random
from typing import TYPE_CHECKING

import bpy
from bpy.props import EnumProperty, IntProperty

from ..prior_choice import key_of, prior_of
from ..texts import told
from ..timeline_options import InbetweenOptions, ToleranceOptions
from .common import TimelineOperator, rig_of, scene_range
from .generate import SEEDS

if TYPE_CHECKING:
    import numpy as np

    from ..rig.convert import Rig
    from ..rig.keying.inbetween import Way
    from ..rig.keying.key_poses import KeyPoses


class POISE_OT_interpolate(InbetweenOptions, TimelineOperator, bpy.types.Operator):
    """Fill the frames between key poses with plausible in-betweens, as keys"""

    bl_idname = "poise.interpolate"
    bl_label = "In-Betweens"
    bl_options = {"REGISTER", "UNDO", "PRESET"}

    source: EnumProperty(  # type: ignore[valid-type]
        name="Between",
        description="The key poses to go through",
        items=(
            ("KEYS", "All Keys", "Frames of the body's action at which its bones have keys"),
            ("SELECTED", "Selected Keys", "Frames at which keys of its bones are selected"),
            ("STORED", "Stored Poses", "The stored poses in their order, from the present frame on"),
            ("GENERATED", "Present and Generated", "The pose that the body has now, and a generated one"),
        ),
    )
    seed: IntProperty(name="Seed", description="Another seed, another pose", default=1, min=0)  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.properties.is_property_set("seed"):  # a press of the button asks for something new
            self.seed = random.randrange(SEEDS)
        return self.execute(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "source")
        of_timeline = self.source in ("KEYS", "SELECTED")
        if self.source == "GENERATED":
            layout.prop(self, "seed")
        if not of_timeline or self.loop:
            layout.prop(self, "spacing")
        draw_options(layout, self, of_timeline)
        draw_tolerance(layout, self, active=self.reduce)

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.convert import to_bones
        from ..rig.keying.actions import copied_action, current_action, locked_bones
        from ..rig.keying.inbetween import fill
        from ..rig.keying.key_poses import bones_to_key, looped
        from ..rig.keying.keys import key_bones, keyed_frames
        from ..rig.pose import read_rig
        from ..rig.posing.allowed import only, selected_bones

        obj = rig_of(context)
        in_world = read_rig(obj)
        rig = in_world.in_own_space()
        chosen = selected_bones(context, obj) if self.bones == "SELECTED" else None
        prior, way = prior_of(context.scene), self._way(obj, in_world)
        keys = self._key_poses(context, obj, rig, chosen, in_world.scale)
        if self.loop:
            keys = looped(obj, rig, keys, self.spacing, over_others=self.source == "STORED")
        names = bones_to_key(obj, rig, keys, chosen, locked_bones(obj), self.root != "KEEP")
        filled = fill(prior, keys.frames, keys.poses, way)
        old = keyed_frames(obj, rig, selected=False, bones=names)
        occupied = bool(((old >= keys.frames[0]) & (old <= keys.frames[-1])).any())
        fresh = self.source == "STORED" and occupied
        action = copied_action(obj, f"{obj.name} In-Betweens") if fresh else current_action(obj)
        bones = only(to_bones(rig, filled.poses, bool(keys.fingers)), names)
        key_bones(obj, action, filled.frames, bones, "LINEAR" if way.step == 1 else "BEZIER", ~filled.is_key)
        line = told(
            "{n} keys from {poses} poses in {action}", n=len(filled.frames), poses=len(keys.frames), action=action.name
        )
        if self.reduce:
            line = self._reduced(obj, in_world, names, filled.frames)
        scene = context.scene
        scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
        self.report({"INFO"}, line)

    def _way(self, obj: bpy.types.Object, in_world: "Rig") -> "Way":
        from ..rig.keying.inbetween import Way, ground_of

        ground = ground_of(obj, in_world.scale) if self.root == "GROUNDED" else None
        step = 1 if self.reduce else self.step
        return Way(self.path, self.timing, step, in_world.rest_joints(), ground)

    def _key_poses(
        self, context: bpy.types.Context, obj: bpy.types.Object, rig: "Rig", chosen: set[str] | None, scale: float
    ) -> "KeyPoses":
        import numpy as np

        from ..rig.keying.inbetween import ground_of
        from ..rig.keying.key_poses import poses_of_list, present_and_generated, timeline_poses

        now = float(context.scene.frame_current)
        if self.source in ("STORED", "GENERATED"):
            _require_whole_action(obj)
        if self.source == "STORED":
            return poses_of_list(obj, rig, now, self.spacing)
        if self.source == "GENERATED":
            frames = np.array([now, now + self.spacing])
            return present_and_generated(
                obj, rig, frames, self.seed, chosen, ground_of(obj, scale), key_of(context.scene)
            )
        frames, where = self._frames(context, obj, rig, chosen)
        return timeline_poses(obj, rig, frames, where)

    def _frames(
        self, context: bpy.types.Context, obj: bpy.types.Object, rig: "Rig", chosen: set[str] | None
    ) -> "tuple[np.ndarray, str]":
        """Frames (K,) of the key poses on the timeline, and what has been asked of them."""
        from ...vendor_core.skeleton import N_BODY
        from ..rig.keying.keys import keyed_frames

        bones = [name for name in rig.bones[:N_BODY] if chosen is None or name in chosen]
        frames = keyed_frames(obj, rig, selected=self.source == "SELECTED", bones=bones)
        where = "selected " if self.source == "SELECTED" else ""
        if self.span == "SCENE":
            start, end = scene_range(context)
            frames = frames[(frames >= start) & (frames <= end)]
            where += f"(in frames {start} to {end}) "
        return frames, where

    def _reduced(self, obj: bpy.types.Object, in_world: "Rig", names: list[str], frames: "np.ndarray") -> str:
        """A line on the keys, those that can be spared taken away."""
        from ...vendor_core.errors import PoiseError
        from ..rig.keying.reduce import Allowed, plan_reduction

        allowed, action = Allowed(self.max_angle, self.max_distance), obj.animation_data.action.name
        try:
            outcome = plan_reduction(obj, in_world, names, frames[0], frames[-1], allowed).write(obj)
        except PoiseError:  # too few frames, or curves with modifiers: the in-betweens stand
            return f"{len(frames)} keys in {action}; none of them can be spared"
        return f"{outcome.line()} in {action}"


def draw_options(layout: bpy.types.UILayout | None, options: InbetweenOptions, of_timeline: bool) -> None:
    """What the panel and the redo panel show alike."""
    assert layout is not None
    for name in ("path", "timing", "root", "bones", *(("span",) if of_timeline else ()), "loop"):
        layout.prop(options, name)
    row = layout.row()
    row.active = not options.reduce
    row.prop(options, "step")
    layout.prop(options, "reduce")


def draw_tolerance(layout: bpy.types.UILayout | None, options: ToleranceOptions, active: bool) -> None:
    """How far off a motion with fewer keys may be."""
    assert layout is not None
    column = layout.column(align=True)
    column.active = active
    for name in ("max_angle", "max_distance"):
        column.prop(options, name)


def _require_whole_action(obj: bpy.types.Object) -> None:
    """Raises a PoiseError where keys of poses would only be added to what the NLA shows."""
    from ...vendor_core.errors import PoiseError
    from ..rig.keying.actions import adds_to_others

    if adds_to_others(obj):
        raise PoiseError(
            f'The action of "{obj.name}" is only a part of what the NLA shows; expected Blending: Replace with '
            "Influence 1 in the NLA Editor"
        )


def register() -> None:
    bpy.utils.register_class(POISE_OT_interpolate)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_OT_interpolate)
