# SPDX-License-Identifier: Apache-2.0
"""The poses behind 3D joints: all of them, noisy ones, six of them, or all but an arm."""

import numpy as np

from vendor_core.body import default_body
from vendor_core.evaluation import joint_error
from vendor_core.ik import JointTargets, fit_joints, solve
from vendor_core.prior import load_prior
from vendor_core.skeleton import BODY_JOINTS, JOINT_GROUPS

prior, body, rng = load_prior(), default_body(), np.random.default_rng(0)
root = np.broadcast_to(np.eye(3), (50, 1, 3, 3))
R_local = np.concatenate([root, prior.decode(prior.sample(50, seed=3))], axis=1)
truth = body.pose(R_local).joints[:, :22]  # (50, 22, 3) metres


def told(what: str, R_local: np.ndarray, trans: np.ndarray) -> None:
    found = body.pose(R_local, trans).joints[:, :22]
    print(f"{what:36} all 22 joints off by {joint_error(found, truth):5.1f} mm on average")


all_seen = fit_joints(body, prior, BODY_JOINTS, truth)
told("22 joints", all_seen.R_local, all_seen.trans)

noisy = truth + rng.normal(scale=0.02, size=truth.shape)  # metres
found = solve(body, prior, [JointTargets(BODY_JOINTS, noisy, sigma=0.02)])  # how far to believe them, beside the prior
told(f"22 joints, themselves {joint_error(noisy, truth):.0f} mm off", found.R_local, found.trans)

six = ["pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle"]
found = fit_joints(body, prior, six, truth[:, [BODY_JOINTS.index(name) for name in six]])
told("six joints", found.R_local, found.trans)

hidden = truth.copy()
hidden[:, [BODY_JOINTS.index(name) for name in JOINT_GROUPS["left_arm"]]] = np.nan  # unseen
found = fit_joints(body, prior, BODY_JOINTS, hidden)
told("left arm unseen", found.R_local, found.trans)
