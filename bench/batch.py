# SPDX-License-Identifier: Apache-2.0
"""Many poses at once on a GPU."""

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from vendor_core.body import BodyModel, default_body
from vendor_core.ik.initialiser import start_from_joints
from vendor_core.ik.points import joint_points
from vendor_core.ik.problem import Problem, Stage
from vendor_core.ik.residuals import Position
from vendor_core.ik.solver import minimise
from vendor_core.ik.state import PoseState
from vendor_core.ik.targets import POSITION_SIGMA
from vendor_core.prior import load_prior
from vendor_core.skeleton import N_BODY

from .metrics import joint_error
from .motion import random_poses
from .rows import Benchmark, Figure, Outcome, Settings, Unavailable

if TYPE_CHECKING:
    import torch

_POSES, _ROUNDS = 4096, 5
_STAGE = Stage(damping=1e-3, tolerance=0.1)  # as `ik.solve` from all joints


def _batch(settings: Settings) -> list[Outcome]:
    device = _cuda()
    body = default_body()
    _, joints = random_poses(settings, body, _POSES)
    seconds = []
    for _ in range(_ROUNDS + 1):
        began = perf_counter()
        state = solved_batch(body, joints, device)  # back in NumPy, so the device is done
        seconds.append(perf_counter() - began)
    reached = body.pose(state.R_local, state.trans).joints[:, :N_BODY]
    note = (
        f"{_POSES} poses of the {settings.split} split, from joints in NumPy to poses in NumPy, float32, best of "
        f"{_ROUNDS}; the first took {seconds[0]:.2f} s; joints {joint_error(reached, joints):.2f} mm from the targets"
    )
    return [Outcome(_POSES / min(seconds[1:]), note=note)]


def solved_batch(body: BodyModel, joints: np.ndarray, device: "torch.device") -> PoseState:
    """Poses (F), float64 NumPy, for joints (F, 22, 3) in metres, solved on a device."""
    import torch

    like, prior = torch.zeros(1, dtype=torch.float32, device=device), load_prior()
    points = joint_points(body, range(N_BODY))
    start = start_from_joints(prior, np.asarray(body.joints_template[:N_BODY]), joints)
    position = Position(np.ones(joints.shape[:2]), POSITION_SIGMA, points, joints)
    problem = Problem(points.bones, prior, (position,), anchor=start.z).like(like)
    # The engine's loop without synchronisation goes here once there is one; `minimise` waits for the GPU in each step.
    state, _ = minimise(problem, start.like(like), _STAGE)
    return state.like(np.zeros(1))


def _cuda() -> "torch.device":
    try:
        import torch
    except ImportError:
        raise Unavailable("torch is not installed") from None
    if not torch.cuda.is_available():
        raise Unavailable("no CUDA device here")
    return torch.device("cuda")


BENCHMARKS = (
    Benchmark(
        "batch",
        (Figure("22 joints, batches of 4,096 on CUDA", "frames/s", "higher", goal=50_000),),
        _batch,
        device="cuda",
    ),
)
