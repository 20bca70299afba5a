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

from ..arrays import Array
from ..body import BodyModel
from ..errors import TargetError
from ..linalg import one_blas_thread
from ..prior.base import Prior
from ..skeleton import N_BODY
from .checks import array_of, checked_targets
from .points import joint_points, place
from .prior_pull import slopes
from .problem import Problem, Stage
from .residuals import Position
from .sequence import between
from .state import PoseState, Unknowns, joined
from .step import Stepper
from .targets import POSITION_SIGMA, joints_named

_STEPS = 6  # at most in one event; the next event goes on from there
_ENOUGH, _LEAST = 0.02, 0.01  # share of the cost, and units of it: a step that would gain less is the last
_DAMPING = 1e-3
_FOLLOW, _CATCH_UP = 3.0, 0.01  # a joint moves at most so many times as far as any target, and metres more, an event


class KeptPose:
    """A prior whose decoder, at the latent of a given pose, answers that very pose: deviations are carried along.

    Args:
        prior: the prior.
        R: (21, 3, 3) the pose.
    """

    def __init__(self, prior: Prior, R: np.ndarray):
        self._prior = prior
        self.name, self.latent_dim, self.rest_joints = prior.name, prior.latent_dim, prior.rest_joints
        self.z = np.clip(prior.encode(R[None]), -4, 4)  # (1, L)
        self._kept = np.swapaxes(prior.decode(self.z)[0], 1, 2) @ R  # (21, 3, 3)

    def decode(self, z: Array) -> Array:
        return self._prior.decode(z) @ self._kept

    def decode_with_jacobian(self, z: Array) -> tuple[Array, Array]:
        """As the prior's, in single precision: it shapes steps, and is what takes longest."""
        R, W = self._prior.decode_with_jacobian(z.astype(np.float32))
        return R @ self._kept, np.swapaxes(self._kept, 1, 2) @ W

    def encode(self, R: Array) -> Array:
        return self._prior.encode(R)

    def guess(self, joints: Array, seen: Array) -> tuple[Array, Array]:
        return self._prior.guess(joints, seen)

    def sample(self, n: int, seed: int) -> np.ndarray:
        return self._prior.sample(n, seed)

    def log_density(self, z: Array) -> Array:
        return self._prior.log_density(z)


