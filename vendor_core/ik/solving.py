# SPDX-License-Identifier: Apache-2.0
"""Solving poses from keypoints of any kinds: chooses the start, runs the stages, reports each frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from array_api_compat import is_array_api_obj

from ..arrays import FARTHEST, Array, as_float64, as_kind, namespace
from ..body import BodyModel
from ..body.hands import relaxed_hands
from ..errors import TargetError
from ..linalg import one_blas_thread
from ..prior.base import Prior
from ..rotations import exp_so3
from ..skeleton import N_BODY
from .bones import Bones, bones_of
from .gaps import held, nearest_of, smoothed_with_gaps
from .noise import noise_of
from .points import N_BETAS, fitted_length
from .problem import Problem, Stage
from .residuals import Hearing, Residual
from .smoothing import Smoothing
from .solver import minimise_in_chunks
from .starts import SeenJoints, first_states, guessed_turn
from .state import PoseState, Unknowns
from .targets import JointTargets, Target

_FIND = Stage(Unknowns(residual=False), hearing=Hearing(softness=7.0), iterations=20, tolerance=1e-2)
_REACH = Stage(iterations=20, damping=1e-4, tolerance=0.2, enough=0.02)
_NARROWING = (10.0, 3.0, 1.0)  # times the robust scale asked for: graduated non-convexity
_LEAST, _MOST = 1e-9, 1e9  # of a sigma, a robust scale and a rate: squares beyond would overflow
_ONE_BY_ONE = 0.7  # share of a sequence's solve that its frames take before they are smoothed
_HANDS = 30  # joints of both hands, the last of every body that has any


@dataclass(frozen=True)
class Solution:
    """Poses of F frames that reach their targets."""

    state: PoseState
    misses: tuple[np.ndarray, ...]  # for each target (F, K): metres, radians or pixels; NaN where unseen
    status: np.ndarray  # (F,) uint8: SOLVED; where nothing was seen BRIDGED or HELD

    @property
    def R_local(self) -> np.ndarray:
        """(F, J, 3, 3), the root's world orientation first."""
        return self.state.R_local

    @property
    def trans(self) -> np.ndarray:
        """(F, 3) metres; the pelvis is at its rest position plus this."""
        return self.state.trans

    @property
    def betas(self) -> np.ndarray:
        """(F, B)."""
        return self.state.betas

    @property
    def z(self) -> np.ndarray:
        """(F, L) latents."""
        return self.state.z

    @property
    def residual(self) -> np.ndarray:
        """(F, K) misses of the first target."""
        return self.misses[0]


@one_blas_thread
def solve(
    body: BodyModel,
    prior: Prior,
    targets: Sequence[Target],
    unknowns: Unknowns | None = None,
    start: Solution | None = None,
    fingers: bool = False,
    robust: float | None = None,
    rate: float | None = None,
    like: Array | None = None,
    report: Callable[[float], None] = lambda fraction: None,
) -> Solution:
    """Solve poses for targets of any kinds.

    Args:
        body: the body; its rest joints are those of zero betas.
        prior: makes what is not seen plausible.
        targets: at least one, each of F frames.
        unknowns: what may change; all but the betas by default. Locked joints need a start.
        start: an earlier solution of F frames, or of one frame, to start from.
        fingers: solve the joints of the hands too; they are drawn to a relaxed hand.
        robust: sigmas at which a miss is half believed; None believes all targets, whatever they say.
        rate: Hz of frames of one person that follow each other: smoothed, their short gaps bridged, their betas shared;
            None for frames on their own.
        like: an array of the kind, dtype and device to compute with (`devices.chosen_device`); float64 in NumPy by
            default.
        report: called with the fraction done, which only grows and ends at 1.

    Returns:
        A solution of F frames. A frame in which nothing is seen holds the nearest solved pose and says so.

    Raises:
        TargetError: no targets, unusable ones, different numbers of frames, nothing seen in any frame, or a start,
            a scale, a rate or an array to compute like that is none.
    """
    _check_kinds(body, targets, unknowns, start)
    body, unknowns = body.first_betas(N_BETAS), unknowns or Unknowns()
    _check_settings(unknowns, robust, rate, like)
    bones = bones_of(body, len(body.parents) if fingers else N_BODY)
    residuals = _residuals(body, bones, targets)
    n_frames = len(residuals[0].confidence)
    solved = np.flatnonzero(np.any([(r.confidence > 0).any(1) for r in residuals], axis=0))
    whole = Problem(bones, prior, residuals, fingers=_fingers_at_rest(body, bones))
    seen = _seen_joints(body, targets, residuals).take(solved)
    whole, state, guessed = _begun(whole, seen, solved, start, robust is not None)
    shaped = unknowns.betas or state.betas.shape[1] > 0
    state = state.changed(betas=fitted_length(state.betas, bones.n_betas if shaped else 0))
    if like is not None:
        whole, state = whole.like(like), state.like(like)
    problem = whole.take(solved)
    if len(guessed):
        found, _ = minimise_in_chunks(problem.take(guessed), state.take(guessed), _FIND)
        state = state.put(guessed, found)
    share = 1.0 if rate is None else _ONE_BY_ONE
    state, stage = _reached(problem, state, replace(_REACH, unknowns=unknowns), robust, lambda f: report(share * f))
    if rate is None:
        state, status = held(state, solved, n_frames)
    else:
        rest = 1 - share
        state, status = _in_sequence(whole, state, solved, stage, rate, lambda f: report(share + rest * f))
        report(1.0)  # frames held at an end are no part of what is smoothed
    return Solution(state.like(np.zeros(1)), _missed(whole, state)[: len(targets)], status)


