# SPDX-License-Identifier: Apache-2.0
"""One pose from nothing: how long an artist waits for the first answer."""

from vendor_core.body import default_body
from vendor_core.ik import fit_joints
from vendor_core.prior import load_prior
from vendor_core.skeleton import BODY_JOINTS

from .motion import random_poses
from .rows import Benchmark, Figure, Outcome, Settings
from .timing import interleaved

_POSES = 64


def _one_pose(settings: Settings) -> list[Outcome]:
    body, prior = default_body(), load_prior()
    R_local, joints = random_poses(settings, body, _POSES)
    times = interleaved(
        {
            "solve": lambda i: fit_joints(body, prior, BODY_JOINTS, joints[i : i + 1]),
            "mesh": lambda i: body.pose(R_local[i : i + 1], vertices=True),
        },
        _POSES,
    )
    solve, mesh = times["solve"], times["mesh"]
    against = "posing the whole mesh once"
    note = f"{_POSES} poses of the {settings.split} split, caches warm; processor time {solve.cpu_p50:.2f} ms"
    return [Outcome(solve.p50, against, mesh.p50, note), Outcome(solve.p95, against, mesh.p95, note)]


BENCHMARKS = (
    Benchmark(
        "cold",
        (
            Figure("one pose from 22 joints, cold, p50", "ms", "lower", goal=4, goal_without_blas=16),
            Figure("one pose from 22 joints, cold, p95", "ms", "lower"),
        ),
        _one_pose,
        without_blas=True,
    ),
)
