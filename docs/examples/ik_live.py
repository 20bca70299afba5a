# SPDX-License-Identifier: Apache-2.0
"""Pose while something is dragged: the solver goes on from its last answer, event by event."""

import time

import numpy as np

from vendor_core.body import default_body
from vendor_core.ik import LiveSolver
from vendor_core.prior import load_prior

body, prior = default_body(), load_prior()
names = ["left_wrist", "right_wrist", "left_ankle", "right_ankle", "head", "pelvis"]
R_local = np.concatenate([np.eye(3)[None], prior.decode(prior.sample(1, seed=4))[0]])  # (22, 3, 3)
trans = np.zeros(3)
targets = body.pose(R_local, trans).joints[[body.joint_names.index(name) for name in names]]  # (6, 3)

solver = LiveSolver(body, prior, names, R_local, trans)
targets[[1, 4, 5]] = np.nan  # the right wrist, head and pelvis follow as they like
seconds = []
for event in range(1, 41):
    targets[0] += [0.0, 0.02, 0.0]  # the left wrist is dragged up, in the end farther than it can reach
    began = time.perf_counter()
    answer = solver.solve(targets)
    seconds.append(time.perf_counter() - began)
    if event % 10 == 0:
        wrist, feet = answer.residual[0], answer.residual[2:4].max()
        print(f"{2 * event} cm up: wrist off by {1e3 * wrist:.0f} mm, feet by {1e3 * feet:.0f} mm")
print(f"{1e3 * np.median(seconds):.1f} ms an event (median)")
solver.reset()  # as when a drag is cancelled
