# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting a pose of the core onto a rig in the scene: fingers, ground, auto-keying."""

from collections.abc import Container

import bpy
import numpy as np

from ....vendor_core.body.hands import preset_hands
from ....vendor_core.errors import PoiseError
from ....vendor_core.rotations import exp_so3
from ....vendor_core.skeleton import JOINTS, N_BODY
from ..convert import FIRST_FINGER, BonePose, Pose, Rig, to_bones
from ..keying.auto_key import auto_key
from ..pose import lowest_point, write_pose
from .allowed import only


def full_pose(R_body: np.ndarray, trans: np.ndarray, hands: str) -> Pose:
    """Poses of all joints from the body's.

    Args:
        R_body: (F, 22, 3, 3), the root in the world first.
        trans: (F, 3) metres.
        hands: a preset of `preset_hands`, in capitals; for "KEEP" fingers are flat here, and not to be written.
    """
    R = np.broadcast_to(np.eye(3), (len(R_body), len(JOINTS), 3, 3)).copy()
    R[:, :N_BODY] = R_body
    R[:, FIRST_FINGER:] = exp_so3(preset_hands("flat" if hands == "KEEP" else hands.lower()))  # type: ignore[arg-type]
    return Pose(R, trans)


def show_pose(
    context: bpy.types.Context,
    obj: bpy.types.Object,
    rig: Rig,
    pose: Pose,
    fingers: bool,
    ground: float | None = None,
    allowed: Container[str] | None = None,
) -> None:
    """Write one pose onto the bones, and key it where the artist has auto-keying on.

    Args:
        context: of the operator.
        obj: the armature object.
        rig: what `read_rig` gave for it.
        pose: one frame.
        fingers: write them too.
        ground: height (m) in the world that the lowest point of the body is moved to, where the pelvis may move.
        allowed: bones that may change; all of them where it is None.
    """
    allowed = rig.bones if allowed is None else allowed
    bones = only(to_bones(rig, pose, fingers), allowed)
    write_pose(obj, bones)
    context.view_layer.update()
    if ground is not None and bones.location is not None:
        rise = ground - lowest_point(context, obj)
        bones = only(to_bones(rig, Pose(pose.R_local, pose.trans + np.array([0, 0, rise])), fingers), allowed)
        write_pose(obj, bones)
        context.view_layer.update()
    auto_key(context, obj, bones)


def show_bones(context: bpy.types.Context, obj: bpy.types.Object, bones: BonePose, frame: int, what: str) -> None:
    """Give an armature one of several poses of its bones, and key it where the artist has auto-keying on.

    Args:
        context: of the operator.
        obj: the armature object.
        bones: F frames.
        frame: which one.
        what: the poses are called in messages.

    Raises:
        PoiseError: there is no such frame, or a bone is gone.
    """
    if frame >= len(bones.quaternions):
        raise PoiseError(f"There is no {what} {frame}; expected 0 to {len(bones.quaternions) - 1}")
    gone = [name for name in bones.bones if name not in obj.pose.bones]
    if gone:
        raise PoiseError(f'"{obj.name}" has no bone {gone[0]} any more; expected the bones it had: make {what}s anew')
    location = None if bones.location is None else bones.location[frame : frame + 1]
    chosen = BonePose(bones.bones, bones.quaternions[frame : frame + 1], location)
    write_pose(obj, chosen)
    context.view_layer.update()
    auto_key(context, obj, chosen)
