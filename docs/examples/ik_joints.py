# SPDX-License-Identifier: Apache-2.0
"""Find the pose behind a few joints: `python -m docs.examples.prior_fit`."""

import numpy as np

from vendor_core.body import default_body
from vendor_core.ik import fit_joints
from vendor_core.prior import load_prior

prior, body = load_prior(), default_body()
names = ["pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle"]
columns = [body.joint_names.index(name) for name in names]

R = prior.decode(prior.sample(20, seed=3))
R_local = np.concatenate([np.broadcast_to(np.eye(3), (20, 1, 3, 3)), R], axis=1)
joints = body.pose(R_local).joints  # (20, 55, 3) metres

solution = fit_joints(body, prior, names, joints[:, columns])
print(1e3 * solution.residual.mean())  # millimetres, of the six joints
found = body.pose(solution.R_local, solution.trans).joints
print(1e3 * np.linalg.norm(found - joints, axis=-1)[:, :22].mean())  # of all 22: the prior fills in the others
