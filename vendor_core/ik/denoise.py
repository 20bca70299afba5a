# SPDX-License-Identifier: Apache-2.0
"""Motion without its noise: implausible joints repaired, jitter weighed against how people move and pose.

The noise of each joint is measured from the motion itself: third differences hardly see motion, but all of the jitter.
`smoothing` then does what it does for a solve, with the motion's own rotations as its targets, each believed as far as
it is noisy, and those of implausible joints not at all. Feet that rest in what comes of it (`contacts`) are held there
in a last round: in noise a foot that stands slides.
"""

from collections.abc import Callable
from math import comb

import numpy as np

from ..body import BodyModel
from ..errors import MotionError
from ..linalg import one_blas_thread
from ..prior.base import Prior
from ..prior.plausibility import Plausibility
from ..prior.repair import blame, repair, replaced
from ..rotations import exp_so3, log_so3
from ..skeleton import N_BODY
from .bones import bones_of
from .contacts import resting
from .gaps import joints_bridged
from .points import joint_points, place
from .problem import Problem, Stage
from .residuals import Position
from .residuals.turn import Turn
from .smoothing import Smoothing, smoothed
from .state import PoseState

_ORDER = 3  # of the differences that show noise
_MEDIAN_LENGTH = 1.538  # of a vector of three standard normal numbers
_LEAST_TURN, _LEAST_TRAVEL = 1e-3, 2e-4  # radians and metres: noise that nobody sees
_FARTHEST, _SLOWEST, _FASTEST = 1e5, 1e-3, 1e4  # metres and Hz; numbers beyond are damaged
_LEAPS, _PLAUSIBLE = 0.1, 0.05  # radians of jitter, and the median plausibility that it would not leave
_MANY = 1 / 3  # share of joints to blame from which none of them is
_FEET = ("left_ankle", "right_ankle", "left_foot", "right_foot")
_FOOT_SIGMA = 0.005  # metres
_ROUNDS = 3  # at most: without and with joints that jitter hid, and with feet that rest
_LONGEST = 0.5  # seconds of an implausible joint that its frames before and after can fill


