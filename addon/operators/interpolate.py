# SPDX-License-Identifier: GPL-3.0-or-later
"""Interpolate: in-betweens along the prior's path, as keys on the timeline."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty

from ...vendor_core.errors import PoiseError
from .common import RigOperator, rig_of

if TYPE_CHECKING:
    import numpy as np

    from ..rig.convert import Pose, Rig


@dataclass(frozen=True)
class _Keys:
    """Key poses on the timeline, in the armature's own space."""

    frames: "np.ndarray"  # (K,)
    poses: "Pose"  # K frames
    fingers: bool


class POISE_OT_interpolate(RigOperator, bpy.types.Operator):
    """Fill the frames between key poses with plausible in-betweens, as keys"""

    bl_idname = "poise.interpolate"
    bl_label = "Interpolate"
    bl_options = {"REGISTER", "UNDO"}

    source: EnumProperty(  # type: ignore[valid-type]
        name="Between",
        description="The key poses to go through",
        items=(
            ("KEYS", "All Keys", "Frames of the body's action at which its bones have keys"),
            ("SELECTED", "Selected Keys", "Frames at which keys of its bones are selected"),
            ("STORED", "Stored Poses", "The stored poses in their order, from the present frame on"),
        ),
    )
    path: EnumProperty(  # type: ignore[valid-type]
        name="Path",
        description="How to get from pose to pose",
        items=(
            ("latent", "Prior", "Through plausible poses, as the prior has learned them"),
            ("geodesic", "Least Motion", "Through plausible poses, moving the skin as little as can be"),
            ("slerp", "Shortest", "Each joint on its own, the shortest way"),
        ),
    )
    timing: EnumProperty(  # type: ignore[valid-type]
        name="Timing",
        description="Speed between two key poses",
        items=(
            ("constant", "Constant Speed", "The body moves evenly"),
            ("linear", "Linear", "Even in the path's own parameter"),
        ),
    )
    step: IntProperty(  # type: ignore[valid-type]
        name="Key Every",
        description="Frames from key to key; between keys further apart, Blender's own curves lead",
        default=1,
        min=1,
    )
    loop: BoolProperty(  # type: ignore[valid-type]
        name="Loop",
        description="Go back from the last key pose to the first, which is keyed again at the end",
        default=False,
    )
    spacing: IntProperty(  # type: ignore[valid-type]
        name="Frames Apart",
        description="Frames from one stored pose to the next, and from the last key pose back to the first",
        default=24,
        min=1,
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        for name in ("source", "path", "timing", "step", "loop"):
            layout.prop(self, name)
        if self.source == "STORED" or self.loop:
            layout.prop(self, "spacing")

    def run(self, context: bpy.types.Context) -> None:
        from ...vendor_core.prior import load_prior
        from ..rig.actions import current_action, new_action
        from ..rig.convert import to_bones
        from ..rig.inbetween import fill
        from ..rig.keys import key_bones, keyed_frames
        from ..rig.pose import read_rig

        obj = rig_of(context)
        in_world = read_rig(obj)
        rig = in_world.in_own_space()
        old = keyed_frames(obj, rig, selected=self.source == "SELECTED")
        keys = self._stored_keys(context, obj) if self.source == "STORED" else _timeline_keys(obj, rig, old)
        if self.loop:
            keys = self._closed(obj, rig, keys)
        filled = fill(load_prior(), keys.frames, keys.poses, self.path, self.timing, self.step, in_world.rest_joints())
        bones = to_bones(rig, filled.poses, keys.fingers)
        occupied = bool(((old >= keys.frames[0]) & (old <= keys.frames[-1])).any())
        fresh = self.source == "STORED" and occupied
        action = new_action(obj, f"{obj.name} Interpolation") if fresh else current_action(obj)
        key_bones(obj, action, filled.frames, bones, "LINEAR" if self.step == 1 else "BEZIER", ~filled.is_key)
        context.scene.frame_set(context.scene.frame_current, subframe=context.scene.frame_subframe)
        self.report({"INFO"}, f"{len(filled.frames)} keys from {len(keys.frames)} poses in {action.name}")

    def _closed(self, obj: bpy.types.Object, rig: "Rig", keys: _Keys) -> _Keys:
        """Key poses that end with the first one.

        Raises:
            PoiseError: keys of the artist's own are where the way back would be.
        """
        from ..rig.inbetween import closed
        from ..rig.keys import keyed_frames

        frames, poses = closed(keys.frames, keys.poses, self.spacing)
        own = keyed_frames(obj, rig, selected=False)
        in_the_way = own[(own > keys.frames[-1]) & (own <= frames[-1])]
        if self.source != "STORED" and len(in_the_way):
            raise PoiseError(
                f"The way back to the first pose, to frame {frames[-1]:g}, would replace your key at frame "
                f"{in_the_way[0]:g}; expected none there: choose fewer Frames Apart, or select later keys too"
            )
        return _Keys(frames, poses, keys.fingers)

    def _stored_keys(self, context: bpy.types.Context, obj: bpy.types.Object) -> _Keys:
        import numpy as np

        from ..rig.inbetween import joined
        from ..rig.stored import stored_poses

        poses = stored_poses(obj)
        if len(poses) < 2:
            raise PoiseError(f'"{obj.name}" has {len(poses)} stored poses; expected two or more: use Store Pose')
        frames = context.scene.frame_current + self.spacing * np.arange(len(poses), dtype=float)
        return _Keys(frames, joined(poses), fingers=True)


def _timeline_keys(obj: bpy.types.Object, rig: "Rig", frames: "np.ndarray") -> _Keys:
    from ..rig.convert import from_bones
    from ..rig.keys import animated_bones, keyed_bones

    if len(frames) < 2:
        raise PoiseError(
            f'The body bones of "{obj.name}" have keys at {len(frames)} frames; expected two or more: pose and key '
            "(I) its bones at several frames, or interpolate stored poses"
        )
    bones = keyed_bones(obj, rig, frames)
    fingers = bool(animated_bones(obj) & rig.finger_bones)
    assert bones.location is not None
    return _Keys(frames, from_bones(rig, bones.quaternions, bones.location), fingers)


def register() -> None:
    bpy.utils.register_class(POISE_OT_interpolate)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_OT_interpolate)
