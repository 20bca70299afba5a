# SPDX-License-Identifier: GPL-3.0-or-later
"""In-betweens of whole poses: the body along the prior's path, root, fingers and translation along the shortest way."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...vendor_core.prior import Prior
from ...vendor_core.prior.interpolate import inbetweens
from ...vendor_core.rotations import exp_so3, log_so3
from ...vendor_core.skeleton import N_BODY
from .convert import Pose

_SAME = 1e-4  # of rotation matrices and positions: two key poses no further apart are one


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
        path: "latent", "geodesic" or "slerp".
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
    """Poses of sum(counts) + 1 frames; segment i takes counts[i] steps. What is not the body's goes in time with it."""
    body_keys = keys.R_local[:, 1:N_BODY]
    body = inbetweens(prior, body_keys, counts.tolist(), path, timing, rest_joints)  # type: ignore[arg-type]
    i = np.minimum(body.times.astype(int), len(counts) - 1)
    t = (body.times - i)[:, None]
    w = log_so3(np.swapaxes(keys.R_local[:-1], -1, -2) @ keys.R_local[1:])
    R = keys.R_local[i] @ exp_so3(t[..., None] * w[i])
    R[:, 1:N_BODY] = body.R
    return Pose(R, keys.trans[i] + t * (keys.trans[i + 1] - keys.trans[i]))


def closed(at: np.ndarray, keys: Pose, spacing: float) -> tuple[np.ndarray, Pose]:
    """Frames (K,) and key poses with the first pose once more at the end, that many frames after the last key; as they
    are where the last key is the first pose already.
    """
    ends = ((x[0], x[-1]) for x in (keys.R_local, keys.trans))
    if all(np.allclose(first, last, atol=_SAME) for first, last in ends):
        return at, keys
    first = Pose(keys.R_local[:1], keys.trans[:1])
    return np.append(at, at[-1] + spacing), joined([keys, first])


def joined(poses: Sequence[Pose]) -> Pose:
    """The frames of several poses, one after the other."""
    return Pose(np.concatenate([p.R_local for p in poses]), np.concatenate([p.trans for p in poses]))
