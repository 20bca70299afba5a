# SPDX-License-Identifier: Apache-2.0
"""What an artist feels while dragging: how fast the pose follows, and whether anything jumps."""

from collections.abc import Sequence

import numpy as np

from vendor_core.body import BodyModel, default_body
from vendor_core.ik import LivePose, LiveSolver, fit_joints
from vendor_core.prior import load_prior
from vendor_core.skeleton import N_BODY

from .drags import EFFECTORS, STEP, Drag, drags
from .rows import Benchmark, Figure, Outcome, Settings
from .timing import interleaved

_DRAGS, _STEPS = 40, 40
_REACHED = 0.005  # metres: a target that a solve from nothing comes nearer to than this is within reach


def _dragging(settings: Settings) -> list[Outcome]:
    body = default_body()
    made = drags(settings, body, _DRAGS, _STEPS)
    near = within_reach(body, made)
    within, beyond = (_Hands(body, [drag for drag, is_near in zip(made, near, strict=True) if is_near == wanted])
                      for wanted in (True, False))  # fmt: skip
    R_local = np.stack([solver.solve(drag.targets[0]).R_local for solver, drag in within.pairs])
    times = interleaved(
        {"event": within.event, "mesh": lambda i: body.pose(R_local[i % len(R_local), None], vertices=True)},
        len(within.pairs) * (_STEPS + 1),
    )
    event, mesh = times["event"], times["mesh"]
    note = (
        f"{len(within.pairs)} of {_DRAGS} drags of {_STEPS} steps from poses of the {settings.split} split: those "
        f"whose targets a cold solve reaches within {1e3 * _REACHED:g} mm; processor time {event.cpu_p50:.2f} ms"
    )
    jumps, far_jumps = within.largest_steps(), beyond.largest_steps()
    miss = 1e3 * within.misses()
    against = "posing the whole mesh once"
    return [
        Outcome(event.p50, against, mesh.p50, note),
        Outcome(event.p95, against, mesh.p95, note),
        Outcome(float(jumps.max()), note=f"{note}; p95 of all steps {np.percentile(jumps, 95):.1f} mm"),
        Outcome(
            float(far_jumps.max()),
            note=f"the other {len(beyond.pairs)} drags, p95 of all steps {np.percentile(far_jumps, 95):.1f} mm",
        ),
        Outcome(float(miss.mean()), note=f"{note}; p95 {np.percentile(miss, 95):.2f} mm, worst {miss.max():.1f} mm"),
    ]


def within_reach(body: BodyModel, made: Sequence[Drag]) -> np.ndarray:
    """(n,) whether all six targets can be reached all along each drag."""
    targets = np.concatenate([drag.targets for drag in made])
    miss = fit_joints(body, load_prior(), EFFECTORS, targets).residual.max(1)
    return miss.reshape(len(made), -1).max(1) < _REACHED


class _Hands:
    """Drags at work: one live solver each, at the pose that it starts from."""

    def __init__(self, body: BodyModel, chosen: Sequence[Drag]):
        self.body = body
        self.pairs = [
            (LiveSolver(body, load_prior(), EFFECTORS, drag.R_local, drag.trans), drag) for drag in chosen
        ]  # fmt: skip

    def event(self, i: int) -> LivePose:
        """Event i of all drags one after another; the first of a drag returns to its start."""
        number, step = divmod(i, _STEPS + 1)
        solver, drag = self.pairs[number]
        if step == 0:
            solver.reset()
        return solver.solve(drag.targets[step])

    def largest_steps(self) -> np.ndarray:
        """(drags * steps,) mm that the joint that moves most moves in an event, by 10 mm of the hand."""
        found = [np.zeros(1)]  # there may be no drag
        for solver, drag in self.pairs:
            solver.reset()
            poses = [solver.solve(targets) for targets in drag.targets]
            R_local, trans = np.stack([p.R_local for p in poses]), np.stack([p.trans for p in poses])
            joints = self.body.pose(R_local, trans).joints[:, :N_BODY]
            found.append(np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(1) * 1e3 * 0.01 / STEP)
        return np.concatenate(found)

    def misses(self) -> np.ndarray:
        """(drags * (steps + 1),) metres of the effector that misses its target most."""
        return np.array([self.event(i).residual.max() for i in range(len(self.pairs) * (_STEPS + 1))])


BENCHMARKS = (
    Benchmark(
        "live",
        (
            Figure("live, 5 effectors and pelvis, 1 cm drag, p50", "ms", "lower", goal=1, goal_without_blas=4),
            Figure("live, 5 effectors and pelvis, 1 cm drag, p95", "ms", "lower", goal=2),
            Figure("live, the largest step of a joint by 10 mm of drag", "mm", "lower"),
            Figure("live, the same where the drag leaves the body's reach", "mm", "lower"),
            Figure("live, the effector that misses its target most, mean", "mm", "lower"),
        ),
        _dragging,
        without_blas=True,
    ),
)