def _begun(
    whole: Problem, seen: SeenJoints, solved: np.ndarray, start: Solution | None, doubted: bool
) -> tuple[Problem, PoseState, np.ndarray]:
    """The problem with what its latents are expected near, where its solved frames begin, and which were guessed."""
    state, guessed = first_states(whole.take(solved), seen, doubted=doubted)
    n_frames = len(whole.residuals[0].confidence)
    # The guess is what the latents are expected near, with a start too: it says where to begin, not where to end.
    whole = replace(whole, anchor=state.z[nearest_of(solved, n_frames)])
    if start is not None:
        return whole, _given_start(start, solved, n_frames, len(whole.bones)), guessed[:0]
    if (turn := guessed_turn(whole, state, seen, solved, guessed)) is not None:
        whole = replace(whole, residuals=(*whole.residuals, turn))
    if whole.fingers is not None:
        state.R_local[:, N_BODY:] = whole.fingers
    return whole, state, guessed


def _reached(
    problem: Problem, state: PoseState, stage: Stage, robust: float | None, report: Callable[[float], None]
) -> tuple[PoseState, Stage]:
    """The states at their targets, believed ever less far where that is asked for; and the last stage."""
    scales = [None] if robust is None else [robust * factor for factor in _NARROWING]
    for turn, scale in enumerate(scales):
        stage = replace(stage, hearing=Hearing(robust=scale))
        state, _ = minimise_in_chunks(problem, state, stage, lambda f, turn=turn: report((turn + f) / len(scales)))
    return state, stage


def _in_sequence(
    whole: Problem, state: PoseState, solved: np.ndarray, stage: Stage, rate: float, report: Callable[[float], None]
) -> tuple[PoseState, np.ndarray]:
    """The states as those of one person who moves: one shape, smoothed, short gaps bridged; and each frame's status."""
    problem = whole.take(solved)
    if stage.unknowns.betas:
        stage = replace(stage, unknowns=replace(stage.unknowns, betas=False))
        state, _ = minimise_in_chunks(problem, _one_shape(state), stage)
    return smoothed_with_gaps(whole, state, solved, stage, Smoothing(rate, noise_of(problem, state)), report)


def _one_shape(state: PoseState) -> PoseState:
    """The states with the median betas of all frames in each."""
    shape = np.median(as_float64(state.betas), axis=0)
    return state.changed(betas=as_kind(np.broadcast_to(shape, state.betas.shape).copy(), state.betas))


def fit_joints(
    body: BodyModel,
    prior: Prior,
    names: Sequence[str],
    positions: np.ndarray,
    weights: np.ndarray | None = None,
    start: Solution | None = None,
    shape: bool = False,
    report: Callable[[float], None] = lambda fraction: None,
) -> Solution:
    """Solve poses whose joints are at given positions: `solve` for `JointTargets` alone.

    Args:
        body: the body; its rest joints are those of zero betas.
        prior: makes what is not seen plausible.
        names: P joint names of `skeleton.JOINTS`.
        positions: (F, P, 3) metres in any world frame, NaN where unseen.
        weights: (P,) or (F, P), 1 by default.
        start: an earlier solution of F frames, or of one frame, to start from.
        shape: solve for betas too, frame by frame.
        report: called with the fraction done.

    Raises:
        TargetError: unknown joints, wrong shapes, or no joint seen in any frame.
    """
    return solve(body, prior, [JointTargets(names, positions, weights)], Unknowns(betas=shape), start, report=report)


