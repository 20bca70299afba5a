# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations of SMPL's joints to rotations of an armature's bones and back, through the bones' rest matrices.

Frames: SMPL's axes (Y up, facing +Z, left = +X, metres), the armature's, each bone's at rest and the world's (Z up).
With B_j the rest axes of joint j's bone in the armature, C the armature's axes of SMPL's, O the object's rotation and
G_j a world rotation of the core, the bone's posed axes in the armature are `P_j = O^T G_j C^T B_j`. Where bones hang
from each other as the joints do, its own rotation is then `B_j^T C R_j C^T B_j`.
"""

from dataclasses import dataclass, replace

import numpy as np

from ...vendor_core.body.kinematics import JointTree, joint_tree
from ...vendor_core.rotations import Y_UP_TO_Z_UP, matrix_to_quaternion, quaternion_to_matrix
from ...vendor_core.skeleton import JOINTS, N_BODY, PARENTS

_TREE = JointTree(PARENTS)
FIRST_FINGER = JOINTS.index("left_index1")


@dataclass(frozen=True)
class Rig:
    """What the conversion needs of an armature, as plain arrays. n is the number of joints that have a bone."""

    object_name: str
    bones: tuple[str, ...]  # (n,) bone of each joint
    joints: np.ndarray  # (n,) index of the joint in JOINTS, ascending: the 22 of the body come first
    rest: np.ndarray  # (n, 4, 4) rest matrices in the armature
    link: np.ndarray  # (n, 4, 4) a bone's matrix before its own rotation, relative to the posed bone it hangs from
    hangs_from: np.ndarray  # (n,) position in `joints` of the nearest ancestor that stands for a joint, -1 for none
    axes: np.ndarray  # (3, 3) C
    world: np.ndarray  # (4, 4) the object's matrix, scale included

    @property
    def scale(self) -> float:
        """Metres an armature unit."""
        return float(np.linalg.norm(self.world[:3, 0]))

    @property
    def rotation(self) -> np.ndarray:
        """O, the rotation (3, 3) of the object."""
        return self.world[:3, :3] / self.scale

    @property
    def finger_bones(self) -> frozenset[str]:
        """All thirty, or none."""
        return frozenset(bone for bone, joint in zip(self.bones, self.joints, strict=True) if joint >= FIRST_FINGER)

    def rest_joints(self) -> np.ndarray:
        """Rest positions (22, 3) of the body's joints in SMPL's axes, metres: what `body_from_joints` takes."""
        return self.scale * self.rest[:N_BODY, :3, 3] @ self.axes

    def in_own_space(self) -> "Rig":
        """The same rig with the armature as its world: poses then follow the object wherever it goes."""
        return replace(self, world=np.eye(4))


@dataclass(frozen=True)
class Pose:
    """Poses of F frames in the core's terms."""

    R_local: np.ndarray  # (F, 55, 3, 3) relative to the parents, the root relative to the world
    trans: np.ndarray  # (F, 3) metres; the pelvis is at its rest position plus this


@dataclass(frozen=True)
class BonePose:
    """Poses of F frames in Blender's terms: what each bone's channels hold."""

    bones: tuple[str, ...]  # (m,)
    quaternions: np.ndarray  # (F, m, 4) wxyz
    location: np.ndarray | None  # (F, 3) of the first bone, the pelvis; None where only rotations are meant


def snapped_axes(rest_heads: np.ndarray) -> np.ndarray:
    """C (3, 3): armature axes of SMPL's left, up and front, from rest positions (22, 3), snapped to the axes."""
    names = {name: rest_heads[i] for i, name in enumerate(JOINTS[:N_BODY])}
    up = names["head"] - (names["left_ankle"] + names["right_ankle"]) / 2
    left = names["left_hip"] - names["right_hip"]
    C = np.zeros((3, 3))
    i_up = int(np.argmax(np.abs(up)))
    i_left = int(np.argmax(np.where(np.arange(3) == i_up, -1, np.abs(left))))
    C[i_left, 0] = np.sign(left[i_left]) or 1
    C[i_up, 1] = np.sign(up[i_up]) or 1
    C[:, 2] = np.cross(C[:, 0], C[:, 1])
    return C


