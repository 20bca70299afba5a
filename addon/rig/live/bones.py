# SPDX-License-Identifier: GPL-3.0-or-later
"""Body poses onto bones at every step of a drag: what `convert.to_bones` does, with all that stays prepared.

Where the bone of each joint hangs from the bone of its parent, `convert`'s `(P_parent link)^T P` becomes
`(link^T B_parent^T C) R (C^T B)`: its own rotation R alone, between two constant matrices.
"""

from collections.abc import Collection

import bpy
import numpy as np

from ....vendor_core.rotations import matrix_to_quaternion
from ....vendor_core.skeleton import BODY_JOINTS, BODY_PARENTS, JOINTS, N_BODY
from ..convert import BonePose, Pose, Rig, to_bones
from ..pose import write_pose


class LiveBones:
    """Writes body poses onto a rig.

    Args:
        obj: the armature object.
        rig: what `read_rig` gave for it.
        locked: joints whose bones are never written: they keep their channels to the bit.
        place: write the location of the pelvis too, which is not locked then.
    """

    def __init__(self, obj: bpy.types.Object, rig: Rig, locked: Collection[str], place: bool = True):
        self._rig, self._place = rig, place
        self._free = np.array([joint not in locked for joint in BODY_JOINTS])
        self._names = tuple(np.array(rig.bones[:N_BODY])[self._free].tolist())
        bones = obj.pose.bones
        self._rows = [bones.find(name) for name in self._names]
        self._quaternions_only = all(bones[name].rotation_mode == "QUATERNION" for name in self._names)
        self._as_joints = bool((rig.hangs_from[:N_BODY] == BODY_PARENTS).all())
        link = rig.link[:N_BODY, :3, :3] / np.linalg.norm(rig.link[:N_BODY, :3, :3], axis=-2, keepdims=True)
        above = np.swapaxes(rig.rest[np.maximum(BODY_PARENTS, 0), :3, :3], -1, -2) @ rig.axes  # B_parent^T C
        above[0] = rig.rotation.T
        self._left = np.swapaxes(link, -1, -2) @ above
        self._right = rig.axes.T @ rig.rest[:N_BODY, :3, :3]
        self._to_armature = np.linalg.inv(rig.world[:3, :3]).T
        self._to_pelvis = np.linalg.inv(rig.link[0, :3, :3]).T
        self._pelvis = rig.rest_joints()[0] - rig.world[:3, 3]

    def bones_of(self, R: np.ndarray, trans: np.ndarray) -> BonePose:
        """What the free bones must hold for rotations (22, 3, 3), the root's in the world first, and a place (3,)."""
        if not self._as_joints:
            whole = np.broadcast_to(np.eye(3), (1, len(JOINTS), 3, 3)).copy()
            whole[0, :N_BODY] = R
            bones = to_bones(self._rig, Pose(whole, trans[None]), hands=False)
            return BonePose(self._names, bones.quaternions[:, self._free], bones.location if self._place else None)
        q = matrix_to_quaternion(self._left @ R @ self._right)[self._free]
        location = ((self._pelvis + trans) @ self._to_armature - self._rig.link[0, :3, 3]) @ self._to_pelvis
        return BonePose(self._names, q[None], location[None] if self._place else None)

    def write(self, obj: bpy.types.Object, R: np.ndarray, trans: np.ndarray) -> None:
        """Give the free bones this pose, as `bones_of` takes it."""
        bones = self.bones_of(R, trans)
        if not self._quaternions_only:
            write_pose(obj, bones)
            return
        pose_bones = obj.pose.bones
        q = np.empty((len(pose_bones), 4), dtype=np.float32)
        pose_bones.foreach_get("rotation_quaternion", q.ravel())
        old, new = q[self._rows], bones.quaternions[0]
        q[self._rows] = np.where(np.sum(old * new, axis=1, keepdims=True) < 0, -new, new)
        pose_bones.foreach_set("rotation_quaternion", q.ravel())
        if bones.location is not None:
            pose_bones[self._names[0]].location = bones.location[0]
        obj.update_tag(refresh={"DATA"})
