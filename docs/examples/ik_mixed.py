# SPDX-License-Identifier: Apache-2.0
"""Solve a second of motion from targets of several kinds: `python -m docs.examples.mixed_targets`."""

import numpy as np

from vendor_core.body import default_body
from vendor_core.ik import GroundTargets, JointTargets, LookTargets, OrientationTargets, solve
from vendor_core.prior import load_prior

body, prior = default_body(), load_prior()
n, t = 60, np.linspace(0, 1, 60)[:, None]
wrist = np.array([0.25, -0.45, 1.3]) * t + np.array([0.45, -0.2, 1.0]) * (1 - t)
hands = np.stack([wrist, wrist * [-1, 1, 1]], axis=1)  # (60, 2, 3) metres, Z up
hands[20:24, 1] = np.nan  # unseen for four frames
targets = [
    JointTargets(["left_wrist", "right_wrist"], hands, weights=np.array([1.0, 0.5])),
    JointTargets(["pelvis"], np.tile([0.0, 0.0, 0.95], (n, 1, 1)), sigma=0.02),
    OrientationTargets(["pelvis"], np.tile([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]], (n, 1, 1, 1))),
    LookTargets(["head"], np.tile([0.0, -2.0, 1.2], (n, 1, 1))),
    GroundTargets(["left_foot", "right_foot"], np.ones((n, 2)), height=0.02),
]
solution = solve(body, prior, targets, rate=60.0)
print(solution.R_local.shape, solution.trans.shape, np.bincount(solution.status))
for target, miss in zip(targets, solution.misses, strict=True):
    print(type(target).__name__, np.nanmean(miss))  # metres or radians
