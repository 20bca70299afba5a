# SPDX-License-Identifier: Apache-2.0
"""From key to key through the prior."""

from argparse import Namespace
from typing import Any

import numpy as np

from ..errors import MotionError
from ..motion import Motion, read_motion, write_motion
from ..prior import load_prior, segment_counts
from ..prior.interpolate import inbetweens
from ..rotations import exp_so3, log_so3
from ..skeleton import JOINTS, N_BODY


def interpolate(options: Namespace) -> dict[str, Any]:
    """The frames between the keys, through the prior."""
    keys, prior = read_motion(options.keys), load_prior(options.prior)
    if len(keys) < 2:
        raise MotionError(f"{options.keys} holds {len(keys)} frame; expected two or more, each of them a key")
    order = [*range(len(keys)), *([0] if options.loop else [])]
    counts = segment_counts(len(order), options.frames)
    R_keys, trans_keys = exp_so3(keys.poses[order]), keys.trans[order]
    body = inbetweens(prior, R_keys[:, 1:N_BODY], counts, options.path, options.timing)
    rest = [joint for joint in range(len(JOINTS)) if not 1 <= joint < N_BODY]
    others, trans = _straight(R_keys[:, rest], trans_keys, body.times)
    poses = np.zeros((options.frames, len(JOINTS), 3))
    poses[:, rest], poses[:, 1:N_BODY] = log_so3(others), log_so3(body.R)
    write_motion(options.out, Motion(poses, trans, keys.rate, keys.betas, keys.gender, keys.body_name))
    print(f"{options.out}: {options.frames} frames from {len(keys)} keys")
    shown = {name: getattr(options, name) for name in ("frames", "path", "timing", "loop")}
    return {**shown, "keys": len(keys)}


def _straight(R_keys: np.ndarray, p_keys: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the prior does not know: rotations turned about one axis, positions along lines, in time with the body."""
    i = np.minimum(times.astype(int), len(R_keys) - 2)
    t = times - i
    w = log_so3(np.swapaxes(R_keys[:-1], -1, -2) @ R_keys[1:])
    R = R_keys[i] @ exp_so3(t[:, None, None] * w[i])
    return R, p_keys[i] + t[:, None] * (p_keys[i + 1] - p_keys[i])
