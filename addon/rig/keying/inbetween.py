# SPDX-License-Identifier: GPL-3.0-or-later
"""In-betweens of whole poses: the body along the prior's path, root, fingers and translation along the shortest way."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import bpy
import numpy as np

from ....vendor_core.body.patches import default_support
from ....vendor_core.prior import Prior
from ....vendor_core.prior.interpolate import PathKind, Timing, inbetweens
from ....vendor_core.rotations import exp_so3, log_so3
from ....vendor_core.skeleton import N_BODY
from ..convert import Pose

_SAME = 1e-4  # of rotation matrices and positions: two key poses no further apart are one


@dataclass(frozen=True)
class Ground:
    """What "down" is for poses in an armature's own space."""

    up: np.ndarray  # (3,) unit
    scale: float  # metres an armature unit


@dataclass(frozen=True)
class Way:
    """How to get from key to key."""

    path: PathKind
    timing: Timing
    step: int  # frames from one in-between to the next
    rest_joints: np.ndarray  # (22, 3) metres, of the rig
    ground: Ground | None  # the body's lowest point is to go evenly from its height at one key to that at the next


@dataclass(frozen=True)
class Filled:
    """Key poses and the in-betweens between them, at n frames."""

    frames: np.ndarray  # (n,)
    is_key: np.ndarray  # (n,) false for in-betweens
    poses: Pose  # n frames


def ground_of(obj: bpy.types.Object, scale: float) -> Ground:
    """Of an armature object as it stands now."""
    up = np.array(obj.matrix_world.to_3x3(), dtype=np.float64)[2]
    return Ground(up / np.linalg.norm(up), scale)


def fill(prior: Prior, at: np.ndarray, keys: Pose, way: Way) -> Filled:
    """Fill the frames between K keys; the keys are hit exactly.

    Args:
        prior: of the body's joints.
        at: (K,) ascending frames of the keys.
        keys: K frames.
        way: from key to key.
    """
    counts = np.maximum(np.diff(at).round().astype(int), 1)
    poses = _every_frame(prior, keys, counts, way)
    of_keys = np.concatenate([[0], np.cumsum(counts)])
    chosen = np.unique(np.concatenate([of_keys, *(np.arange(a, b, way.step) for a, b in pairwise(of_keys))]))
    frames = np.interp(np.arange(of_keys[-1] + 1), of_keys, at)[chosen]
    return Filled(frames, np.isin(chosen, of_keys), Pose(poses.R_local[chosen], poses.trans[chosen]))


def _every_frame(prior: Prior, keys: Pose, counts: np.ndarray, way: Way) -> Pose:
    """Poses of sum(counts) + 1 frames; segment i takes counts[i] steps. What is not the body's goes in time with it."""
    body_keys = keys.R_local[:, 1:N_BODY]
    body = inbetweens(prior, body_keys, counts.tolist(), way.path, way.timing, way.rest_joints)
    i = np.minimum(body.times.astype(int), len(counts) - 1)
    t = (body.times - i)[:, None]
    w = log_so3(np.swapaxes(keys.R_local[:-1], -1, -2) @ keys.R_local[1:])
    R = keys.R_local[i] @ exp_so3(t[..., None] * w[i])
    R[:, 1:N_BODY] = body.R
    poses = Pose(R, keys.trans[i] + t * (keys.trans[i + 1] - keys.trans[i]))
    if way.ground is None:
        return poses
    at = np.concatenate([[0], np.cumsum(counts)])
    heights = lowest(poses, way.rest_joints, way.ground)
    rise = heights[at][i] + t[:, 0] * np.diff(heights[at])[i] - heights
    rise[1:-1] = (rise[:-2] + 2 * rise[1:-1] + rise[2:]) / 4  # where the weight goes to the other foot there is a kink
    rise[at] = 0
    return Pose(poses.R_local, poses.trans + rise[:, None] / way.ground.scale * way.ground.up)


def lowest(poses: Pose, rest_joints: np.ndarray, ground: Ground) -> np.ndarray:
    """Heights (F,) of the lowest point of the body, metres from where a pelvis at rest would be.

    Args:
        poses: F frames, in the armature's own space.
        rest_joints: (22, 3) metres, of the rig.
        ground: which way is down.
    """
    points = default_support().points(poses.R_local[:, 1:N_BODY], rest_joints) - rest_joints[0]  # (P, F, 3)
    down = np.swapaxes(poses.R_local[:, 0], -1, -2) @ ground.up  # as the pelvis sees it
    return np.einsum("pfk,fk->pf", points, down).min(axis=0) + ground.scale * poses.trans @ ground.up


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
