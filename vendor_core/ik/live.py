# SPDX-License-Identifier: Apache-2.0
"""Posing while an artist drags: everything that does not change is prepared once, each answer starts from the last.

The pose at the start of a drag is what the body returns to: its own deviation from the prior is kept (`KeptPose`), its
latent is the anchor. With the targets where the points already are nothing moves, and back there it is the start again.

Some drags lead past a point where the best pose changes at once, as when an ankle is pulled through the hip. The pose
that is shown follows the best one no faster than the targets' own motion warrants, over several events.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..body import BodyModel
from ..errors import TargetError
from ..linalg import one_blas_thread
from ..prior.base import Prior
from ..skeleton import N_BODY
from .checks import array_of
from .kept_pose import KeptPose
from .live_targets import FORWARD, HEAD, STILL, Asked, Ground, LiveKeypoints
from .points import place
from .prior_pull import slopes
from .problem import Problem, Stage
from .sequence import between
from .state import PoseState, Unknowns, joined
from .step import Stepper

_STEPS = 6  # at most in one event; the next event goes on from there
_ENOUGH, _AT_REST = 0.02, 1e-3  # shares of the cost: a step that would gain less is the last, while targets move or not
_LEAST = 0.01  # units of the cost: the same
_DAMPING = 1e-3
_FOLLOW, _CATCH_UP = 3.0, 0.01  # a joint moves at most so many times as far as any target, and metres more, an event


@dataclass(frozen=True)
class LivePose:
    """An answer to one event of a drag."""

    R_local: np.ndarray  # (22, 3, 3), the root's world orientation first
    trans: np.ndarray  # (3,) metres
    points: np.ndarray  # (P, 3) where the joints are, metres
    residual: np.ndarray  # (P,) metres from the target, NaN where there is none
    rotations: np.ndarray  # (P, 3, 3) world rotations of the joints
    angle: np.ndarray  # (P,) radians from the rotation asked for, NaN where there is none
    eyes: np.ndarray  # (3,) where the face looks from, metres
    gaze: np.ndarray  # (3,) where it looks, a unit vector
    gaze_angle: float  # radians from the place that it is to look at, NaN where there is none
    settled: bool  # False while the pose is still on its way: the same targets again bring it nearer to the best one


class LiveSolver:
    """Poses for targets that move, one event after another.

    Args:
        body: the body; its rest joints are those of zero betas.
        prior: makes what is not dragged follow plausibly.
        names: P joint names of `skeleton.JOINTS` that may have targets.
        R_local: (22, 3, 3) the pose at the start, the root's world orientation first.
        trans: (3,) metres.
        locked: joints that keep their rotation relative to the parent.
        ground: a floor that the feet do not sink below.
        translation: the pelvis may change its place.

    Raises:
        TargetError: unknown joints, or a start that is no pose.
    """

    def __init__(
        self, body: BodyModel, prior: Prior, names: Sequence[str], R_local: np.ndarray, trans: np.ndarray,
        locked: Sequence[str] = (), ground: Ground | None = None, translation: bool = True,
    ):  # fmt: skip
        R_local, trans = _checked_pose(R_local, trans)
        kept = KeptPose(prior, R_local[1:])
        self._keypoints = LiveKeypoints(body, names, ground)
        self._bones = self._keypoints.points.bones
        self._stage = Stage(Unknowns(locked=tuple(locked), translation=translation))
        self._stepper = Stepper(self._stage, self._bones, 0)
        self._problem = Problem(self._bones, kept, (), anchor=kept.z)
        start = PoseState(R_local[None], trans[None], kept.z, np.zeros((1, 0)))
        self._first = self._at = self._problem.evaluate(start, self._stage)
        self._shown = start, self._first.pose
        self._slopes = slopes(kept, kept.z, self._stage.weights.pull_weights)
        self._last: Asked | None = None
        self._dragged = np.zeros(len(names), bool)

    @one_blas_thread
    def solve(
        self, positions: np.ndarray, weights: np.ndarray | None = None, rotations: np.ndarray | None = None,
        gaze: np.ndarray | None = None,
    ) -> LivePose:  # fmt: skip
        """The pose for targets, from the last one.

        Args:
            positions: (P, 3) metres, NaN for a joint without a target.
            weights: (P,), 1 by default.
            rotations: (P, 3, 3) of the joints in the world, at rest all the identity; NaN where none is asked for.
            gaze: (3,) metres, a place that the face is to look at.

        Raises:
            TargetError: wrong shapes, or rotations that are none.
        """
        asked = self._keypoints.asked(positions, weights, rotations, gaze)
        way, farthest = asked.motion(self._last, self._shown[1])
        self._last, settled = asked, True
        if (way > STILL).any():
            self._dragged = way > STILL
        if asked.anything:
            held = self._keypoints.with_dragged(asked, self._dragged)
            there = self._descend(
                replace(self._problem, residuals=held.residuals), _ENOUGH if farthest > 0 else _AT_REST
            )
            settled = self._follow(_CATCH_UP + _FOLLOW * farthest) and there
        return self._answer(asked, settled)

    def _answer(self, asked: Asked, settled: bool) -> LivePose:
        (state, pose), joints = self._shown, self._keypoints.points.influences[:, 0]
        x, G = place(self._keypoints.points, pose)[0][0], pose.G[0]
        missed, angle, gaze_angle = asked.misses(pose)
        return LivePose(
            state.R_local[0].copy(), state.trans[0].copy(), x.copy(), missed, G[joints], angle,
            self._keypoints.eyes(pose).copy(), G[HEAD] @ FORWARD[0], gaze_angle, settled,
        )  # fmt: skip

    def _follow(self, allowed: float) -> bool:
        """Bring what is shown towards the answer, no joint by more than so many metres; whether it is there."""
        last, answer, share = self._shown, (self._at.state, self._at.pose), 1.0
        self._shown = answer
        while (far := float(np.linalg.norm(self._shown[1].p - last[1].p, axis=-1).max())) > allowed:
            share *= 0.95 * allowed / far
            ends = joined([last[0], answer[0]])
            state = between(ends, np.array([0, 1]), np.array([share])).orthonormal()
            self._shown = state, state.on(self._bones)
        return share == 1.0

    def _descend(self, problem: Problem, enough: float) -> bool:
        """A few steps from the last answer, or the start where that is nearer; as `solver.minimise` for one frame.

        Args:
            problem: what is asked for.
            enough: share of the cost, below which a step is not worth while.

        Returns:
            Whether nothing that matters is left to gain.
        """
        stage, damping = self._stage, np.full(1, _DAMPING)
        at = problem.costed(self._at.state, self._at.pose, self._at.D, stage)
        start = sum(r.cost(self._first.pose, stage.hearing) for r in problem.residuals)  # the prior asks nothing there
        if start < at.cost:
            at = replace(self._first, cost=start)
        model = problem.model(at, stage, self._slopes)
        gained = np.inf
        for _ in range(_STEPS):
            worth = max(enough * float(at.cost[0]), _LEAST)
            step = self._stepper(model, damping)
            if step.predicted < worth:
                gained = float(step.predicted[0])
                break
            new = problem.evaluate(at.state.moved(step.u, step.dz, at.pose), stage)
            gained = float((at.cost - new.cost)[0])
            damping = damping * (0.1 if gained > 0 else 10.0)
            if gained > 0:
                at = new
                if abs(float(step.predicted[0]) - gained) < worth:  # where the model is right, nothing is left to gain
                    break
                model = problem.model(at, stage, model.pull.slopes)
        self._at, self._slopes = replace(at, state=at.state.orthonormal()), model.pull.slopes
        return 0 <= gained < max(_AT_REST * float(self._at.cost[0]), _LEAST)

    def reset(self) -> None:
        """Return to the pose of the start, as when a drag is cancelled."""
        self._at = self._first
        self._shown, self._last = (self._first.state, self._first.pose), None
        self._dragged = np.zeros_like(self._dragged)


def _checked_pose(R_local: np.ndarray, trans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Copies of the pose (22, 3, 3) and the place (3,) that a drag starts from: the caller's arrays stay the caller's.

    Raises:
        TargetError: wrong shapes, or numbers that are no pose.
    """
    R, t = array_of(R_local, "the start's rotations"), array_of(trans, "the start's translation")
    if R.dtype.kind not in "fiu" or t.dtype.kind not in "fiu" or R.ndim != 3:
        raise TargetError(
            f"the start has rotations {R.shape} of {R.dtype} and a translation of {t.dtype}; "
            f"expected ({N_BODY}, 3, 3) and (3,) numbers"
        )
    R, t = R.astype(np.float64), t.astype(np.float64)
    if R.shape[1:] != (3, 3) or len(R) < N_BODY or t.shape != (3,):
        raise TargetError(
            f"the start has rotations {R.shape} and a translation {t.shape}; expected ({N_BODY}, 3, 3) and (3,)"
        )
    R = R[:N_BODY]
    turned = np.isfinite(R).all() and np.abs(R @ np.swapaxes(R, 1, 2) - np.eye(3)).max() < 1e-2
    if not (turned and np.isfinite(t).all()):
        raise TargetError("the start is no pose: expected rotation matrices and a finite translation")
    return R, t
