# SPDX-License-Identifier: Apache-2.0
"""BVH clips of skeletons with other names, rest poses, axes and units, whose motion on the default body is known."""

import numpy as np

from vendor_core.body import BodyModel
from vendor_core.motion import Motion
from vendor_core.motion.bvh import BvhClip
from vendor_core.rotations import Y_UP_TO_Z_UP, exp_so3
from vendor_core.skeleton import JOINTS, PARENTS

_NAMES = {
    "pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck", "head": "Head",
    "hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase",
    "collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand",
}  # fmt: skip
WRITTEN = [j for j, name in enumerate(JOINTS) if name != "jaw" and "eye" not in name]


def mixamo_name(joint: str) -> str:
    side, _, part = joint.partition("_")
    if side not in ("left", "right"):
        return "mixamorig:" + _NAMES[joint]
    return f"mixamorig:{side.title()}{_NAMES.get(part) or 'Hand' + part.title()}"


def resting(arm: float, foot: float) -> np.ndarray:
    """How much each joint (55, 3, 3) is turned at rest: arms lowered and feet turned out by radians."""
    B = np.broadcast_to(np.eye(3), (len(JOINTS), 3, 3)).copy()
    for j, name in enumerate(JOINTS):
        sign = 1 if name.startswith("left") else -1
        if name.partition("_")[2][:5] in ("shoul", "elbow", "wrist", "index", "middl", "pinky", "ring1", "ring2",
                                          "ring3", "thumb"):  # fmt: skip
            B[j] = exp_so3(np.array([0, 0, -sign * arm]))
        elif name.endswith(("ankle", "foot")):
            B[j] = exp_so3(np.array([0, sign * foot, 0]))
    return B


def foreign_clip(
    body: BodyModel, motion: Motion, B: np.ndarray, world: np.ndarray, unit: float, heading: float = 0.0
) -> BvhClip:
    """A clip that shows a motion of a body, in another skeleton.

    Args:
        body: of zero betas, with 55 joints.
        motion: F frames of it.
        B: (55, 3, 3) what turns its bones at rest to where the skeleton's are at rest.
        world: (3, 3) from the Z-up world to the clip's.
        unit: metres.
        heading: radians about the vertical by which the skeleton's rest pose is turned.
    """
    posed, rest = body.pose(exp_so3(motion.poses), motion.trans), body.rest_joints()
    standing = world @ exp_so3(np.array([0, 0, heading])) @ Y_UP_TO_Z_UP  # the body's rest axes in the clip's world
    offsets = np.array([B[max(up, 0)] @ (rest[j] - rest[up]) for j, up in enumerate(PARENTS)])
    offsets[0] = rest[0]
    offsets = offsets @ standing.T / unit
    G = world @ posed.G @ np.swapaxes(standing @ B, -1, -2)
    up = np.maximum(PARENTS, 0)
    R = np.swapaxes(G[:, up], -1, -2) @ G
    R[:, 0] = G[:, 0]
    p = np.broadcast_to(offsets, (len(motion), *offsets.shape)).copy()
    p[:, 0] = posed.joints[:, 0] @ world.T / unit
    return BvhClip(
        names=tuple(mixamo_name(JOINTS[j]) for j in WRITTEN),
        parents=tuple(-1 if PARENTS[j] < 0 else WRITTEN.index(PARENTS[j]) for j in WRITTEN),
        offsets=offsets[WRITTEN],
        ends={},
        R_local=R[:, WRITTEN],
        p_local=p[:, WRITTEN],
        rate=motion.rate,
    )
