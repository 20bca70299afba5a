# SPDX-License-Identifier: Apache-2.0
"""Draw poses, see how plausible they are, vary one of them, and write a motion file."""

import numpy as np

from vendor_core.body import default_body
from vendor_core.motion import Motion, write_motion
from vendor_core.prior import load_plausibility, load_prior, variations
from vendor_core.rotations import log_so3
from vendor_core.skeleton import BODY_JOINTS, JOINT_GROUPS

prior, plausibility, body = load_prior(), load_plausibility(), default_body()

z = prior.sample(1000, seed=0)  # (1000, 32) latents
R = prior.decode(z)  # (1000, 21, 3, 3): each joint's rotation relative to its parent
scores = plausibility.score(R)  # of real poses, a share of 0.05 scores below 0.05
print(f"{len(R)} poses: median plausibility {np.median(scores):.2f}, {np.mean(scores < 0.05):.1%} below 0.05")
print(f"the first: log density {prior.log_density(z[0]):.1f} nats")
print(f"encoded anew: latents differ by {np.abs(prior.encode(R) - z).mean():.2f} on average")

legs = JOINT_GROUPS["left_leg"] + JOINT_GROUPS["right_leg"]
kept = np.array([name in legs for name in BODY_JOINTS[1:]])
near = variations(prior, plausibility, R[0], count=30, seed=1, amount=0.4, kept=kept)


def joints(R: np.ndarray) -> np.ndarray:
    """Places (N, 22, 3), metres, the pelvis unturned."""
    root = np.broadcast_to(np.eye(3), (len(R), 1, 3, 3))
    return body.pose(np.concatenate([root, R], axis=1)).joints[:, :22]


moved = 1e3 * np.linalg.norm(joints(near) - joints(R[:1]), axis=-1).mean(0)
for name in ("left_wrist", "head", "left_ankle"):
    print(f"variations move the {name} by {moved[BODY_JOINTS.index(name)]:.0f} mm on average")

poses = np.zeros((30, 55, 3))  # rotation vectors of SMPL-X's joints; Z is up in a motion file
poses[:, 0], poses[:, 1:22] = (np.pi / 2, 0, 0), log_so3(near)
write_motion("variations.npz", Motion(poses, np.zeros((30, 3)), rate=30.0))
