# SPDX-License-Identifier: Apache-2.0
"""The latent behind a pose where no encoder was trained: Levenberg-Marquardt through the decoder, batched.

The cost of a pose is `sum_j w_j |D_j(z) - R_j|_F^2 / 2`: the squared angle where it is small, and smooth everywhere.
A joint's weight is how much it moves, the squared distances of the joints below it, and a little more for twist.
"""

from typing import Protocol

import numpy as np
from array_api_compat import is_array_api_obj, is_torch_array

from ..arrays import Array, Constant, eye, namespace
from ..body.kinematics import ancestor_mask
from ..linalg import gemm, matvec, solve_spd
from ..rotations import vee
from ..skeleton import BODY_PARENTS, N_POSE
from .latent_spaces import LatentSpace
from .network import Network

_TWIST = 0.1  # square metres
_DAMPING = 1e-2
_STIFF = 1e-4
_MOST_DAMPING = 1e3
_ENOUGH, _EXACT = 1e-4, 1e-10  # gains, of the cost and in itself, after which there is nothing to come
_DRAWS, _SEED = 4096, 0
_RIDGE = 1e-3
_ROWS = 512  # poses at a time: each has a Jacobian of 126 x 32 numbers, and as many for each hidden layer


class Decoder(Protocol):
    """What an inversion asks of a prior."""

    latent_dim: int
    space: LatentSpace
    levers: Constant

    def decode(self, z: Array) -> Array: ...

    def decode_with_jacobian(self, z: Array) -> tuple[Array, Array]: ...


def linear_encoder(prior: Decoder) -> Network:
    """The linear map from rotation matrices (189) to latents (L) that is best on poses of the prior itself (ridge)."""
    z = prior.space.sample(_DRAWS, prior.latent_dim, _SEED)
    x = prior.decode(z).reshape(len(z), -1)
    mean = x.mean(0)
    centred = x - mean
    stiff = centred.T @ centred
    W = np.linalg.solve(stiff + _RIDGE * len(z) * np.eye(len(stiff)), centred.T @ (z - z.mean(0))).T
    return Network([(W, z.mean(0) - W @ mean)])


def levers_of(rest_joints: np.ndarray) -> Constant:
    """The weight (21,) of each joint's rotation, 1 on average, on a skeleton of rest joints (22, 3)."""
    apart = np.sum((rest_joints[:, None] - rest_joints) ** 2, axis=-1)
    weights = (ancestor_mask(BODY_PARENTS) * apart).sum(0)[1:] + _TWIST
    return Constant(weights / weights.mean())


def inverted(prior: Decoder, R: Array, start: Array, iterations: int) -> Array:
    """Latents (N, L) whose poses come near to poses R (N, 21, 3, 3), from a start (N, L).

    In torch the answer has the gradient of the minimum by R and by the decoder's weights (implicit function theorem,
    the Hessian as Gauss and Newton have it).
    """
    if not is_torch_array(R):
        parts = [_lowest(prior, R[i : i + _ROWS], start[i : i + _ROWS], iterations) for i in range(0, len(R), _ROWS)]
        return np.concatenate(parts) if parts else start
    import torch

    with torch.no_grad():
        z = _lowest(prior, R.detach(), start.detach(), iterations)
    if not torch.is_grad_enabled():
        return z
    D, W = prior.decode_with_jacobian(z)
    A, b = _normal_equations(D, W, R, prior.levers.like(R))
    step = solve_spd(_damped(A.detach(), 0), b[..., None])[0][..., 0]
    return z + step - step.detach()


def _lowest(prior: Decoder, R: Array, z: Array, iterations: int) -> Array:
    """Frames that have come to rest are left alone; the Jacobians are in single precision, as they only shape steps."""
    xp = namespace(R)
    z, levers = xp.asarray(prior.space.nearest(z), copy=True), prior.levers.like(z)
    cost = _cost(prior.decode(z), R, levers)
    damping, rows = xp.full_like(cost, _DAMPING), xp.nonzero(cost >= 0)[0]
    for _ in range(iterations):
        if len(rows) == 0:
            break
        at, wanted = z[rows], R[rows]
        D, W = prior.decode_with_jacobian(xp.astype(at, xp.float32))
        A, b = _normal_equations(D, W, xp.astype(wanted, xp.float32), xp.astype(levers, xp.float32))
        step = solve_spd(_damped(A, damping[rows]), b[..., None])[0][..., 0]
        trial = prior.space.nearest(at + xp.astype(step, at.dtype))
        tried = _cost(prior.decode(trial), wanted, levers)
        gain = cost[rows] - tried
        better = gain > 0
        z[rows] = xp.where(better[:, None], trial, at)
        cost[rows] = xp.where(better, tried, cost[rows])
        damping[rows] = xp.where(better, damping[rows] / 4, damping[rows] * 8)
        still = better & (gain < _ENOUGH * tried + _EXACT)
        rows = rows[~(still | (damping[rows] > _MOST_DAMPING))]
    return z


def _cost(D: Array, R: Array, levers: Array) -> Array:
    return (3 - namespace(D).sum(D * R, axis=(-1, -2))) @ levers


def _normal_equations(D: Array, W: Array, R: Array, levers: Array) -> tuple[Array, Array]:
    """A (N, L, L) and b (N, L) of the step `A dz = b` that turns D (N, 21, 3, 3) towards R."""
    xp = namespace(D)
    flat = xp.reshape(W, (len(D), 3 * N_POSE, W.shape[-1]))
    s = xp.reshape(vee(xp.matrix_transpose(D) @ R), (len(D), 3 * N_POSE))
    W_t = xp.matrix_transpose(flat) * xp.repeat(levers, 3)
    return gemm(W_t, flat), matvec(W_t, s)


def _damped(A: Array, damping: Array | float) -> Array:
    """A (N, L, L) with a share of its diagonal's mean added, and a little more: a sphere's radius moves nothing."""
    xp, n = namespace(A), A.shape[-1]
    more = (xp.astype(damping, A.dtype) if is_array_api_obj(damping) else damping) + _STIFF
    return A + (more * xp.linalg.trace(A) / n)[:, None, None] * eye(n, A)