def _residuals(body: BodyModel, bones: Bones, targets: Sequence[Target]) -> tuple[Residual, ...]:
    if not targets:
        raise TargetError("no targets; expected at least one")
    residuals = tuple(target.on(body, bones) for target in targets)
    for residual in residuals:
        _check_positive(sigma=residual.sigma)
    counts = [r.confidence.shape[0] for r in residuals]
    if len(set(counts)) > 1:
        raise TargetError(f"the targets have {', '.join(map(str, counts))} frames; expected the same number for all")
    if not any((r.confidence > 0).any() for r in residuals):
        raise TargetError("no target is seen in any frame; expected at least one finite one of positive weight")
    if not all(r.confidence.shape[1] for r in residuals):
        raise TargetError("a target has no points; expected at least one, or to be left out")
    return residuals


def _check_kinds(body: BodyModel, targets: Sequence[Target], unknowns: Unknowns | None, start: Solution | None) -> None:
    if not isinstance(targets, Sequence):
        raise TargetError(f"targets are a {type(targets).__name__}; expected a list, of JointTargets or other kinds")
    given = [("body", body, BodyModel), *(("a target", target, Target) for target in targets)]
    given += [("unknowns", unknowns or Unknowns(), Unknowns)] + ([] if start is None else [("start", start, Solution)])
    for what, value, kind in given:
        if not isinstance(value, kind):
            raise TargetError(f"{what} is a {type(value).__name__}; expected a {kind.__name__}")


def _check_settings(unknowns: Unknowns, robust: float | None, rate: float | None, like: Array | None) -> None:
    _check_positive(robust=robust, rate=rate)
    kind = getattr(like, "dtype", type(like).__name__)
    if like is not None and not (is_array_api_obj(like) and namespace(like).isdtype(kind, "real floating")):
        raise TargetError(f"like is of {kind}; expected an array of floats")
    if rate is not None and not (unknowns.latent and unknowns.residual):
        raise TargetError("a sequence with latent or residual rotations locked; expected both free, or no rate")


def _check_positive(**values: float | None) -> None:
    for name, value in values.items():
        if value is not None and not (isinstance(value, int | float | np.number) and _LEAST < value < _MOST):
            raise TargetError(f"{name} is {value}; expected a positive number, {_LEAST:g} to {_MOST:g}")


def _fingers_at_rest(body: BodyModel, bones: Bones) -> np.ndarray | None:
    """Rotations (J - 22, 3, 3) of the joints beyond the body: relaxed hands, a straight face."""
    n = len(bones) - N_BODY
    if n == 0:
        return None
    if n < _HANDS:
        raise TargetError(f"{body.name} has no fingers to solve; expected a SMPL-H or SMPL-X body")
    w = np.zeros((n, 3))
    w[-_HANDS:] = relaxed_hands()
    return exp_so3(w)


def _seen_joints(body: BodyModel, targets: Sequence[Target], residuals: Sequence[Residual]) -> SeenJoints:
    n_frames = len(residuals[0].confidence)
    seen = SeenJoints(np.zeros((n_frames, N_BODY, 3)), np.zeros((n_frames, N_BODY), bool))
    for target, residual in zip(targets, residuals, strict=True):
        if not isinstance(target, JointTargets):
            continue
        for column, name in enumerate(target.names):
            if (joint := body.joint_names.index(name)) < N_BODY:
                rows = residual.confidence[:, column] > 0
                seen.positions[rows, joint] = residual.targets[rows, column]  # type: ignore[attr-defined]
                seen.known[rows, joint] = True
    return seen


def _given_start(start: Solution, solved: np.ndarray, n_frames: int, n_joints: int) -> PoseState:
    state = start.state
    if len(state) not in (1, n_frames) or state.R_local.shape[1] != n_joints:
        raise TargetError(
            f"the start has {len(state)} frames of {state.R_local.shape[1]} joints; "
            f"expected 1 or {n_frames} frames of {n_joints}"
        )
    state = state.take(solved if len(state) == n_frames else np.zeros(len(solved), np.int64))
    if not all((np.abs(a) < FARTHEST).all() for a in (state.R_local, state.trans, state.z, state.betas)):
        raise TargetError("the start is no pose: some of its numbers are not finite or far too large; solve without it")
    return state


def _missed(problem: Problem, state: PoseState) -> tuple[np.ndarray, ...]:
    pose = state.on(problem.bones)
    return tuple(
        np.where(as_float64(r.confidence) > 0, np.linalg.norm(as_float64(r.error(pose)), axis=-1), np.nan)
        for r in problem.residuals
    )
