# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses stored on an armature object, in its own space."""

import bpy
import numpy as np

from ....vendor_core.errors import PoiseError
from ....vendor_core.rotations import exp_so3, log_so3
from ....vendor_core.skeleton import JOINTS
from ..convert import Pose


def store(obj: bpy.types.Object, pose: Pose, name: str) -> None:
    """Append one pose (one frame, in the armature's own space) to the object's list."""
    item = obj.poise.poses.add()
    item.name = name
    vectors = log_so3(pose.R_local[0])
    for _ in range(len(vectors)):
        item.joints.add()
    item.joints.foreach_set("rotation", vectors.astype(np.float32).ravel())
    item.location = pose.trans[0]
    obj.poise.active_pose = len(obj.poise.poses) - 1


def stored_poses(obj: bpy.types.Object) -> list[Pose]:
    """The poses of the object's list, one frame each, in the armature's own space.

    Raises:
        PoiseError: one of them is not what Store Pose makes.
    """
    poses = []
    for item in obj.poise.poses:
        if len(item.joints) != len(JOINTS):
            raise PoiseError(
                f'The stored pose "{item.name}" has {len(item.joints)} joints; expected {len(JOINTS)}: remove it, and '
                "store poses by Store Pose"
            )
        vectors = np.empty(3 * len(item.joints), dtype=np.float32)
        item.joints.foreach_get("rotation", vectors)
        R = exp_so3(vectors.astype(np.float64).reshape(1, -1, 3))
        poses.append(Pose(R, np.array([item.location])))
    return poses
