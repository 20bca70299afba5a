# SPDX-License-Identifier: Apache-2.0
"""Many poses at once on a GPU."""

from time import perf_counter

import numpy as np

from vendor_core.arrays import Array
from vendor_core.body import BodyModel, default_body
from vendor_core.devices import chosen_device
from vendor_core.errors import PoiseError
from vendor_core.evaluation.metrics import joint_error
from vendor_core.ik import JointTargets, Solution, solve
from vendor_core.prior import load_prior
from vendor_core.skeleton import BODY_JOINTS, N_BODY

from .motion import random_poses
from .rows import Benchmark, Figure, Outcome, Settings, Unavailable

_POSES, _ROUNDS = 4096, 5


def _batch(settings: Settings) -> list[Outcome]:
    try:
        like = chosen_device("cuda").like
    except PoiseError as why:
        raise Unavailable(str(why)) from None
    body, seconds = default_body(), []
    _, joints = random_poses(settings, body, _POSES)
    for _ in range(_ROUNDS + 1):
        began = perf_counter()
        found = solved_batch(body, joints, like)  # back in NumPy, so the device is done
        seconds.append(perf_counter() - began)
    reached = body.pose(found.R_local, found.trans).joints[:, :N_BODY]
    note = (
        f"{_POSES} poses of the {settings.split} split, from joints in NumPy to poses in NumPy, float32, best of "
        f"{_ROUNDS}; the first took {seconds[0]:.2f} s; joints {joint_error(reached, joints):.2f} mm from the targets"
    )
    return [Outcome(_POSES / min(seconds[1:]), note=note)]


def solved_batch(body: BodyModel, joints: np.ndarray, like: Array) -> Solution:
    """Poses for joints (F, 22, 3) in metres, computed in the kind, dtype and device of an array."""
    return solve(body, load_prior(), [JointTargets(BODY_JOINTS, joints)], like=like)


BENCHMARKS = (
    Benchmark(
        "batch",
        (Figure("22 joints, batches of 4,096 on CUDA", "frames/s", "higher", goal=50_000),),
        _batch,
        device="cuda",
    ),
)
