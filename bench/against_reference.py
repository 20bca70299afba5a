# SPDX-License-Identifier: Apache-2.0
"""The solver against the reference engine, both on the reference's own objective: human_body_prior's.

`10 sum |p - target|^2 + 0.01 |z|^2 + 0.5 |betas|^2` of 22 joints, one pose at a time. The reference does as that
engine: LBFGS with strong Wolfe line search and autograd through the whole mesh, from the rest pose, in single
precision. The solver starts where it always does. Both are judged by the reference's objective in double precision.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from vendor_core.body import BodyModel, default_body
from vendor_core.ik.points import N_BETAS, joint_points
from vendor_core.ik.problem import Problem, Stage, Weights
from vendor_core.ik.residuals import Position
from vendor_core.ik.solver import minimise
from vendor_core.ik.starts import SeenJoints, first_states
from vendor_core.ik.state import PoseState, Unknowns
from vendor_core.linalg import one_blas_thread
from vendor_core.prior import load_prior
from vendor_core.prior.base import Prior
from vendor_core.skeleton import BODY_JOINTS, N_BODY

from .drags import DRAGGED, STEP
from .motion import random_poses
from .rows import Benchmark, Figure, Outcome, Settings, Unavailable

if TYPE_CHECKING:
    from torch import Tensor

_POSES = 10
_REPEATS = 5  # of the solver, between two runs of the reference
_POINTS = 10.0  # weight of the squared distances, 1/m^2
_STAGE = Stage(
    Unknowns(residual=False, betas=True), Weights(latent=0.01, betas=0.5), damping=1e-3, tolerance=1e-2
)  # fmt: skip


@dataclass(frozen=True)
class _Reference:
    """The reference engine on one pose."""

    body: BodyModel
    prior: Prior

    def solve(
        self, joints: np.ndarray, start: "Mapping[str, Tensor] | None" = None
    ) -> "tuple[Mapping[str, Tensor], float]":
        """Parameters for joints (1, 22, 3), and the seconds that it took."""
        import torch

        from vendor_core.ik import reference
        from vendor_core.ik.reference_objectives import USUAL_STAGE, PointsOnPrior

        objective = PointsOnPrior(self.body, self.prior, torch.as_tensor(joints, dtype=torch.float32))
        start = objective.rest_start() if start is None else start
        began = perf_counter()
        found = reference.minimise(objective, start, [USUAL_STAGE])
        return found.parameters, perf_counter() - began

    def cost(self, joints: np.ndarray, found: "Mapping[str, Tensor] | PoseState") -> float:
        """What the objective says of parameters, or of a state of the solver."""
        import torch

        from vendor_core.ik.reference_objectives import USUAL_WEIGHTS, PointsOnPrior

        objective = PointsOnPrior(self.body, self.prior, torch.as_tensor(joints))
        parameters = objective.parameters_of(found) if isinstance(found, PoseState) else found
        terms = objective({name: x.double() for name, x in parameters.items()}, torch.arange(len(joints)))
        return float(sum(weight * terms[name].sum() for name, weight in USUAL_WEIGHTS.items()))


@one_blas_thread
def _solve(body: BodyModel, prior: Prior, joints: np.ndarray, start: PoseState | None) -> PoseState:
    """The solver on the same objective, from an earlier state or from nothing."""
    points, seen = joint_points(body, range(N_BODY)), np.ones(joints.shape[:2])
    problem = Problem(points.bones, prior, (Position(seen, _POINTS**-0.5, points, joints),))
    if start is None:
        start, _ = first_states(problem, SeenJoints(joints, seen > 0))
        start = start.changed(betas=np.zeros((len(joints), N_BETAS)))
    return minimise(problem, start, _STAGE)[0]


def _timed(body: BodyModel, prior: Prior, joints: np.ndarray, start: PoseState | None) -> tuple[PoseState, float]:
    """What the solver found, and its median seconds."""
    times, found = [], None
    for _ in range(_REPEATS):
        began = perf_counter()
        found = _solve(body, prior, joints, start)
        times.append(perf_counter() - began)
    assert found is not None
    return found, float(np.median(times))


@dataclass
class _Race:
    """Both engines on the same poses."""

    reference: list[float] = field(default_factory=list)  # seconds
    solver: list[float] = field(default_factory=list)  # seconds
    cost: list[float] = field(default_factory=list)  # the solver's by the reference's

    def add(self, reference: float, solver: float, cost: float) -> None:
        self.reference.append(reference)
        self.solver.append(solver)
        self.cost.append(cost)

    def outcome(self, settings: Settings, start: str) -> Outcome:
        theirs, ours = np.median(self.reference), np.median(self.solver)
        note = (
            f"medians of {len(self.cost)} poses of the {settings.split} split, {start}: {1e3 * theirs:.0f} ms by "
            f"{1e3 * ours:.2f} ms; the solver's cost at most {max(self.cost):.4f} of the reference's"
        )
        return Outcome(float(theirs / ours), "as fast as the reference", 1.0, note)


def _against_reference(settings: Settings) -> list[Outcome]:
    try:
        import torch  # noqa: F401 - the reference needs it
    except ImportError:
        raise Unavailable("the reference engine needs torch") from None
    body, prior = default_body().first_betas(N_BETAS), load_prior()
    _, joints = random_poses(settings, body, _POSES)
    rng, reference = np.random.default_rng(5), _Reference(body, prior)
    reference.solve(joints[:1])
    cold, warm, both_warm = _Race(), _Race(), _Race()
    for i in range(_POSES):
        target = joints[i : i + 1]
        theirs, their_time = reference.solve(target)
        ours, our_time = _timed(body, prior, target, None)
        cold.add(their_time, our_time, reference.cost(target, ours) / reference.cost(target, theirs))
        target, way = target.copy(), rng.normal(size=3)
        target[:, BODY_JOINTS.index(DRAGGED[i % len(DRAGGED)])] += STEP * way / np.linalg.norm(way)
        ours, our_time = _timed(body, prior, target, ours)
        for race, start in ((warm, None), (both_warm, theirs)):
            again, their_time = reference.solve(target, start)
            race.add(their_time, our_time, reference.cost(target, ours) / reference.cost(target, again))
    return [
        cold.outcome(settings, "from nothing"),
        warm.outcome(settings, "an effector moved 1 cm, the solver from the pose before, the reference from rest"),
        both_warm.outcome(settings, "an effector moved 1 cm, both from the pose before"),
        Outcome(max(cold.cost + warm.cost + both_warm.cost), note="in the reference's objective"),
    ]


BENCHMARKS = (
    Benchmark(
        "reference",
        (
            Figure("the reference engine's time by the solver's, cold", "x", "higher", goal=300),
            Figure("the reference engine's time by the warm solver's", "x", "higher", goal=1000),
            Figure("the warm reference engine's time by the warm solver's", "x", "higher"),
            Figure("the solver's cost by the reference engine's, the worst pose", "x", "lower", goal=1),
        ),
        _against_reference,
    ),
)
