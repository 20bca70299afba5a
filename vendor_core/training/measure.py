# SPDX-License-Identifier: Apache-2.0
"""How well a prior gives back poses it has not seen."""

import numpy as np

from ..body.kinematics import JointTree
from ..prior.base import Prior
from ..rotations import rotation_angle
from ..skeleton import BODY_PARENTS
from .data import PoseSet

_TREE = JointTree(BODY_PARENTS)


def joints_of(R: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Joint positions (N, 22, 3) of poses R (N, 21, 3, 3), root unturned."""
    root = np.broadcast_to(np.eye(3, dtype=R.dtype), (len(R), 1, 3, 3))
    return _TREE.positions(_TREE.global_rotations(np.concatenate([root, R], axis=1)), rest, np.zeros(3))


def reconstruction(prior: Prior, poses: PoseSet) -> dict[str, float]:
    """Mean joint error in mm and mean joint angle in degrees of encoding and decoding."""
    R = prior.decode(prior.encode(poses.R))
    error = joints_of(R, poses.rest_joints) - joints_of(poses.R, poses.rest_joints)
    angle = rotation_angle(np.swapaxes(R, -1, -2) @ poses.R)
    return {"mm": float(1000 * np.linalg.norm(error, axis=-1).mean()), "deg": float(np.degrees(angle).mean())}
