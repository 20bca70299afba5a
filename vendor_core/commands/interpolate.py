# SPDX-License-Identifier: Apache-2.0
"""From key to key through the prior."""

from argparse import Namespace
from typing import Any

import numpy as np

from ..motion import Motion, read_motion, write_motion
from ..prior import interpolate_poses, load_prior, segment_counts
from ..rotations import exp_so3, log_so3
from ..skeleton import JOINTS, N_BODY


def interpolate(options: Namespace) -> dict[str, Any]:
    """The frames between the keys, through the prior."""
    keys, prior = read_motion(options.keys), load_prior(options.prior)
    counts = segment_counts(len(keys), options.frames)
    R_keys = exp_so3(keys.poses)
    body_part = interpolate_poses(prior, R_keys[:, 1:N_BODY], counts, options.path, options.timing)
    rest = [joint for joint in range(len(JOINTS)) if not 1 <= joint < N_BODY]
    others, trans = _straight(R_keys[:, rest], keys.trans, counts)
    poses = np.zeros((options.frames, len(JOINTS), 3))
    poses[:, rest], poses[:, 1:N_BODY] = log_so3(others), log_so3(body_part)
    write_motion(options.out, Motion(poses, trans, keys.rate, keys.betas, keys.gender, keys.body_name))
    print(f"{options.out}: {options.frames} frames from {len(keys)} keys")
    return {"frames": options.frames, "keys": len(keys), "path": options.path, "timing": options.timing}


def _straight(R_keys: np.ndarray, trans: np.ndarray, counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """What the prior does not know: rotations turned evenly about one axis, positions along straight lines."""
    R, p = [R_keys[:1]], [trans[:1]]
    for i, count in enumerate(counts):
        t = np.linspace(0, 1, count + 1)[1:]
        w = log_so3(np.swapaxes(R_keys[i], -1, -2) @ R_keys[i + 1])
        R.append(R_keys[i] @ exp_so3(t[:, None, None] * w))
        p.append(trans[i] + t[:, None] * (trans[i + 1] - trans[i]))
    return np.concatenate(R), np.concatenate(p)
