# SPDX-License-Identifier: Apache-2.0
"""Poses drawn from the prior: new ones, and variations of a given one, in which some joints may have to stay.

A variation's latent is `sqrt(1 - a^2) z + a e` for the pose's latent z, a drawn latent e and the amount a, the step of
preconditioned Crank-Nicolson (Cotter et al., "MCMC Methods for Functions", 2013): where latents are near N(0, I) it
leaves their distribution as it is, so variations of a lively pose do not fade towards the mean as on a straight line.
What the auto-encoder misses of the pose is put back, so an amount of 0 is the pose itself.

Joints that have to stay may fit a draw badly: of several draws the most plausible whole pose is taken.
"""

import numpy as np

from ..errors import MotionError
from ..linalg import one_blas_thread
from ..rotations import exp_so3, log_so3
from ..skeleton import N_POSE
from .base import Prior
from .checks import checked_amount, checked_draw, checked_kept
from .plausibility import Plausibility

_DRAWS = 4  # for a pose: one in seventy variations of real poses by 0.5 is then implausible, of single draws two
_DRAWS_TO_FIT = 32  # where joints stay
_CHUNK = 256  # variations at a time: all their draws are held


@one_blas_thread
def drawn_pose(
    prior: Prior, plausibility: Plausibility, R: np.ndarray, seed: int, kept: np.ndarray | None = None
) -> np.ndarray:
    """A new pose (21, 3, 3), float64, in place of a pose.

    Args:
        prior: what is drawn from; without joints to keep it is its first draw.
        plausibility: chooses a draw that fits the joints that stay.
        R: the pose (21, 3, 3).
        seed: decides the draw.
        kept: (21,) bool, joints that stay as they are, to the bit.

    Raises:
        MotionError: the pose is no finite rotations of 21 joints.
    """
    R, kept = _checked(R), checked_kept(kept)
    if not kept.any():
        return prior.decode(prior.sample(1, seed))[0]
    draws = np.where(kept[:, None, None], R, prior.decode(prior.sample(_DRAWS_TO_FIT, seed)))
    return draws[np.argmin(plausibility.log_odds(draws)[:, -1])]


@one_blas_thread
def variations(
    prior: Prior,
    plausibility: Plausibility,
    R: np.ndarray,
    count: int,
    seed: int,
    amount: float,
    kept: np.ndarray | None = None,
) -> np.ndarray:
    """Poses (count, 21, 3, 3), float64, like a pose.

    Args:
        prior: its latent space is where the pose is moved.
        plausibility: chooses among a few draws for each.
        R: the pose (21, 3, 3).
        count: how many; the k-th is the only one of the seed `seed + k`.
        seed: decides the draws.
        amount: 0 is the pose itself, to the bit; 1 is new poses.
        kept: (21,) bool, joints that stay as they are, to the bit.

    Raises:
        MotionError: the pose is no finite rotations of 21 joints, or the amount is not from 0 to 1.
    """
    R = _checked(R)
    amount, kept = checked_amount(amount, "vary"), checked_kept(kept)
    count, seed = checked_draw(count, seed)
    if amount == 0:
        return np.tile(R, (count, 1, 1, 1))
    z = prior.encode(R)
    missed = log_so3(np.swapaxes(prior.decode(z), -1, -2) @ R)
    n = _DRAWS_TO_FIT if kept.any() else _DRAWS
    varied = np.empty((count, N_POSE, 3, 3))
    for first in range(0, count, _CHUNK):
        seeds = range(seed + first, seed + min(first + _CHUNK, count))
        drawn = np.concatenate([prior.sample(n, of_one) for of_one in seeds])
        tried = prior.decode(prior.space.nearest(np.sqrt(1 - amount**2) * z + amount * drawn)) @ exp_so3(
            (1 - amount) * missed
        )
        tried = np.where(kept[:, None, None], R, tried)
        best = plausibility.log_odds(tried)[:, -1].reshape(-1, n).argmin(1)
        varied[first : first + _CHUNK] = tried.reshape(-1, n, N_POSE, 3, 3)[np.arange(len(best)), best]
    return varied


def _checked(R: np.ndarray) -> np.ndarray:
    R = np.asarray(R)
    if R.shape != (N_POSE, 3, 3) or R.dtype.kind not in "fiu" or not np.isfinite(R).all():
        raise MotionError(f"a pose of shape {R.shape}; expected finite rotations ({N_POSE}, 3, 3)")
    return R.astype(np.float64)
