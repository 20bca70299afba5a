# SPDX-License-Identifier: Apache-2.0
"""A second of motion from targets of several kinds at once: joints, an orientation, a gaze and the ground."""

import numpy as np

from vendor_core.body import default_body
from vendor_core.ik import GroundTargets, JointTargets, LookTargets, OrientationTargets, solve
from vendor_core.prior import load_prior
from vendor_core.rotations import Y_UP_TO_Z_UP

body, prior = default_body(), load_prior()
n, t = 60, np.linspace(0, 1, 60)[:, None]
wrist = np.array([0.25, -0.45, 1.3]) * t + np.array([0.45, -0.2, 1.0]) * (1 - t)
hands = np.stack([wrist, wrist * [-1, 1, 1]], axis=1)  # (60, 2, 3) metres, Z up
hands[20:24, 1] = np.nan  # unseen for four frames
targets = {
    "hands, mm": JointTargets(["left_wrist", "right_wrist"], hands, weights=np.array([1.0, 0.5])),
    "pelvis, mm": JointTargets(["pelvis"], np.tile([0.0, 0.0, 0.95], (n, 1, 1)), sigma=0.02),  # nearly there will do
    "hips' turn, degrees": OrientationTargets(["pelvis"], np.tile(Y_UP_TO_Z_UP, (n, 1, 1, 1))),
    "gaze, degrees": LookTargets(["head"], np.tile([0.0, -2.0, 1.2], (n, 1, 1))),
    "feet to floor, mm": GroundTargets(["left_foot", "right_foot"], np.ones((n, 2)), height=0.02),
}
solution = solve(body, prior, list(targets.values()), rate=60.0)  # frames of one motion; without a rate on their own
print(f"{len(solution.R_local)} frames of {solution.R_local.shape[1]} joints")
for (name, _), miss in zip(targets.items(), solution.misses, strict=True):
    print(f"{name:20} off by {np.nanmean(miss) * (180 / np.pi if 'degrees' in name else 1e3):.2f}")
