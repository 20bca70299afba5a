# SPDX-License-Identifier: GPL-3.0-or-later
"""Denoise Keys: a keyed motion without jitter and broken poses, found in the worker process."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
from bpy.props import EnumProperty, FloatProperty

from ...vendor_core.errors import PoiseError
from ..prior_choice import source_of
from ..scenes import object_of, scene_with
from ..worker import jobs
from .common import RigOperator, rig_of, scene_range
from .job import BUSY, Job, JobFollower, JobOperator

if TYPE_CHECKING:
    import numpy as np

    from ...vendor_core.frames import Message
    from ..rig.convert import Rig
    from ..rig.keying.rework import Motion


@dataclass(frozen=True)
class _Request:
    """What is being denoised. Names instead of data-blocks: they outlive undo while the job runs."""

    rig: str
    rig_uid: int  # as of `scenes.object_of`
    scene: str
    action: str
    motion: "Motion"


class POISE_OT_denoise(JobOperator, RigOperator, bpy.types.Operator):
    """Take jitter and broken poses out of the body's keyed motion; its action stays, a copy gets the cleaned keys"""

    bl_idname = "poise.denoise"
    bl_label = "Denoise Keys"
    bl_options = {"REGISTER", "PRESET"}

    follower = "follow_denoise"
    amount: FloatProperty(  # type: ignore[valid-type]
        name="Amount",
        description="How far to go from the motion as it is to the cleaned one",
        default=1.0, min=0.0, max=1.0, subtype="FACTOR",
    )  # fmt: skip
    source: EnumProperty(  # type: ignore[valid-type]
        name="Keys",
        description="The keys of the body's bones to work on",
        items=(
            ("KEYS", "All", "From the first key to the last"),
            ("SELECTED", "Selected", "From the first selected key to the last selected one"),
            ("RANGE", "Scene Range", "In the preview range, or else in the scene's frame range"),
        ),
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        from ..rig.keying.actions import why_action_is_held

        data = rig_of(context).animation_data
        why = why_action_is_held(rig_of(context)) or (BUSY if jobs.state.running else "")
        if data is None or data.action is None:
            why = "The body has no keys: key its bones at several frames, or import a take"
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self, confirm_text="Denoise")  # type: ignore[return-value]

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "amount")
        layout.prop(self, "source")

    def job(self, context: bpy.types.Context) -> Job:
        from ..rig.keying.rework import body_rig, even_frames, read_motion
        from ..rig.pose import read_rig

        obj = rig_of(context)
        rig = body_rig(read_rig(obj))
        frames = even_frames(self._frames(context, obj, rig))
        motion = read_motion(obj, rig, frames)
        render = context.scene.render
        rate = render.fps / render.fps_base * (len(frames) - 1) / float(frames[-1] - frames[0])
        arrays = {"R_local": motion.R_local, "trans": motion.trans, "rest_joints": rig.rest_joints()}
        request = _Request(obj.name, obj.session_uid, context.scene.name, obj.animation_data.action.name, motion)
        return Job(
            f"Denoising {obj.name}", "denoise",
            {"rate": rate, "amount": self.amount, "prior": source_of(context.scene)},
            lambda context, message: _write(context, request, message), arrays,
        )  # fmt: skip

    def _frames(self, context: bpy.types.Context, obj: bpy.types.Object, rig: "Rig") -> "np.ndarray":
        """Frames (K,) of the keys to work on.

        Raises:
            PoiseError: there are too few.
        """
        from ..rig.keying.keys import keyed_frames

        where = ""
        frames = keyed_frames(obj, rig, selected=False, made_too=True)
        if self.source == "SELECTED":
            chosen, where = keyed_frames(obj, rig, selected=True, made_too=True), " selected"
            frames = frames[(frames >= chosen[0]) & (frames <= chosen[-1])] if len(chosen) else chosen
        elif self.source == "RANGE":
            start, end = scene_range(context)
            frames, where = frames[(frames >= start) & (frames <= end)], f" in frames {start} to {end}"
        if len(frames) < 2:
            raise PoiseError(
                f'The body bones of "{obj.name}" have keys at {len(frames)}{where} frames; expected two or more: '
                "import a take, key its bones at several frames, or choose more of them"
            )
        return frames


class POISE_OT_follow_denoise(JobFollower, bpy.types.Operator):
    """Wait for the motion that is being denoised, without holding up Blender"""

    bl_idname = "poise.follow_denoise"
    bl_label = "Denoise Keys"
    bl_options = {"INTERNAL", "UNDO"}


def _write(context: bpy.types.Context, request: _Request, message: "Message") -> str:
    """Write the denoised motion to the keys of a copy of the action; a line that sums it up.

    Raises:
        PoiseError: the job failed or was cancelled, or the body or its action are gone; nothing is changed then.
    """
    from ..rig.keying.actions import copied_action
    from ..rig.keying.rework import Motion, body_rig, keys_between, write_correction
    from ..rig.pose import read_rig

    jobs.require_result(message, f"{request.rig}: denoising")
    obj = object_of(request.rig, request.rig_uid)
    data = None if obj is None else obj.animation_data
    if obj is None or data is None or data.action is None or data.action.name != request.action:
        raise PoiseError(
            f'The body "{request.rig}" with its action "{request.action}" is not here any more; denoise again'
        )
    scene = scene_with(obj, request.scene)
    rig = body_rig(read_rig(obj))
    at = keys_between(obj, rig, request.motion.frames)
    if not len(at):
        raise PoiseError(f'The keys of "{request.rig}" that were denoised are gone; nothing was changed')
    after = Motion(request.motion.frames, message.arrays["R_local"], message.arrays["trans"])
    action = copied_action(obj, f"{request.action.removesuffix(' Denoised')} Denoised")
    write_correction(obj, rig, at, request.motion, after)
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    before, now = message.data["plausibility_before"], message.data["plausibility_after"]
    return f"{len(at)} frames in {action.name}, median plausibility {before:.2f} before and {now:.2f} after"


_CLASSES = (POISE_OT_denoise, POISE_OT_follow_denoise)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
