# SPDX-License-Identifier: Apache-2.0
"""Poses whose limbs are in the body, moved apart as little as that takes."""

import numpy as np

from ..errors import MotionError
from ..linalg import one_blas_thread
from ..prior.base import Prior
from ..skeleton import BODY_JOINTS, BODY_PARENTS, JOINT_GROUPS, N_BODY
from .balls import TOUCH, BodyBalls
from .problem import Problem, Stage, Weights
from .residuals.apart import Apart
from .residuals.turn import Turn
from .solver import minimise_in_chunks
from .state import PoseState, Unknowns

DEEP = 0.005
"""Metres that balls are in one another from which `untangle` moves them apart: some 15 mm of the skin."""

_ROOM, _SIGMA = 0.01, 0.003  # metres that there then should be between balls, so that skin touches; that cost one unit
_FREE, _HELD = 0.2, 0.003  # radians that cost one unit: turns of the joints above what meets, and of all others
_ABOVE = 3  # joints that move a part out of another: shoulder, elbow and wrist for a hand
_WATCHED = 32  # pairs of balls, the nearest of a pose
_ROUNDS = 3  # what is moved out of one part may meet another
_CHUNK = 32  # poses whose pairs are all looked at together: they fit the cache
_LIMBS = [BODY_JOINTS.index(name) for group in JOINT_GROUPS if group != "torso" for name in JOINT_GROUPS[group]]
_STAGE = Stage(
    Unknowns(orientation=False, translation=False),
    Weights(latent=0.1, residual=3.0),
    iterations=30,
    damping=1.0,  # long first steps go around the body
    tolerance=1e-2,
    enough=1.0,
)


def gaps_of(balls: BodyBalls, R_local: np.ndarray) -> np.ndarray:
    """Metres between parts of a body, (F, N) by pairs of balls: negative where one is in the other.

    Args:
        balls: of the body.
        R_local: (F, 22, 3, 3) rotations relative to the parents; the root's does not matter.

    Raises:
        MotionError: the poses are no finite rotations of 22 joints.
    """
    if R_local.shape[1:] != (N_BODY, 3, 3) or not np.isfinite(R_local).all():
        raise MotionError(f"poses of shape {R_local.shape}; expected finite rotations (F, {N_BODY}, 3, 3)")
    gaps = np.zeros((len(R_local), len(balls.pairs)))
    for first in range(0, len(R_local), _CHUNK):
        rows = slice(first, first + _CHUNK)
        gaps[rows] = balls.gaps(balls.centres(_state(R_local[rows]).on(balls.points.bones)))
    return gaps


@one_blas_thread
def untangle(
    balls: BodyBalls, prior: Prior, R_local: np.ndarray, kept: np.ndarray | None = None
) -> np.ndarray:  # fmt: skip
    """Poses with limbs that were in the body, or in one another, moved out until skin about touches.

    What is moved out is less deep than what `gaps_of` holds against a pose, so that little is left of that.

    Args:
        balls: of the body.
        prior: says which ways out are usual.
        R_local: (F, 22, 3, 3) rotations relative to the parents, the root first.
        kept: (22,) bool, joints that never turn.

    Returns:
        (F, 22, 3, 3); a pose in which nothing is in anything is what it was, to the bit, and so are all roots.

    Raises:
        MotionError: the poses are no finite rotations of 22 joints.
    """
    given = np.array(R_local, dtype=np.float64)
    out, freed = given.copy(), np.zeros((len(given), N_BODY), dtype=bool)
    free = np.ones(N_BODY, dtype=bool) if kept is None else ~kept
    gaps, rows = gaps_of(balls, out), np.arange(len(out))
    for _ in range(_ROUNDS):
        meet = (gaps < TOUCH - DEEP).any(1)
        gaps, rows = gaps[meet], rows[meet]
        if not len(rows):
            break
        freed[rows] |= _movers(balls, gaps < TOUCH - DEEP) & free
        nearest = np.argpartition(gaps, min(_WATCHED, gaps.shape[1]) - 1, axis=1)[:, :_WATCHED]
        out[rows] = _moved_apart(balls, prior, given[rows], out[rows], freed[rows], nearest)
        gaps = gaps_of(balls, out[rows])
    return out


def _movers(balls: BodyBalls, meet: np.ndarray) -> np.ndarray:
    """(F, 22) the joints that may turn: of each limb that meets (F, N) something, the last few down to there."""
    chains = np.zeros((N_BODY, N_BODY), dtype=bool)
    for joint in _LIMBS:
        above = joint
        for _ in range(_ABOVE):
            chains[joint, above] = above in _LIMBS
            above = BODY_PARENTS[above]
    parts = chains[balls.owner[balls.pairs]].any(1)  # (N, 22)
    return meet.astype(float) @ parts > 0


def _moved_apart(
    balls: BodyBalls, prior: Prior, given: np.ndarray, start: np.ndarray, freed: np.ndarray, watched: np.ndarray
) -> np.ndarray:
    """The poses nearest to those given (F, 22, 3, 3) in which no watched pairs (F, K) meet; only freed joints turn."""
    apart = Apart(np.ones(watched.shape), _SIGMA, balls, watched, TOUCH + _ROOM)
    turn = Turn(np.where(freed, _FREE**-2, _HELD**-2), 1.0, given)
    state = _state(start).changed(z=prior.encode(start[:, 1:]))
    problem = Problem(balls.points.bones, prior, (apart, turn))
    solved = minimise_in_chunks(problem, state, _STAGE)[0].orthonormal()
    return np.where(freed[..., None, None], solved.R_local, given)


def _state(R_local: np.ndarray) -> PoseState:
    n = len(R_local)
    return PoseState(R_local, np.zeros((n, 3)), np.zeros((n, 0)), np.zeros((n, 0)))
