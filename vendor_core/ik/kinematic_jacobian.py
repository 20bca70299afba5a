# SPDX-License-Identifier: Apache-2.0
"""Where points of the body are, and how they move with every joint, the translation and the shape.

The Jacobian is taken with respect to the body tangent: the angular velocity u_j of each of the 22 joints relative to
its parent, in world axes, the velocity of the translation, and the betas. A point x carried by joints k with weights
w_k moves by `sum_j u_j x L_j + v + ...` with the lever `L_j = sum_{k below j} w_k (x_k - p_j)`, x_k being where joint
k alone would carry it (Loper et al. 2015 for the skinning; the levers are the geometric Jacobian of robotics).
"""

from dataclasses import dataclass

from ..arrays import Array, namespace
from ..body.kinematics import BODY_TREE
from ..body.model import blend
from ..linalg import matvec
from ..rotations import identity_like, skew
from ..skeleton import N_BODY
from .points import BodyPoints

N_TANGENT = 3 * N_BODY + 3
"""Size of the body tangent without betas: 22 angular velocities and the translation's."""


@dataclass(frozen=True)
class Kinematics:
    """The joints of F posed bodies in the world."""

    R_local: Array  # (F, 22, 3, 3)
    G: Array  # (F, 22, 3, 3) world rotations
    p: Array  # (F, 22, 3) world positions
    rest: Array  # (22, 3) or (F, 22, 3) rest joints under the betas


def pose_joints(points: BodyPoints, R_local: Array, trans: Array, betas: Array | None) -> Kinematics:
    """World rotations and positions of the 22 joints for rotations (F, 22, 3, 3), trans (F, 3), betas (F, B)."""
    rest = points.rest_joints
    if betas is not None:
        rest = rest + blend(points.joint_shape_dirs, betas)
    G = BODY_TREE.global_rotations(R_local)
    return Kinematics(R_local, G, BODY_TREE.positions(G, rest, trans), rest)


def point_positions(points: BodyPoints, pose: Kinematics, betas: Array | None) -> tuple[Array, Array]:
    """World positions (F, P, 3) of the points and where each influence alone would carry them, (F, P, K, 3).

    Args:
        points: the points.
        pose: the posed joints.
        betas: (F, B), or None for the shape that the points were made with.
    """
    xp = namespace(pose.G)
    x = points.rest
    if betas is not None:
        x = x + blend(points.shape_dirs, betas)
    if points.pose_dirs is not None:
        x = x + blend(points.pose_dirs, _pose_feature(pose.R_local))
    k = points.influences
    local = x[..., :, None, :] - pose.rest[..., k, :]
    y = matvec(pose.G[:, k], local) + pose.p[:, k]
    return xp.sum(points.influence_weights[..., None] * y, axis=-2), y


def point_jacobian(points: BodyPoints, pose: Kinematics, y: Array, with_betas: bool) -> Array:
    """Jacobian (F, P, 3, 69 [+ B]) of the points with respect to the body tangent.

    Args:
        points: the points.
        pose: the posed joints.
        y: (F, P, K, 3) from `point_positions`.
        with_betas: append the columns of the betas.
    """
    xp = namespace(y)
    n_frames, n_points = y.shape[0], y.shape[1]
    carried = xp.sum(points.lever_weights, axis=-1)  # (P, 22)
    lever = points.lever_weights @ y - carried[..., None] * pose.p[:, None]  # (F, P, 22, 3)
    turning = xp.permute_dims(skew(-lever), (0, 1, 3, 2, 4))  # (F, P, 3, 22, 3)
    turning = xp.reshape(turning, (n_frames, n_points, 3, 3 * N_BODY))
    if points.pose_dirs is not None:
        turning = turning + _corrective_jacobian(points, pose)
    columns = [turning, identity_like(y, (n_frames, n_points))]
    if with_betas:
        columns.append(_shape_jacobian(points, pose))
    return xp.concat(columns, axis=-1)


def _pose_feature(R_local: Array) -> Array:
    xp = namespace(R_local)
    return xp.reshape(R_local[:, 1:] - identity_like(R_local, ()), (R_local.shape[0], -1))


def blended_rotations(points: BodyPoints, G: Array) -> Array:
    """Skinning rotations (F, P, 3, 3), `sum_k w_k G_k`: how an offset in the rest frame moves the point."""
    xp = namespace(G)
    return xp.sum(points.influence_weights[..., None, None] * G[:, points.influences], axis=-3)


def _corrective_jacobian(points: BodyPoints, pose: Kinematics) -> Array:
    """What the pose correctives add, (F, P, 3, 66): `dR_j = R_j skew(G_j^T u_j)`."""
    xp = namespace(pose.G)
    n_frames, n_points = pose.G.shape[0], len(points)
    R, G = pose.R_local[:, 1:], pose.G[:, 1:]
    axes = skew(identity_like(R, ()))  # (3 axes, 3, 3)
    turned = R[:, :, None] @ axes  # (F, 21, 3 axes, 3, 3)
    turned = xp.permute_dims(xp.reshape(turned, (n_frames, N_BODY - 1, 3, 9)), (0, 1, 3, 2))
    per_u = turned @ xp.permute_dims(G, (0, 1, 3, 2))  # (F, 21, 9, 3)
    dirs = xp.reshape(points.pose_dirs, (3 * n_points, N_BODY - 1, 9))
    rest_motion = xp.permute_dims(dirs, (1, 0, 2)) @ per_u  # (F, 21, 3P, 3)
    rest_motion = xp.reshape(rest_motion, (n_frames, N_BODY - 1, n_points, 3, 3))
    rest_motion = xp.reshape(xp.permute_dims(rest_motion, (0, 2, 3, 1, 4)), (n_frames, n_points, 3, -1))
    motion = blended_rotations(points, pose.G) @ rest_motion
    return xp.concat([xp.zeros_like(motion[..., :3]), motion], axis=-1)


def _shape_jacobian(points: BodyPoints, pose: Kinematics) -> Array:
    """How the points move with the betas, (F, P, 3, B): with the bones before them and with the skin on them."""
    xp = namespace(pose.G)
    dirs, parent = points.joint_shape_dirs, BODY_TREE.parent_index
    bones = pose.G[:, parent[1:]] @ (dirs[1:] - dirs[parent[1:]])
    root = xp.broadcast_to(dirs[:1], (bones.shape[0], 1, *dirs.shape[1:]))
    steps = xp.concat([root, bones], axis=1)
    joints = BODY_TREE.sum_over_ancestors(xp.reshape(steps, (*steps.shape[:2], -1)))
    joints = xp.reshape(joints, steps.shape)  # (F, 22, 3, B)
    k = points.influences
    carried = pose.G[:, k] @ points.influence_shape_dirs + joints[:, k]  # (F, P, K, 3, B)
    return xp.sum(points.influence_weights[..., None, None] * carried, axis=-3)
