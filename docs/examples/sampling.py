# SPDX-License-Identifier: Apache-2.0
"""Draw poses, go halfway between two, and write them: `python -m docs.examples.prior_sample [OUT.npz]`."""

import sys

import numpy as np

from vendor_core.body import default_body
from vendor_core.motion.amass import Motion, write_motion
from vendor_core.prior import interpolate_poses, load_prior
from vendor_core.rotations import exp_so3, log_so3

prior, body = load_prior(), default_body()

z = prior.sample(5, seed=0)  # (5, 32) latents
R = prior.decode(z)  # (5, 21, 3, 3): each joint's rotation relative to its parent
print(prior.log_density(z))  # nats
print(np.abs(prior.encode(R) - z).max())  # back to the latents, nearly

way = interpolate_poses(prior, R[:2], counts=[30])  # 31 poses, the first two samples at its ends
between = way[15]

root = exp_so3(np.array([np.pi / 2, 0, 0]))  # upright in a Z up world
R_local = np.concatenate([root[None], between])
print(body.pose(R_local[None], np.zeros((1, 3)), vertices=True).vertices.shape)

if len(sys.argv) > 1:
    poses = np.zeros((31, 55, 3))
    poses[:, 0], poses[:, 1:22] = log_so3(root), log_so3(way)
    write_motion(sys.argv[1], Motion(poses=poses, trans=np.zeros((31, 3)), rate=30.0))
