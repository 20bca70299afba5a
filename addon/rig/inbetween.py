# SPDX-License-Identifier: GPL-3.0-or-later
"""In-betweens of whole poses: the body along the prior's path, root, fingers and translation along the shortest way."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...vendor_core.prior import Prior, interpolate_poses
from ...vendor_core.rotations import exp_so3, log_so3
from ...vendor_core.skeleton import N_BODY
from .convert import Pose


@dataclass(frozen=True)
class Filled:
    """Key poses and the in-betweens between them, at n frames."""

    frames: np.ndarray  # (n,)
    is_key: np.ndarray  # (n,) false for in-betweens
    poses: Pose  # n frames


def fill(
    prior: Prior, at: np.ndarray, keys: Pose, path: str, timing: str, step: int, rest_joints: np.ndarray
) -> Filled:
    """Fill the frames between K keys; the keys are hit exactly.

    Args:
        prior: of the body's joints.
        at: (K,) ascending frames of the keys.
        keys: K frames.
        path: "latent" or "slerp".
        timing: "constant" or "linear".
        step: frames from one in-between to the next.
        rest_joints: (22, 3) metres, of the rig.
    """
    counts = np.maximum(np.diff(at).round().astype(int), 1)
    poses = _every_frame(prior, keys, counts, path, timing, rest_joints)
    of_keys = np.concatenate([[0], np.cumsum(counts)])
    chosen = np.unique(np.concatenate([of_keys, *(np.arange(a, b, step) for a, b in pairwise(of_keys))]))
    frames = np.interp(np.arange(of_keys[-1] + 1), of_keys, at)[chosen]
    return Filled(frames, np.isin(chosen, of_keys), Pose(poses.R_local[chosen], poses.trans[chosen]))


def _every_frame(prior: Prior, keys: Pose, counts: np.ndarray, path: str, timing: str, rest_joints: np.ndarray) -> Pose:
    """Poses of sum(counts) + 1 frames; segment i takes counts[i] steps."""
    body_keys = keys.R_local[:, 1:N_BODY]
    body = interpolate_poses(prior, body_keys, counts.tolist(), path, timing, rest_joints)  # type: ignore[arg-type]
    R, trans = [keys.R_local[:1]], [keys.trans[:1]]
    for k, count in enumerate(counts):
        t = np.linspace(0, 1, count + 1)[1:, None]
        start, end = keys.R_local[k], keys.R_local[k + 1]
        w = log_so3(np.swapaxes(start, -1, -2) @ end)
        R += [start @ exp_so3(t[:-1, :, None] * w), end[None]]
        trans.append(keys.trans[k] + t * (keys.trans[k + 1] - keys.trans[k]))
    filled = Pose(np.concatenate(R), np.concatenate(trans))
    filled.R_local[:, 1:N_BODY] = body
    return filled


def joined(poses: Sequence[Pose]) -> Pose:
    """The frames of several poses, one after the other."""
    return Pose(np.concatenate([p.R_local for p in poses]), np.concatenate([p.trans for p in poses]))
