# SPDX-License-Identifier: GPL-3.0-or-later
"""A rig's animation as a motion of the core, and its rest pose."""

from typing import TYPE_CHECKING

import bpy

if TYPE_CHECKING:
    import numpy as np

    from ..vendor_core.motion import Motion


def motion_of_rig(context: bpy.types.Context, obj: bpy.types.Object, frames: "np.ndarray") -> "Motion":
    """What a rig shows at even frames (F,), in the world, at the rate that they make in the scene.

    Betas are those of the body's sliders; a rig that Poise did not make has none.

    Raises:
        PoiseError: the armature is no rig of the family, or is scaled unevenly or mirrored.
    """
    from ..vendor_core.motion import Motion
    from ..vendor_core.rotations import log_so3
    from .rig.keying.sample import sampled
    from .rig.shape import current_betas

    render = context.scene.render
    rate = render.fps / render.fps_base
    if len(frames) > 1 and frames[-1] - frames[0] != len(frames) - 1:
        rate *= (len(frames) - 1) / float(frames[-1] - frames[0])
    pose = sampled(context, obj, frames)
    own = "default" if obj.get("poise_body") == "default" else ""
    return Motion(log_so3(pose.R_local), pose.trans, rate, current_betas(obj), body_name=own)


def rest_of_rig(obj: bpy.types.Object) -> "np.ndarray":
    """Rest joints of a rig in SMPL's axes, metres: (55, 3), or (22, 3) of one without fingers.

    Raises:
        PoiseError: the armature is no rig of the family, or is scaled unevenly or mirrored.
    """
    import numpy as np

    from ..vendor_core.skeleton import JOINTS
    from .rig.pose import read_rig

    rig = read_rig(obj)
    if not rig.finger_bones:
        return rig.rest_joints()
    rest = np.zeros((len(JOINTS), 3))  # jaw and eyes, where there are none, are not written
    rest[rig.joints] = rig.scale * rig.rest[:, :3, 3] @ rig.axes
    return rest
