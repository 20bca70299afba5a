# SPDX-License-Identifier: GPL-3.0-or-later
"""Solve from Tracks: a motion from tracks of the movie clip editor, found in the worker process."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import EnumProperty, FloatProperty

from ...vendor_core.errors import PoiseError
from ..prior_choice import source_of
from ..scenes import object_of, scene_with
from ..worker import jobs
from .camera import CameraOperator
from .common import rig_of, scene_range
from .job import BUSY, Job, JobFollower, JobOperator

if TYPE_CHECKING:
    import numpy as np

    from ...vendor_core.frames import Message


@dataclass(frozen=True)
class _Request:
    """What is being solved. Names instead of data-blocks: they outlive undo while the job runs."""

    rig: str
    rig_uid: int  # as of `scenes.object_of`
    scene: str
    clip: str
    frames: "np.ndarray"  # (F,)
    n_tracks: int
    note: str


class POISE_OT_solve_tracks(JobOperator, CameraOperator, bpy.types.Operator):
    """Key the motion that the camera sees so that joints are where the clip's tracks named for them are"""

    bl_idname = "poise.solve_tracks"
    bl_label = "Solve from Tracks"
    bl_options = {"REGISTER"}

    follower = "follow_tracks"
    source: EnumProperty(  # type: ignore[valid-type]
        name="Frames",
        description="The frames to solve",
        items=(
            ("ALL", "All", "From the first marker to the last"),
            ("RANGE", "Scene Range", "In the preview range, or else in the scene's frame range"),
        ),
    )
    tolerance: FloatProperty(  # type: ignore[valid-type]
        name="Tolerance",
        description="How far tracks may lie beside their joints, in percent of the picture's height: "
        "the farther, the more plausible and even the motion",
        default=0.5, min=0.05, max=5.0, precision=2, subtype="PERCENTAGE",
    )  # fmt: skip

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        from ..rig.keying.actions import why_action_is_held

        why = why_action_is_held(rig_of(context)) or (BUSY if jobs.state.running else "")
        if not bpy.data.movieclips:
            why = "Open a movie clip in the Movie Clip Editor, and name its tracks for joints"
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self, confirm_text="Solve")  # type: ignore[return-value]

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "source")
        layout.prop(self, "tolerance")

    def job(self, context: bpy.types.Context) -> Job:
        from ..rig.pose import read_rig
        from ..rig.seen.camera import active_camera, frame_of, read_camera_over
        from ..rig.seen.tracks import clip_of, read_tracks

        obj, view, clip = rig_of(context), active_camera(context), clip_of(context)
        if clip is None:
            raise PoiseError("The scene has no movie clip; set one as the camera's background or as Active Clip")
        rig, size = read_rig(obj), frame_of(context)
        tracks = read_tracks(clip, size, *((None, None) if self.source == "ALL" else scene_range(context)))
        camera = read_camera_over(context, view, tracks.frames)
        arrays = {
            "pixels": tracks.pixels, "rest_joints": rig.rest_joints(), "focal": camera.focal, "centre": camera.centre,
            "R_camera_world": camera.R_camera_world, "t_camera_world": camera.t_camera_world,
        }  # fmt: skip
        render = context.scene.render
        rate = render.fps / render.fps_base
        params = {"joints": list(tracks.joints), "sigma": self.tolerance / 100 * size.height, "rate": rate,
                  "prior": source_of(context.scene)}  # fmt: skip
        request = _Request(
            obj.name, obj.session_uid, context.scene.name, clip.name, tracks.frames, len(tracks.joints), tracks.note
        )
        return Job(
            f"Solving {clip.name}", "pictures", params,
            lambda context, message: _write(context, request, message), arrays,
        )  # fmt: skip


class POISE_OT_follow_tracks(JobFollower, bpy.types.Operator):
    """Wait for the motion that is being solved, without holding up Blender"""

    bl_idname = "poise.follow_tracks"
    bl_label = "Solve from Tracks"
    bl_options = {"INTERNAL", "UNDO"}


def _write(context: bpy.types.Context, request: _Request, message: "Message") -> str:
    """Key the motion in a new action; a line that sums it up.

    Raises:
        PoiseError: the job failed or was cancelled, or the body is gone; nothing is changed then.
    """
    from ..rig.convert import to_bones
    from ..rig.keying.actions import new_action
    from ..rig.keying.keys import key_bones
    from ..rig.pose import read_rig
    from ..rig.posing.showing import full_pose

    jobs.require_result(message, f"{request.clip}: solving")
    obj = object_of(request.rig, request.rig_uid)
    if obj is None:
        raise PoiseError(f'The body "{request.rig}" is not here any more; solve again')
    scene = scene_with(obj, request.scene)
    rig = read_rig(obj)
    pose = full_pose(message.arrays["R_local"], message.arrays["trans"], "KEEP")
    action = new_action(obj, f"{Path(request.clip).stem} Solved")
    key_bones(obj, action, request.frames.astype(float), to_bones(rig, pose, hands=False))
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    return _summed_up(request, message)


def _summed_up(request: _Request, message: "Message") -> str:
    from ...vendor_core.motion import BRIDGED, HELD

    parts = [f"{len(request.frames)} frames from {request.n_tracks} tracks"]
    parts.append(f"half of them missed by less than {message.data['missed']:.1f} pixels")
    if message.data["astray"] > 0.005:
        parts.append(f"{100 * message.data['astray']:.0f} % of the markers not believed")
    status = message.arrays["status"]
    for value, what in ((BRIDGED, "bridged"), (HELD, "held")):
        if n := int((status == value).sum()):
            parts.append(f"{n} frames without tracks {what}")
    return ", ".join([*parts, request.note] if request.note else parts)


_CLASSES = (POISE_OT_solve_tracks, POISE_OT_follow_tracks)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
