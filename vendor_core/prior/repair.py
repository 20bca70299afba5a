# SPDX-License-Identifier: Apache-2.0
"""Poses brought nearer to plausible: joints to blame are replaced by what the prior says, given the others.

The latent is fitted to the joints that are trusted, `min_z sum_j t_j d_j(z)^2 / sigma^2 + |z|^2` with d_j the angle
between decoded and given rotation and t_j the trust in a joint (Gauss-Newton). Joints to blame then turn towards what
it decodes to, as far as they are to blame; the others stay as they are, to the bit.
"""

import numpy as np

from ..errors import MotionError
from ..linalg import matvec, one_blas_thread, solve_spd
from ..rotations import exp_so3, log_so3
from ..skeleton import N_POSE
from .base import Prior
from .plausibility import Plausibility

_BROKEN = 2.0  # log odds of being out of place from which a joint is replaced altogether; doubted from even odds on
_SIGMA = 0.1  # radians between what the latent decodes to and a trusted joint that cost as much as one of its units
_STEPS, _DAMPING = 8, 1e-3
_ROUNDS = 2  # once the worst joints are replaced, others show that they do not fit
_CHUNK = 512  # poses at a time: a Jacobian of each is held


def blame(plausibility: Plausibility, R: np.ndarray) -> np.ndarray:
    """How much each joint (..., 21) of poses R (..., 21, 3, 3) is to blame, 0 to 1: the rising part of its log odds."""
    return np.clip(plausibility.log_odds(R)[..., :N_POSE] / _BROKEN, 0.0, 1.0)


@one_blas_thread
def repair(prior: Prior, plausibility: Plausibility, R: np.ndarray, amount: float = 1.0) -> np.ndarray:
    """Poses with their implausible joints replaced.

    Args:
        prior: says what fits the plausible joints.
        plausibility: says which joints are to blame.
        R: poses (..., 21, 3, 3).
        amount: 0 changes nothing, 1 replaces broken joints altogether.

    Returns:
        Poses (..., 21, 3, 3), float64; joints that nobody blames are what they were.

    Raises:
        MotionError: the poses are no finite rotations of 21 joints, or the amount is not from 0 to 1.
    """
    R = np.asarray(R)
    if R.shape[-3:] != (N_POSE, 3, 3) or R.dtype.kind not in "fiu" or not np.isfinite(R).all():
        raise MotionError(f"poses of shape {R.shape} to repair; expected finite rotations (..., {N_POSE}, 3, 3)")
    if not 0 <= amount <= 1:
        raise MotionError(f"an amount of {amount} to repair by; expected a number from 0 to 1")
    given = R.astype(np.float64)
    if amount == 0:
        return given
    flat = given.reshape(-1, N_POSE, 3, 3)
    parts = [_repaired(prior, plausibility, flat[i : i + _CHUNK], amount) for i in range(0, len(flat), _CHUNK)]
    return np.concatenate([flat[:0], *parts]).reshape(R.shape)


def _repaired(prior: Prior, plausibility: Plausibility, R: np.ndarray, amount: float) -> np.ndarray:
    blamed = blame(plausibility, R)
    rows = np.flatnonzero(blamed.any(-1))
    whole, given, blamed = R.copy(), R[rows], blamed[rows]
    now = given
    for _ in range(_ROUNDS if len(rows) else 0):
        turn = log_so3(np.swapaxes(given, -1, -2) @ completed(prior, now, _trust(blamed)))
        now = np.where(blamed[..., None, None] > 0, given @ exp_so3(blamed[..., None] * turn), given)
        blamed = np.maximum(blamed, blame(plausibility, now))
    turn = log_so3(np.swapaxes(given, -1, -2) @ now)
    changed = (turn != 0).any(-1)
    whole[rows] = np.where(changed[..., None, None], given @ exp_so3(amount * turn), given)
    return whole


def _trust(blamed: np.ndarray) -> np.ndarray:
    """Trust (F, 21) in joints blamed by (F, 21): where most are blamed, all that is known is what they say."""
    return 1 - blamed * (1 - blamed.mean(-1, keepdims=True) ** 2)


def completed(prior: Prior, R: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """What the prior says of whole poses (F, 21, 3, 3), given joints that are trusted by (F, 21), 0 to 1."""
    z = prior.encode(R)
    weight = (trust / _SIGMA**2)[..., None, None]
    damped = (1 + _DAMPING) * np.eye(z.shape[-1])
    for _ in range(_STEPS):
        D, W = prior.decode_with_jacobian(z)
        apart = log_so3(np.swapaxes(D, -1, -2) @ R).reshape(len(z), -1)
        J = W.reshape(len(z), 3 * N_POSE, -1)
        J_weighted = np.swapaxes((weight * W).reshape(J.shape), -1, -2)
        step = solve_spd(J_weighted @ J + damped, (matvec(J_weighted, apart) - z)[..., None])[0]
        z = z + step[..., 0]
    return prior.decode(z)
