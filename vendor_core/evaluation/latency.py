# SPDX-License-Identifier: Apache-2.0
"""How long a prior keeps whoever waits for it: one pose, a row of poses, one solve from scratch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..ik import JointTargets, solve
from ..linalg import one_blas_thread
from ..prior.base import Prior
from ..skeleton import BODY_JOINTS
from .data import SEED, EvaluationData
from .inverse import EFFECTORS, whole_poses
from .timing import Stopwatch, milliseconds, without_collection

_MANY = 250  # poses of a row
_WARM_UP = 3


@dataclass(frozen=True)
class LatencySizes:
    """How often each call is made."""

    decodes: int = 500
    rows: int = 100
    solves: int = 100


@one_blas_thread
def latency(prior: Prior, data: EvaluationData, sizes: LatencySizes = LatencySizes()) -> dict[str, dict[str, float]]:
    """Milliseconds of calls in NumPy, single precision where the prior is called alone.

    Returns:
        `ms_p50` and `ms_p95` of `decode_1`, `decode_250` and `solve` (six effectors, from scratch).
    """
    z = prior.sample(max(_MANY, sizes.decodes), SEED).astype(np.float32)
    poses = whole_poses(data, sizes.solves)
    columns = [BODY_JOINTS.index(name) for name in EFFECTORS]
    effectors = [JointTargets(EFFECTORS, joints[None, columns]) for joints in poses.joints]
    return {
        "decode_1": _timed(lambda i: prior.decode(z[i : i + 1]), sizes.decodes),
        f"decode_{_MANY}": _timed(lambda _: prior.decode(z[:_MANY]), sizes.rows),
        "solve": _timed(lambda i: solve(data.body, prior, [effectors[i]]), len(effectors)),
    }


def _timed(call: Callable[[int], object], times: int) -> dict[str, float]:
    watch = Stopwatch()
    for i in range(_WARM_UP):
        call(i % times)
    with without_collection():
        for i in range(times):
            with watch:
                call(i)
    return milliseconds(watch.seconds)
