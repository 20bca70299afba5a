# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bones of a rig an operator may change: not those of locked limbs, perhaps only the selected ones."""

from collections.abc import Container, Iterable
from dataclasses import replace

import bpy
import numpy as np

from ....vendor_core.errors import PoiseError
from ....vendor_core.skeleton import JOINT_GROUPS, JOINTS, N_BODY
from ..convert import FIRST_FINGER, BonePose, Rig

_FINGERS = {  # that go with a limb when it is locked
    f"{side}_arm": tuple(name for name in JOINTS[FIRST_FINGER:] if name.startswith(side)) for side in ("left", "right")
}


def selected_bones(context: bpy.types.Context, obj: bpy.types.Object) -> set[str]:
    """Names of the bones of an armature that are selected in Pose Mode."""
    return {bone.name for bone in context.selected_pose_bones or () if bone.id_data == obj}


def allowed_bones(rig: Rig, locked: Iterable[str], bones: str, selected: set[str]) -> np.ndarray:
    """Which of the rig's bones (n,) may change.

    Args:
        rig: whose bones.
        locked: groups of joints, as `JOINT_GROUPS` calls them; the fingers belong to their arm.
        bones: "ALL" may change, only the "SELECTED", or only the "UNSELECTED".
        selected: names of the selected bones.
    """
    held = {name for group in locked for name in (*JOINT_GROUPS[group], *_FINGERS.get(group, ()))}
    free = np.array([JOINTS[joint] not in held for joint in rig.joints])
    chosen = np.array([bone in selected for bone in rig.bones])
    if bones == "SELECTED":
        return free & chosen
    return free & ~chosen if bones == "UNSELECTED" else free


def kept_joints(rig: Rig, locked: Iterable[str], bones: str, selected: set[str]) -> np.ndarray:
    """Which joints (21,), without the root, must stay as they are; arguments as of `allowed_bones`.

    Raises:
        PoiseError: only selected bones may change, and none of the body's is.
    """
    if bones == "SELECTED" and not selected & set(rig.bones[1:N_BODY]):
        raise PoiseError(
            "No body bone but the pelvis is selected; expected selected bones in Pose Mode, or Change: All Bones"
        )
    return ~allowed_bones(rig, locked, bones, selected)[1:N_BODY]


def only(bones: BonePose, allowed: Container[str]) -> BonePose:
    """What a pose says of some of its bones."""
    chosen = [i for i, name in enumerate(bones.bones) if name in allowed]
    moves = bones.location is not None and bones.bones[0] in allowed
    return replace(
        bones,
        bones=tuple(bones.bones[i] for i in chosen),
        quaternions=bones.quaternions[:, chosen],
        location=bones.location if moves else None,
    )