@dataclass(frozen=True)
class LivePose:
    """An answer to one event of a drag."""

    R_local: np.ndarray  # (22, 3, 3), the root's world orientation first
    trans: np.ndarray  # (3,) metres
    points: np.ndarray  # (P, 3) where the joints are, metres
    residual: np.ndarray  # (P,) metres from the target, NaN where there is none
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

    Raises:
        TargetError: unknown joints, or a start that is no pose.
    """

    def __init__(
        self, body: BodyModel, prior: Prior, names: Sequence[str], R_local: np.ndarray, trans: np.ndarray,
        locked: Sequence[str] = (),
    ):  # fmt: skip
        R_local, trans = _checked_pose(R_local, trans)
        kept = KeptPose(prior, R_local[1:])
        points = joint_points(body, joints_named(body, names))
        n = len(points)
        self._stage = Stage(Unknowns(locked=tuple(locked)))
        self._stepper = Stepper(self._stage, points.bones, 0)
        self._position = Position(np.zeros((1, n)), POSITION_SIGMA, points, np.zeros((1, n, 3)))
        self._problem = Problem(points.bones, kept, (self._position,), anchor=kept.z)
        start = PoseState(R_local[None], trans[None], kept.z, np.zeros((1, 0)))
        self._first = self._at = self._problem.evaluate(start, self._stage)
        self._shown = start, self._first.pose
        self._first_points = place(points, self._first.pose)[0][0]
        self._points = self._first_points  # of the pose that is shown
        self._slopes = slopes(kept, kept.z, self._stage.weights.pull_weights)
        self._targets = np.full((n, 3), np.nan)  # of the last event

    @one_blas_thread
    def solve(self, positions: np.ndarray, weights: np.ndarray | None = None) -> LivePose:
        """The pose for targets, from the last one.

        Args:
            positions: (P, 3) metres, NaN for a joint without a target.
            weights: (P,), 1 by default.

        Raises:
            TargetError: wrong shapes.
        """
        targets, confidence = checked_targets(
            array_of(positions, "positions")[None], weights, len(self._position.points)
        )
        position = replace(self._position, targets=targets, confidence=confidence)
        allowed, settled = self._allowed(np.where(confidence[0, :, None] > 0, targets[0], np.nan)), True
        if confidence.any():
            self._descend(replace(self._problem, residuals=(position,)))
            settled = self._follow(allowed)
        state, pose = self._shown
        x = self._points = place(position.points, pose)[0][0]
        residual = np.where(confidence[0] > 0, np.linalg.norm(x - targets[0], axis=-1), np.nan)
        return LivePose(state.R_local[0].copy(), state.trans[0].copy(), x.copy(), residual, settled)

    def _allowed(self, targets: np.ndarray) -> float:
        """Metres that a joint may move now, for targets (P, 3), NaN where there are none."""
        from_where = np.where(np.isfinite(self._targets), self._targets, self._points)
        self._targets = targets
        moved = np.linalg.norm(targets - from_where, axis=-1)
        return _CATCH_UP + _FOLLOW * float(np.max(moved, initial=0.0, where=np.isfinite(moved)))

    def _follow(self, allowed: float) -> bool:
        """Bring what is shown towards the answer, no joint by more than so many metres; whether it is there."""
        last, answer, share = self._shown, (self._at.state, self._at.pose), 1.0
        self._shown = answer
        while (far := float(np.linalg.norm(self._shown[1].p - last[1].p, axis=-1).max())) > allowed:
            share *= 0.95 * allowed / far
            ends = joined([last[0], answer[0]])
            state = between(ends, np.array([0, 1]), np.array([share])).orthonormal()
            self._shown = state, state.on(self._problem.bones)
        return share == 1.0

    def _descend(self, problem: Problem) -> None:
        """A few steps from the last answer, or the start where that is nearer; as `solver.minimise` for one frame."""
        stage, damping = self._stage, np.full(1, _DAMPING)
        at = problem.costed(self._at.state, self._at.pose, self._at.D, stage)
        if self._cost_of_start(problem) < at.cost:
            at = problem.costed(self._first.state, self._first.pose, self._first.D, stage)
        model = problem.model(at, stage, self._slopes)
        for _ in range(_STEPS):
            step = self._stepper(model, damping)
            if step.predicted < _worth(at.cost):
                break
            new = problem.evaluate(at.state.moved(step.u, step.dz, at.pose), stage)
            gained = at.cost - new.cost
            damping = damping * (0.1 if gained > 0 else 10.0)
            if gained > 0:
                at = new
                if abs(step.predicted - gained) < _worth(at.cost):  # where the model is right, nothing is left to gain
                    break
                model = problem.model(at, stage, model.pull.slopes)
        self._at, self._slopes = replace(at, state=at.state.orthonormal()), model.pull.slopes

    def _cost_of_start(self, problem: Problem) -> float:
        """Of the pose at the start, which costs nothing but the distances of its points."""
        (position,) = problem.residuals
        assert isinstance(position, Position)
        apart = self._first_points - position.targets[0]
        return float(np.sum(position.confidence[0, :, None] * apart * apart)) / POSITION_SIGMA**2

    def reset(self) -> None:
        """Return to the pose of the start, as when a drag is cancelled."""
        self._at = self._first
        self._shown, self._points = (self._first.state, self._first.pose), self._first_points
        self._targets = np.full_like(self._targets, np.nan)


def _checked_pose(R_local: np.ndarray, trans: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Copies of the pose (22, 3, 3) and the place (3,) that a drag starts from: the caller's arrays stay the caller's.

    Raises:
        TargetError: wrong shapes, or numbers that are no pose.
    """
    R, t = np.array(R_local, dtype=np.float64), np.array(trans, dtype=np.float64)
    if R.shape[1:] != (3, 3) or len(R) < N_BODY or t.shape != (3,):
        raise TargetError(
            f"the start has rotations {R.shape} and a translation {t.shape}; expected ({N_BODY}, 3, 3) and (3,)"
        )
    R = R[:N_BODY]
    turned = np.isfinite(R).all() and np.abs(R @ np.swapaxes(R, 1, 2) - np.eye(3)).max() < 1e-2
    if not (turned and np.isfinite(t).all()):
        raise TargetError("the start is no pose: expected rotation matrices and a finite translation")
    return R, t


def _worth(cost: np.ndarray) -> float:
    """The least decrease of a cost (1,) that is worth a step."""
    return max(_ENOUGH * float(cost[0]), _LEAST)
