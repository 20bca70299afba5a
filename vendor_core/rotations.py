# SPDX-License-Identifier: Apache-2.0
"""Rotations in any batch shape, for NumPy and torch alike: exponential, logarithm, 6D, quaternions (wxyz).

Formulas: Rodrigues; Barfoot, "State Estimation for Robotics", ch. 7 (Jacobians of SO(3)); Zhou et al., "On the
Continuity of Rotation Representations in Neural Networks", CVPR 2019 (6D). Matrices are column-wise,
`p_parent = R_parent_child @ p_child`; angles are radians.
"""

import numpy as np

from .arrays import Array, Constant, namespace
from .linalg import matvec

TO_Z_UP = {
    "X": np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]),
    "Y": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "Z": np.eye(3),
}
"""The rotation that turns a world with the named axis up into one with Z up."""
Y_UP_TO_Z_UP = TO_Z_UP["Y"]
"""(x, y, z) -> (x, -z, y): from SMPL's axes to Blender's world."""

_EYE = Constant(np.eye(3))
_LEVI_CIVITA = np.zeros((3, 3, 3))
_LEVI_CIVITA[0, 2, 1] = _LEVI_CIVITA[1, 0, 2] = _LEVI_CIVITA[2, 1, 0] = 1.0
_LEVI_CIVITA[0, 1, 2] = _LEVI_CIVITA[1, 2, 0] = _LEVI_CIVITA[2, 0, 1] = -1.0
_SKEW = Constant(_LEVI_CIVITA.reshape(3, 9))  # v @ _SKEW is skew(v), flattened: cheaper than stacking nine slices
_VEE = Constant(_LEVI_CIVITA.reshape(3, 9).T)
_SMALL = 1e-3  # below this angle (rad) Taylor series are more exact than the quotients they replace


def identity_like(x: Array, shape: tuple[int, ...]) -> Array:
    """Identity matrices (*shape, 3, 3) of the kind, dtype and device of x."""
    xp = namespace(x)
    return xp.broadcast_to(_EYE.like(x), (*shape, 3, 3))


def skew(v: Array) -> Array:
    """Matrix (..., 3, 3) of the cross product with v (..., 3): `skew(v) @ x == cross(v, x)`."""
    return namespace(v).reshape(v @ _SKEW.like(v), (*v.shape[:-1], 3, 3))


def vee(R: Array) -> Array:
    """Axes times the sine of the angle, (..., 3), of rotations R (..., 3, 3): what is skew in them."""
    return 0.5 * (namespace(R).reshape(R, (*R.shape[:-2], 9)) @ _VEE.like(R))


def cross(a: Array, b: Array) -> Array:
    """Cross products (..., 3) of a (..., 3) and b (..., 3)."""
    return matvec(skew(a), b)


def _coefficients(w: Array) -> tuple[Array, Array]:
    """sin(t)/t and (1-cos t)/t^2 for t = |w|, each (..., 1, 1); exact and differentiable at 0."""
    xp = namespace(w)
    t2 = xp.sum(w * w, axis=-1)[..., None, None]
    small = t2 < _SMALL**2
    safe2 = xp.where(small, xp.ones_like(t2), t2)
    t = xp.sqrt(safe2)
    a = xp.where(small, 1 - t2 / 6, xp.sin(t) / t)
    b = xp.where(small, 0.5 - t2 / 24, (1 - xp.cos(t)) / safe2)
    return a, b


def exp_so3(w: Array) -> Array:
    """Rotation matrices (..., 3, 3) of rotation vectors w (..., 3), by Rodrigues' formula."""
    a, b = _coefficients(w)
    K = skew(w)
    return _EYE.like(w) + a * K + b * (K @ K)


def small_turn(w: Array) -> Array:
    """Rotation matrices (..., 3, 3) that agree with `exp_so3(w)` to second order, at half its cost: Cayley's map.

    Always rotations, however large w (..., 3) is: what a solver's step needs, which says where to go and not how far.
    """
    xp = namespace(w)
    K = skew(w)
    factor = 1 / (1 + 0.25 * xp.sum(w * w, axis=-1))
    return _EYE.like(w) + factor[..., None, None] * (K + 0.5 * (K @ K))


