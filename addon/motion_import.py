# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion file written to the scene: onto a new body, one made by Poise, or any other rig of the family."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..vendor_core.errors import PoiseError
from .bodies import body_file, body_of_file, set_shape
from .motion_export import rest_of_rig

if TYPE_CHECKING:
    import numpy as np

    from ..vendor_core.motion import Motion
    from ..vendor_core.retarget import LoadedMotion
    from .rig.convert import Rig

_SAME_BODY = 1e-4  # metres: rest joints nearer than this are the same
_SAME_SCALE = 5e-3  # share by which steps are scaled that is not worth a word


@dataclass(frozen=True)
class MotionRequest:
    """What an import was asked for."""

    path: Path
    rig: bpy.types.Object | None  # None for a new body
    fit_shape: bool
    at_scene_rate: bool
    start: int
    extend_range: bool


def import_motion(context: bpy.types.Context, request: MotionRequest) -> str:
    """Read a motion file and key it in a new action; a line that sums it up.

    Raises:
        PoiseError: the file holds no motion, or the rig cannot have it; nothing is changed then.
    """
    import numpy as np

    from ..vendor_core.motion.resample import resampled
    from ..vendor_core.retarget import load_motion
    from .rig.pose import read_rig

    shaped = request.rig is None or "poise_body" in request.rig
    file, own_joints = None, None
    if request.rig is not None:
        _require_ready(request.rig, shaped and request.fit_shape)
        file = body_file(request.rig)
        own_joints = None if shaped and request.fit_shape else rest_of_rig(request.rig)
    loaded = load_motion(request.path, body_of_file(file), own_joints=own_joints)
    render = context.scene.render
    fps = render.fps / render.fps_base
    motion = resampled(loaded.motion, fps) if request.at_scene_rate else loaded.motion
    rig = request.rig if request.rig is not None else _new_body(context, request.path.stem)
    if shaped and request.fit_shape and loaded.rest_joints is not None:
        set_shape(context, rig, motion.betas)
    frames = request.start + np.arange(len(motion)) * (fps / motion.rate)
    said = _key(rig, read_rig(rig), loaded, motion, request.path.stem, frames)
    scene = context.scene
    if request.extend_range:
        scene.frame_end = max(scene.frame_end, int(np.ceil(frames[-1])))
        scene.frame_start = min(scene.frame_start, int(np.floor(frames[0])))
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    parts = [f"{len(motion)} frames at {motion.rate:g} Hz", *(part for part in (loaded.note, said) if part)]
    return f"{request.path.name}: {'; '.join(parts)}"


def _require_ready(rig: bpy.types.Object, shaped: bool) -> None:
    from .rig.keying.actions import require_free_action
    from .rig.pose import read_rig

    read_rig(rig)
    require_free_action(rig)
    if shaped and not rig.visible_get():
        raise PoiseError(f'"{rig.name}" is hidden and cannot get a new shape: unhide it, or turn Fit Shape off')


def _new_body(context: bpy.types.Context, name: str) -> bpy.types.Object:
    from .operators.body import add_default_body

    rig = add_default_body(context)
    rig.name = rig.data.name = name
    return rig


def _key(
    obj: bpy.types.Object, rig: "Rig", loaded: "LoadedMotion", motion: "Motion", name: str, frames: "np.ndarray"
) -> str:
    """Key a motion on a rig in its final shape; what is to be said of its steps."""
    import numpy as np

    from ..vendor_core.retarget import leg_scale
    from .rig.keying.take import SolvedTake, key_take

    own, trans, done_by, said = rig.rest_joints(), motion.trans, loaded.rest_joints, ""
    if done_by is None:  # whose legs are not known: the motion itself tells how long they are
        scale = leg_scale(motion, own)
        trans = scale * (own[0] + trans) - own[0]
        said = f"steps scaled by {scale:.2f}, so that feet stand on the floor" if abs(scale - 1) > _SAME_SCALE else ""
    elif np.abs(own - done_by).max() < _SAME_BODY:
        done_by = None
    take = SolvedTake(name, motion.poses, trans, motion.betas, motion.rate)
    key_take(obj, rig, take, frames, done_by)
    return said
