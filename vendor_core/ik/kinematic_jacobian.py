# SPDX-License-Identifier: Apache-2.0
"""How points of the body move with every joint, the translation and the shape.

The Jacobian is taken with respect to the body tangent: the angular velocity u_j of each of the J joints relative to
its parent, in world axes, the velocity of the translation, and the betas. A point x carried by joints k with weights
w_k moves by `sum_j u_j x L_j + v + ...` with the lever `L_j = sum_{k below j} w_k (y_k - p_j)`, y_k being where joint
k alone would carry it (Loper et al. 2015 for the skinning; the levers are the geometric Jacobian of robotics).
"""

from functools import lru_cache

import numpy as np

from ..arrays import Array, Constant, namespace
from ..body.kinematics import ancestor_mask
from ..rotations import identity_like, skew
from ..skeleton import N_BODY
from .bones import Kinematics, joint_shape_jacobian
from .points import BodyPoints, blended_rotations


def levers(points: BodyPoints, pose: Kinematics, y: Array) -> Array:
    """Levers (F, P, J, 3) of the points about every joint, for y (F, P, K, 3) of `points.place`."""
    return points.lever_weights @ y - points.carried * pose.p[:, None]


def point_jacobian(points: BodyPoints, pose: Kinematics, y: Array) -> Array:
    """Jacobian (F, P, 3, 3 J + 3 [+ B]) of the points; the betas' columns where the pose has betas."""
    xp = namespace(y)
    n_frames, n_points = y.shape[0], y.shape[1]
    turning = xp.permute_dims(skew(-levers(points, pose, y)), (0, 1, 3, 2, 4))  # (F, P, 3, J, 3)
    turning = xp.reshape(turning, (n_frames, n_points, 3, -1))
    if points.pose_dirs is not None:
        turning = turning + corrective_jacobian(points, pose)
    columns = [turning, identity_like(y, (n_frames, n_points))]
    if pose.betas is not None:
        columns.append(shape_jacobian(points, pose))
    return xp.concat(columns, axis=-1)


def ancestors_turn(pose: Kinematics, joints: tuple[int, ...]) -> Array:
    """World angular velocity of K joints by the body tangent, (K, 3, 3 J + 3 [+ B]): the sum over their ancestors."""
    n_betas = 0 if pose.betas is None else pose.betas.shape[1]
    return _ancestors_turn(pose.bones.tree.parents, joints, n_betas).like(pose.G)


@lru_cache(maxsize=64)
def _ancestors_turn(parents: tuple[int, ...], joints: tuple[int, ...], n_betas: int) -> Constant:
    mask = ancestor_mask(parents)[list(joints)]
    out = np.zeros((len(mask), 3, 3 * mask.shape[1] + 3 + n_betas))
    for axis in range(3):
        out[:, axis, axis : 3 * mask.shape[1] : 3] = mask
    return Constant(out)


def corrective_jacobian(points: BodyPoints, pose: Kinematics) -> Array:
    """What the pose correctives add, (F, P, 3, 3 J): `dR_j = R_j skew(G_j^T u_j)`."""
    xp = namespace(pose.G)
    n_frames, n_points, n_more = pose.G.shape[0], len(points), len(pose.bones) - N_BODY
    R, G = pose.R_local[:, 1:N_BODY], pose.G[:, 1:N_BODY]
    axes = skew(identity_like(R, ()))  # (3 axes, 3, 3)
    turned = R[:, :, None] @ axes  # (F, 21, 3 axes, 3, 3)
    turned = xp.permute_dims(xp.reshape(turned, (n_frames, N_BODY - 1, 3, 9)), (0, 1, 3, 2))
    per_u = turned @ xp.permute_dims(G, (0, 1, 3, 2))  # (F, 21, 9, 3)
    dirs = xp.reshape(points.pose_dirs, (3 * n_points, N_BODY - 1, 9))
    rest_motion = xp.permute_dims(dirs, (1, 0, 2)) @ per_u  # (F, 21, 3P, 3)
    rest_motion = xp.reshape(rest_motion, (n_frames, N_BODY - 1, n_points, 3, 3))
    rest_motion = xp.reshape(xp.permute_dims(rest_motion, (0, 2, 3, 1, 4)), (n_frames, n_points, 3, -1))
    motion = blended_rotations(points, pose.G) @ rest_motion
    others = xp.zeros_like(motion[..., :1])
    root, more = (xp.broadcast_to(others, (*others.shape[:-1], n)) for n in (3, 3 * n_more))
    return xp.concat([root, motion, more], axis=-1)


def shape_jacobian(points: BodyPoints, pose: Kinematics) -> Array:
    """How the points move with the betas, (F, P, 3, B): with the bones before them and with the skin on them."""
    xp, k = namespace(pose.G), points.influence_index.like(pose.G)
    joints = joint_shape_jacobian(pose)
    moved = pose.G[:, k] @ points.influence_shape_dirs + joints[:, k]  # (F, P, K, 3, B)
    return xp.sum(points.influence_weights[..., None, None] * moved, axis=-3)
