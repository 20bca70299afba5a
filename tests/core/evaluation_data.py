# SPDX-License-Identifier: Apache-2.0
"""A small `EvaluationData` made from the shipped prior's own poses: for tests that need no development data."""

from functools import cache

import numpy as np

from vendor_core.body import default_body
from vendor_core.evaluation.data import EvaluationData
from vendor_core.prior import interpolate_poses, load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import N_BODY
from vendor_core.training.data import PoseSet


@cache
def made_data() -> EvaluationData:
    """300 training poses, 40 others and two clips, of 61 and 20 frames, that turn about the vertical."""
    prior, body = load_prior(), default_body()
    rest = body.joints_template[:N_BODY] - body.joints_template[0]

    def poses(n: int, seed: int) -> PoseSet:
        turn = np.random.default_rng(seed).uniform(-np.pi, np.pi, (n, 1)) * [0.0, 1.0, 0.0]
        R = prior.decode(prior.sample(n, seed)).astype(np.float32)
        return PoseSet(exp_so3(turn).astype(np.float32), R, np.full(n, 1 / n), rest.astype(np.float32))

    R = interpolate_poses(prior, prior.decode(prior.sample(3, 5)), [30, 30])
    root = exp_so3(np.linspace(0, 1, len(R))[:, None] * [0.0, 2.0, 0.0])
    clip = np.concatenate([root[:, None], R], axis=1).astype(np.float32)
    return EvaluationData("val", poses(300, 1), poses(40, 2), (clip, clip[:20]), body)