def to_bones(rig: Rig, pose: Pose, hands: bool, face: bool = False) -> BonePose:
    """What the bones' channels must hold for a pose: of fingers with `hands`, of jaw and eyes with `face`."""
    body, fingers = rig.joints < N_BODY, rig.joints >= FIRST_FINGER
    chosen = np.flatnonzero(body | (hands & fingers) | (face & ~body & ~fingers))
    G = _TREE.global_rotations(pose.R_local)[:, rig.joints]  # (F, n, 3, 3)
    P = rig.rotation.T @ G @ rig.axes.T @ rig.rest[:, :3, :3]
    before = _before_own_rotation(rig, P)
    basis = np.swapaxes(before, -1, -2) @ P
    p_world = rig.rest_joints()[0] + pose.trans
    p_armature = (p_world - rig.world[:3, 3]) @ np.linalg.inv(rig.world[:3, :3]).T
    location = (p_armature - rig.link[0, :3, 3]) @ np.linalg.inv(rig.link[0, :3, :3]).T
    return BonePose(tuple(rig.bones[i] for i in chosen), matrix_to_quaternion(basis[:, chosen]), location)


def from_bones(rig: Rig, quaternions: np.ndarray, location: np.ndarray) -> Pose:
    """The pose that channels of all the rig's bones make: quaternions (F, n, 4), location (F, 3) of the pelvis."""
    tree = joint_tree(tuple(rig.hangs_from.tolist()))
    P = tree.global_rotations(_unscaled(rig.link[:, :3, :3]) @ quaternion_to_matrix(quaternions))
    p_armature = location @ rig.link[0, :3, :3].T + rig.link[0, :3, 3]
    return _pose(rig, P, p_armature)


def joint_places(rig: Rig, quaternions: np.ndarray, location: np.ndarray) -> np.ndarray:
    """Where channels of all the rig's bones put the joints: (F, n, 3) in the world, but for the object's place there.

    Args:
        rig: whose object is neither turned nor mirrored, but may be scaled.
        quaternions: (F, n, 4).
        location: (F, 3) of the pelvis.
    """
    tree = joint_tree(tuple(rig.hangs_from.tolist()))
    P = tree.global_rotations(_unscaled(rig.link[:, :3, :3]) @ quaternion_to_matrix(quaternions))
    steps = (P[:, tree.parent_index] @ rig.link[:, :3, 3, None])[..., 0]
    steps[:, 0] = location @ rig.link[0, :3, :3].T + rig.link[0, :3, 3]
    return rig.scale * tree.sum_over_ancestors(steps)


def from_matrices(rig: Rig, matrices: np.ndarray) -> Pose:
    """The pose (one frame) of bones at posed matrices (n, 4, 4) in the armature."""
    return _pose(rig, _unscaled(matrices[None, :, :3, :3]), matrices[None, 0, :3, 3])


def upright(R_root: np.ndarray) -> np.ndarray:
    """Root orientations (F, 3, 3) that stand upright and face the same way as given ones, as seen from above."""
    front = R_root[:, :, 2]
    heading = np.arctan2(front[:, 0], -front[:, 1])  # 0 faces -Y
    c, s, zero, one = np.cos(heading), np.sin(heading), np.zeros(len(R_root)), np.ones(len(R_root))
    turn = np.stack([c, -s, zero, s, c, zero, zero, zero, one], axis=-1).reshape(-1, 3, 3)
    return turn @ Y_UP_TO_Z_UP


def _pose(rig: Rig, P: np.ndarray, pelvis_armature: np.ndarray) -> Pose:
    G = rig.rotation @ P @ np.swapaxes(rig.rest[:, :3, :3], -1, -2) @ rig.axes
    R_local = np.broadcast_to(np.eye(3), (len(P), len(JOINTS), 3, 3)).copy()
    above = np.searchsorted(rig.joints, np.array(PARENTS)[rig.joints[1:]])
    R_local[:, rig.joints] = np.concatenate([G[:, :1], np.swapaxes(G[:, above], -1, -2) @ G[:, 1:]], axis=1)
    p_world = pelvis_armature @ rig.world[:3, :3].T + rig.world[:3, 3]
    return Pose(R_local, p_world - rig.rest_joints()[0])


def _before_own_rotation(rig: Rig, P: np.ndarray) -> np.ndarray:
    """Axes (F, n, 3, 3) in the armature that each bone has before its own rotation, its ancestors posed at P."""
    link = _unscaled(rig.link[:, :3, :3])
    hanging = rig.hangs_from >= 0
    parent = np.where(hanging[:, None, None], P[:, np.maximum(rig.hangs_from, 0)], np.eye(3))
    return parent @ link


def _unscaled(M: np.ndarray) -> np.ndarray:
    """The rotation in matrices (..., 3, 3) that may carry a scale along their columns."""
    return M / np.linalg.norm(M, axis=-2, keepdims=True)
