# SPDX-License-Identifier: Apache-2.0
"""Points of the body at places in the world."""

from dataclasses import dataclass

from ...arrays import Array, namespace, zeros
from ...linalg import gemm
from ...rotations import skew
from ..bones import Kinematics
from ..kinematic_jacobian import levers, point_jacobian, shape_jacobian
from ..points import BodyPoints, place
from .base import Hearing, Normal, Residual

_MANY = 32  # points, from which levers are faster than the Jacobian


@dataclass(frozen=True)
class Position(Residual):
    """`x - target` of P points, metres."""

    points: BodyPoints
    targets: Array  # (F, P, 3) metres, any finite number where unseen

    def per_frame(self) -> tuple[str, ...]:
        return ("confidence", "targets")

    def error(self, pose: Kinematics) -> Array:
        return place(self.points, pose)[0] - self.targets

    def jacobian(self, pose: Kinematics) -> Array:
        return point_jacobian(self.points, pose, place(self.points, pose)[1])

    def normal(self, pose: Kinematics, hearing: Hearing) -> Normal:
        """The Gauss-Newton model; of many points without forming the Jacobian, which saves two thirds of the products.

        With `dx = sum_j u_j x L_j + v + S dbeta` the blocks are sums of outer products of levers,
        `H_ij = tr(C_ij) I - C_ij^T` for `C_ij = sum_p w L_i L_j^T`, and `sum_p w L_i x e` for any other column e.
        """
        if self.points.pose_dirs is not None or len(self.points) < _MANY:
            return super().normal(pose, hearing)
        xp = namespace(pose.G)
        x, y = place(self.points, pose)
        r = x - self.targets
        _, w = self.believed(r, hearing)
        L = levers(self.points, pose, y)
        n_frames, n_points, n_joints, _ = L.shape
        L = xp.reshape(L, (n_frames, n_points, 3 * n_joints))
        L_w = xp.matrix_transpose(L * w[..., None])
        S = None if pose.betas is None else shape_jacobian(self.points, pose)
        others = [r, xp.ones_like(r[..., :1])] + ([] if S is None else [xp.reshape(S, (n_frames, n_points, -1))])
        C = gemm(L_w, xp.concat([L, *others], axis=-1))
        n = 3 * n_joints
        moment = _crossed(C[..., n : n + 3, None], n_joints)[..., 0]
        force = (w[:, None, :] @ r)[:, 0]
        return _assembled(C, moment, force, xp.sum(w, axis=-1), None if S is None else (S, w, r))


def _crossed(C: Array, n_joints: int) -> Array:
    """`sum w L_i x e` (F, 3 J, n) of the products `sum w L_i e^T`, (F, 3 J, 3, n)."""
    xp = namespace(C)
    C = xp.reshape(C, (C.shape[0], n_joints, 3, 3, -1))
    parts = [C[:, :, 1, 2] - C[:, :, 2, 1], C[:, :, 2, 0] - C[:, :, 0, 2], C[:, :, 0, 1] - C[:, :, 1, 0]]
    return xp.reshape(xp.stack(parts, axis=2), (C.shape[0], 3 * n_joints, -1))


def _assembled(
    C: Array, moment: Array, force: Array, weight: Array, shape: tuple[Array, Array, Array] | None
) -> Normal:
    """The model from the products of levers with levers, errors, ones and shape movements."""
    xp = namespace(C)
    n_frames, n = C.shape[0], C.shape[1]
    n_joints, n_betas = n // 3, 0 if shape is None else shape[0].shape[-1]
    H = zeros((n_frames, n + 3 + n_betas, n + 3 + n_betas), C)
    blocks = xp.reshape(C[..., :n], (n_frames, n_joints, 3, n_joints, 3))
    turning = -xp.permute_dims(blocks, (0, 1, 4, 3, 2))
    trace = blocks[:, :, 0, :, 0] + blocks[:, :, 1, :, 1] + blocks[:, :, 2, :, 2]
    for axis in range(3):
        turning[:, :, axis, :, axis] += trace
    H[:, :n, :n] = xp.reshape(turning, (n_frames, n, n))
    by_trans = xp.reshape(skew(xp.reshape(C[..., n + 3], (n_frames, n_joints, 3))), (n_frames, n, 3))
    H[:, :n, n : n + 3] = by_trans
    H[:, n : n + 3, :n] = xp.matrix_transpose(by_trans)
    for axis in range(n, n + 3):
        H[:, axis, axis] = weight
    g = [moment, force]
    if shape is not None:
        S, w, r = shape
        by_shape = _crossed(xp.reshape(C[..., n + 4 :], (n_frames, n, 3, n_betas)), n_joints)
        S_w = S * w[..., None, None]
        flat, flat_w = (xp.reshape(x, (n_frames, -1, n_betas)) for x in (S, S_w))
        H[:, :n, n + 3 :], H[:, n + 3 :, :n] = by_shape, xp.matrix_transpose(by_shape)
        shift = xp.sum(S_w, axis=1)
        H[:, n : n + 3, n + 3 :], H[:, n + 3 :, n : n + 3] = shift, xp.matrix_transpose(shift)
        H[:, n + 3 :, n + 3 :] = xp.matrix_transpose(flat_w) @ flat
        g.append((xp.matrix_transpose(flat_w) @ xp.reshape(r, (n_frames, -1, 1)))[..., 0])
    return Normal(xp.concat(g, axis=-1), H)