def matrix_to_quaternion(R: Array) -> Array:
    """Unit quaternions (..., 4), wxyz with w >= 0, of rotation matrices (..., 3, 3); stable at every angle."""
    xp = namespace(R)
    m = [[R[..., i, j] for j in range(3)] for i in range(3)]
    # Four times each product q_i q_j; the row with the largest diagonal is the best conditioned (Shepperd 1978).
    ww = 1 + m[0][0] + m[1][1] + m[2][2]
    xx = 1 + m[0][0] - m[1][1] - m[2][2]
    yy = 1 - m[0][0] + m[1][1] - m[2][2]
    zz = 1 - m[0][0] - m[1][1] + m[2][2]
    wx, wy, wz = m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]
    xy, xz, yz = m[0][1] + m[1][0], m[0][2] + m[2][0], m[1][2] + m[2][1]
    rows = [xp.stack(row, axis=-1) for row in ((ww, wx, wy, wz), (wx, xx, xy, xz), (wy, xy, yy, yz), (wz, xz, yz, zz))]
    best = xp.argmax(xp.stack([ww, xx, yy, zz], axis=-1), axis=-1)[..., None]
    q = rows[3]
    for i in (2, 1, 0):
        q = xp.where(best == i, rows[i], q)
    q = q / xp.sqrt(xp.sum(q * q, axis=-1))[..., None]
    return xp.where(q[..., :1] < 0, -q, q)


def quaternion_to_matrix(q: Array) -> Array:
    """Rotation matrices (..., 3, 3) of quaternions q (..., 4), wxyz, of any length but zero."""
    xp = namespace(q)
    q = q / xp.sqrt(xp.sum(q * q, axis=-1))[..., None]
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return xp.reshape(xp.stack(rows, axis=-1), (*q.shape[:-1], 3, 3))


def log_so3(R: Array) -> Array:
    """Rotation vectors (..., 3), of length at most pi, of rotation matrices (..., 3, 3)."""
    xp = namespace(R)
    q = matrix_to_quaternion(R)
    v2 = xp.sum(q[..., 1:] * q[..., 1:], axis=-1)[..., None]
    small = v2 < _SMALL**2
    v = xp.sqrt(xp.where(small, xp.ones_like(v2), v2))
    # With w >= 0 the angle is 2 atan2(|v|, w); near zero 2 |v| / w (1 - |v|^2 / 3 w^2) needs no division by |v|.
    # In torch the gradient of a branch that is not taken must be finite too: w is zero at pi.
    w = q[..., :1]
    cosine = xp.where(small, w, xp.ones_like(w))
    factor = xp.where(small, 2 / cosine * (1 - v2 / (3 * cosine * cosine)), 2 * xp.atan2(v, w) / v)
    return factor * q[..., 1:]


def rotation_from_6d(x: Array) -> Array:
    """Rotation matrices (..., 3, 3) whose first two columns are x (..., 3, 2) made orthonormal (Zhou et al. 2019)."""
    xp = namespace(x)
    a1, a2 = x[..., 0], x[..., 1]
    b1 = a1 / xp.sqrt(xp.sum(a1 * a1, axis=-1))[..., None]
    u2 = a2 - xp.sum(b1 * a2, axis=-1)[..., None] * b1
    b2 = u2 / xp.sqrt(xp.sum(u2 * u2, axis=-1))[..., None]
    return xp.stack([b1, b2, cross(b1, b2)], axis=-1)


def rotation_angle(R: Array) -> Array:
    """Angles (...) in 0..pi of rotation matrices (..., 3, 3)."""
    xp = namespace(R)
    w = log_so3(R)
    return xp.sqrt(xp.sum(w * w, axis=-1))


def nearest_rotation(M: np.ndarray) -> np.ndarray:
    """The rotations nearest to matrices M (..., 3, 3) in the Frobenius norm, by SVD (Kabsch 1976). NumPy only."""
    U, _, Vt = np.linalg.svd(M)
    U[..., :, 2] *= np.sign(np.linalg.det(U @ Vt))[..., None]
    return U @ Vt
