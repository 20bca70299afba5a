# SPDX-License-Identifier: Apache-2.0
"""Poses brought nearer to plausible: joints to blame are replaced by what the prior says, given the others.

The latent is fitted to the joints that are trusted, `min_z sum_j t_j d_j(z)^2 / sigma^2 + |off(z)|^2` with d_j the
angle between decoded and given rotation, t_j the trust in a joint, and off(z) what the latent space draws to, z itself
where it is normal (Gauss-Newton). Joints to blame then turn towards what
it decodes to, as far as they are to blame; the others stay as they are, to the bit.
"""

import numpy as np

from ..errors import MotionError
from ..linalg import gemm, matvec, one_blas_thread, solve_spd
from ..rotations import exp_so3, log_so3
from ..skeleton import N_POSE
from .base import Prior
from .checks import checked_amount, checked_kept
from .plausibility import Plausibility

_DOUBTED, _BROKEN = 1.0, 3.0  # log odds of being out of place from which a joint is doubted, and replaced altogether
_SIGMA = 0.1  # radians between what the latent decodes to and a trusted joint that cost as much as one of its units
_STEPS, _DAMPING = 8, 1e-3
_CHUNK = 512  # poses at a time: a Jacobian of each is held


def blame(plausibility: Plausibility, R: np.ndarray) -> np.ndarray:
    """How much each joint (..., 21) of poses R (..., 21, 3, 3) is to blame, 0 to 1: even in its log odds."""
    odds = plausibility.log_odds(R)[..., :N_POSE]
    return np.clip((odds - _DOUBTED) / (_BROKEN - _DOUBTED), 0.0, 1.0)


@one_blas_thread
def repair(
    prior: Prior, plausibility: Plausibility, R: np.ndarray, amount: float = 1.0, kept: np.ndarray | None = None
) -> np.ndarray:
    """Poses with their implausible joints replaced.

    Args:
        prior: says what fits the plausible joints.
        plausibility: says which joints are to blame.
        R: poses (..., 21, 3, 3).
        amount: 0 changes nothing, 1 replaces broken joints altogether.
        kept: (21,) bool, joints that are never blamed: the others are fitted to them.

    Returns:
        Poses (..., 21, 3, 3), float64; joints that nobody blames are what they were, to the bit.

    Raises:
        MotionError: the poses are no finite rotations of 21 joints, or the amount is not from 0 to 1.
    """
    R = np.asarray(R)
    if R.shape[-3:] != (N_POSE, 3, 3) or R.dtype.kind not in "fiu" or not np.isfinite(R).all():
        raise MotionError(f"poses of shape {R.shape} to repair; expected finite rotations (..., {N_POSE}, 3, 3)")
    amount = checked_amount(amount, "repair")
    R = R.astype(np.float64)
    if amount == 0:
        return R
    given, free = R.reshape(-1, N_POSE, 3, 3), 1.0 - checked_kept(kept)
    blamed = free * blame(plausibility, given)
    first = replaced(prior, given, blamed)
    # Once the worst joints are replaced, others show that they do not fit.
    blamed = np.maximum(blamed, free * blame(plausibility, first))
    return replaced(prior, given, blamed, amount, first).reshape(R.shape)


def replaced(
    prior: Prior, R: np.ndarray, blamed: np.ndarray, amount: float = 1.0, start: np.ndarray | None = None
) -> np.ndarray:
    """Poses R (F, 21, 3, 3) with joints turned to what the prior says, as far as they are blamed (F, 21).

    Args:
        prior: says what fits the joints that nobody blames.
        R: the poses.
        blamed: 0 keeps a joint to the bit, 1 replaces it.
        amount: factor on every turn.
        start: poses (F, 21, 3, 3) that are nearer to plausible, for the latent to start from.
    """
    out, start = R.copy(), R if start is None else start
    touched = np.flatnonzero(blamed.any(-1))
    for first in range(0, len(touched), _CHUNK):
        rows = touched[first : first + _CHUNK]
        given, share = R[rows], blamed[rows][..., None]
        turn = log_so3(np.swapaxes(given, -1, -2) @ completed(prior, start[rows], _trust(blamed[rows])))
        out[rows] = np.where(share[..., None] > 0, given @ exp_so3(amount * share * turn), given)
    return out


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
        step = solve_spd(gemm(J_weighted, J) + damped, (matvec(J_weighted, apart) - prior.space.off(z))[..., None])[0]
        z = prior.space.nearest(z + step[..., 0])
    return prior.decode(z)
