# SPDX-License-Identifier: Apache-2.0
"""Score a pose, find the joint that is out of place, and repair it."""

import numpy as np

from vendor_core.prior import load_plausibility, load_prior, repair
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import BODY_JOINTS

prior, plausibility = load_prior(), load_plausibility()
R = prior.decode(prior.sample(1, seed=2)[0])  # (21, 3, 3)
broken = R.copy()
broken[BODY_JOINTS.index("left_knee") - 1] = exp_so3(np.array([-0.7, 0.0, 0.0]))  # bent the wrong way
fixed = repair(prior, plausibility, broken)

for name, pose in (("as drawn", R), ("knee broken", broken), ("repaired", fixed)):
    joints = plausibility.joint_scores(pose)
    worst = int(joints.argmin())
    print(f"{name:12s} plausibility {plausibility.score(pose):.3f}, least {BODY_JOINTS[1 + worst]} {joints[worst]:.4f}")
