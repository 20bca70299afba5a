# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rig shows at many frames, whatever makes it do so."""

import bpy
import numpy as np

from ..convert import Pose, Rig, from_bones
from ..pose import read_pose, read_rig
from .actions import bone_of, curves_of
from .channels import ROTATIONS, channel_of, path_of
from .keys import keyed_bones

_SAME_FRAME = 1e-3


def sampled(context: bpy.types.Context, obj: bpy.types.Object, frames: np.ndarray) -> Pose:
    """The poses of a rig at frames (F,), in the world: from its own keys alone where nothing else moves it, which is
    exact and fast, else as the scene shows them frame by frame. The scene's frame stays.

    Raises:
        RigError: the armature is no rig of the family, or is scaled unevenly or mirrored.
    """
    rig = read_rig(obj)
    if only_own_keys(obj, rig):
        bones = keyed_bones(obj, rig, _on_keys(obj, frames))
        assert bones.location is not None
        return from_bones(rig, bones.quaternions, bones.location)
    scene, manager = context.scene, context.window_manager
    before = scene.frame_current, scene.frame_subframe
    manager.progress_begin(0, len(frames))
    try:
        poses = []
        for i, frame in enumerate(frames.tolist()):
            scene.frame_set(int(np.floor(frame)), subframe=frame % 1)
            poses.append(read_pose(obj, read_rig(obj)))
            manager.progress_update(i)
    finally:
        manager.progress_end()
        scene.frame_set(before[0], subframe=before[1])
    return Pose(np.concatenate([pose.R_local for pose in poses]), np.concatenate([pose.trans for pose in poses]))


def _on_keys(obj: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    """Frames (F,), those that mean a key moved to where it really is: curves hold frames in single precision, and are
    read exactly, and at once, there.
    """
    curves = [curve for curve in curves_of(obj) if len(curve.keyframe_points)]
    if not curves:
        return frames
    longest = max(curves, key=lambda curve: len(curve.keyframe_points))
    flat = np.empty(2 * len(longest.keyframe_points), dtype=np.float32)
    longest.keyframe_points.foreach_get("co", flat)
    at = flat[::2].astype(np.float64)
    nearest = at[np.searchsorted((at[1:] + at[:-1]) / 2, frames)]
    return np.where(np.abs(nearest - frames) < _SAME_FRAME, nearest, frames)


def only_own_keys(obj: bpy.types.Object, rig: Rig) -> bool:
    """Whether only keys of rotations, and of the pelvis's place, in the object's action move the rig's bones."""
    data = obj.animation_data
    if obj.parent is not None or any(not c.mute for c in obj.constraints):
        return False
    if any(not c.mute and c.influence > 0 for bone in obj.pose.bones for c in bone.constraints):
        return False
    if data is not None and (len(data.drivers) or (data.use_nla and any(not t.mute for t in data.nla_tracks))):
        return False
    above = {up.name for name in rig.bones for up in obj.pose.bones[name].parent_recursive} - set(rig.bones)
    known = {path_of(name, channel_of(obj.pose.bones[name])) for name in rig.bones}
    known.add(path_of(rig.bones[0], "location"))
    idle = {path_of(name, channel) for name in rig.bones for channel in ROTATIONS} - known  # of other rotation modes
    for curve in curves_of(obj):
        bone = bone_of(curve.data_path)
        matters = (not bone or bone in above or bone in rig.bones) and curve.data_path not in idle
        if matters and (curve.data_path not in known or curve.mute):
            return False
    return True
