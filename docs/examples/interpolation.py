# SPDX-License-Identifier: Apache-2.0
"""From pose to pose: three kinds of paths compared, and a loop through four keys as a motion file."""

from typing import get_args

import numpy as np

from vendor_core.body import default_body
from vendor_core.motion import Motion, write_motion
from vendor_core.prior import interpolate_poses, load_plausibility, load_prior, segment_counts
from vendor_core.prior.interpolate import PathKind
from vendor_core.rotations import log_so3

prior, plausibility, body = load_prior(), load_plausibility(), default_body()
keys = prior.decode(prior.sample(5, seed=15)[1:])  # (4, 21, 3, 3)


def skin(R: np.ndarray) -> np.ndarray:
    """Vertices (N, V, 3), metres."""
    root = np.broadcast_to(np.eye(3), (len(R), 1, 3, 3))
    return body.pose(np.concatenate([root, R], axis=1), vertices=True).vertices


for path in get_args(PathKind):
    way = interpolate_poses(prior, keys[:2], [30], path, timing="linear")  # 31 poses; "constant" speed is the default
    assert np.allclose(way[[0, -1]], keys[:2])  # keys are hit exactly
    v = skin(way)
    steps = np.linalg.norm(np.diff(v, axis=0), axis=-1).mean(1)  # (30,) metres
    straight = np.linalg.norm(v[-1] - v[0], axis=-1).mean()
    print(
        f"{path:9} longest step by shortest {steps.max() / steps.min():.2f}, path by distance "
        f"{steps.sum() / straight:.2f}, least plausibility {plausibility.score(way).min():.3f}"
    )

loop = keys[[0, 1, 2, 3, 0]]
way = interpolate_poses(prior, loop, segment_counts(5, 121), timing="ease")
poses = np.zeros((121, 55, 3))
poses[:, 0], poses[:, 1:22] = (np.pi / 2, 0, 0), log_so3(way)
write_motion("loop.npz", Motion(poses, np.zeros((121, 3)), rate=30.0))
print(f"{len(way)} frames that return to the first: {np.abs(way[0] - way[-1]).max():.0e}")
