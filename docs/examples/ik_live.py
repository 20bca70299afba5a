# SPDX-License-Identifier: Apache-2.0
"""Drag a wrist: `python -m docs.examples.drag`."""

import numpy as np

from vendor_core.body import default_body
from vendor_core.ik import LiveSolver
from vendor_core.prior import load_prior

body, prior = default_body(), load_prior()
names = ["left_wrist", "right_wrist", "left_ankle", "right_ankle", "head", "pelvis"]
R_local = np.concatenate([np.eye(3)[None], prior.decode(prior.sample(1, seed=4))[0]])
trans = np.zeros(3)
solver = LiveSolver(body, prior, names, R_local, trans)
targets = body.pose(R_local[None], trans[None]).joints[0, [body.joint_names.index(name) for name in names]]
for _ in range(20):
    targets[0] += [0.0, 0.01, 0.0]  # the left wrist is dragged up
    answer = solver.solve(targets)
print(answer.R_local.shape, 1e3 * answer.residual)
solver.reset()