@one_blas_thread
def denoise(
    body: BodyModel, prior: Prior, plausibility: Plausibility, R_local: np.ndarray, trans: np.ndarray, rate: float,
    amount: float = 1.0, report: Callable[[float], None] = lambda fraction: None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Remove noise from a motion.

    Args:
        body: whose bones move.
        prior: says what fits the plausible joints.
        plausibility: says which joints are to blame.
        R_local: (F, 22, 3, 3) rotations relative to the parents, the root's world orientation first.
        trans: (F, 3) metres.
        rate: Hz.
        amount: 0 changes nothing, 1 is all the way.
        report: called with the fraction done.

    Returns:
        Rotations (F, 22, 3, 3) and trans (F, 3), float64.

    Raises:
        MotionError: the numbers are no motion, or the amount is not from 0 to 1.
    """
    R_local, trans = np.asarray(R_local), np.asarray(trans)
    _check(R_local, trans, rate, amount)
    R_local, trans = R_local.astype(np.float64), trans.astype(np.float64)
    if amount == 0:
        return R_local, trans
    R, p = _denoised(body, prior, plausibility, R_local, trans, rate, report)
    turn = log_so3(np.swapaxes(R_local, -1, -2) @ R)
    return R_local @ exp_so3(amount * turn), trans + amount * (p - trans)


def _check(R_local: np.ndarray, trans: np.ndarray, rate: float, amount: float) -> None:
    n = len(R_local) if R_local.ndim else 0
    if n == 0 or (R_local.shape, trans.shape) != ((n, N_BODY, 3, 3), (n, 3)):
        raise MotionError(
            f"rotations {R_local.shape} and trans {trans.shape} to denoise; expected (F, {N_BODY}, 3, 3) and (F, 3)"
        )
    if not np.isfinite(R_local).all() or not (np.abs(trans) < _FARTHEST).all():
        raise MotionError("a motion to denoise has numbers that are not finite or far too large; expected metres")
    numbers = all(isinstance(value, int | float | np.number) for value in (rate, amount))
    if not numbers or not _SLOWEST < rate < _FASTEST or not 0 <= amount <= 1:
        raise MotionError(f"a rate of {rate} Hz and an amount of {amount}; expected a frame rate and 0 to 1")


def _denoised(
    body: BodyModel, prior: Prior, plausibility: Plausibility, R_local: np.ndarray, trans: np.ndarray, rate: float,
    report: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    if np.median(noise_of_turns(R_local)) > _LEAPS and np.median(plausibility.score(R_local[:, 1:])) > _PLAUSIBLE:
        # Jitter that large breaks poses; frames that leap about and yet are plausible are poses of their own.
        R = repair(prior, plausibility, R_local[:, 1:])
        return np.concatenate([R_local[:, :1], R], axis=1), trans
    blamed, turn = _singled_out(plausibility, R_local), 0

    def next_round(feet: tuple[Position, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
        nonlocal turn
        turn += 1
        return _smoothed(
            body, prior, R_local, trans, blamed, rate, feet, lambda f, done=turn - 1: report((done + f) / _ROUNDS)
        )

    clean = next_round()
    left = _singled_out(plausibility, clean[0])  # jitter may have hidden them
    if ((left > 0) & (blamed == 0)).any():
        blamed = np.maximum(blamed, left)
        clean = next_round()
    if noise_of_turns(R_local).max() > _LEAST_TURN:
        feet = _resting_feet(body, *clean, rate)
        clean = next_round((feet,)) if feet.confidence.any() else clean
    report(1.0)
    return clean


def _resting_feet(body: BodyModel, R_local: np.ndarray, trans: np.ndarray, rate: float) -> Position:
    """Ankles and feet where they rest."""
    bones, none = bones_of(body), np.zeros((len(trans), 0))
    points = joint_points(body, [body.joint_names.index(name) for name in _FEET], bones)
    rests, places = resting(place(points, PoseState(R_local, trans, none, none).on(bones))[0], rate)
    return Position(rests.astype(np.float64), _FOOT_SIGMA, points, places)


def _singled_out(plausibility: Plausibility, R_local: np.ndarray) -> np.ndarray:
    """How much each joint (F, 21) is to blame; no joint of a pose of which many are: that pose is merely unusual."""
    blamed = blame(plausibility, R_local[:, 1:])
    blamed[(blamed > 0).mean(-1) > _MANY] = 0
    return blamed


def _smoothed(
    body: BodyModel, prior: Prior, R_local: np.ndarray, trans: np.ndarray, blamed: np.ndarray, rate: float,
    feet: tuple[Position, ...], report: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Rotations and trans with joints to blame (F, 21) filled in, jitter smoothed, and feet where they rest."""
    bones, trust = bones_of(body), np.ones(R_local.shape[:2])
    trust[:, 1:] -= blamed
    R = np.concatenate([R_local[:, :1], replaced(prior, R_local[:, 1:], blamed)], axis=1)
    state = PoseState(R, trans, prior.encode(R[:, 1:]), np.zeros((len(R), 0)))
    state = joints_bridged(state, trust == 1, max(1, round(_LONGEST * rate)))
    turn = np.maximum(noise_of_turns(R_local), _LEAST_TURN)
    travel, pelvis = max(noise_of_travel(trans), _LEAST_TRAVEL), joint_points(body, [0], bones)
    residuals = (
        Turn(trust / turn**2, 1.0, R_local),
        Position(np.full((len(R), 1), travel**-2), 1.0, pelvis, (bones.rest[0] + trans)[:, None]),
        *feet,
    )
    state = smoothed(Problem(bones, prior, residuals), state, Stage(), Smoothing(rate, noise=1.0), report)
    return state.R_local, state.trans


def noise_of_turns(R_local: np.ndarray) -> np.ndarray:
    """(J,) standard deviation, radians about each axis, of the noise of joints turned by R_local (F, J, 3, 3)."""
    return _noise(log_so3(np.swapaxes(R_local[:-1], -1, -2) @ R_local[1:]), _ORDER - 1)


def noise_of_travel(trans: np.ndarray) -> float:
    """Standard deviation, metres along each axis, of the noise of places (F, 3)."""
    return float(_noise(trans[:, None], _ORDER)[0])


def _noise(x: np.ndarray, order: int) -> np.ndarray:
    """(J,) of vectors x (F, J, 3) to be differenced so often: by the median, so half may be outliers."""
    if len(x) <= order:
        return np.zeros(x.shape[1])
    length = np.linalg.norm(np.diff(x, n=order, axis=0), axis=-1)
    return np.median(length, axis=0) / (_MEDIAN_LENGTH * np.sqrt(comb(2 * _ORDER, _ORDER)))
