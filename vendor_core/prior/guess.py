# SPDX-License-Identifier: Apache-2.0
"""What the learned initialiser sees: joints in their own frame, so that world position and heading do not matter."""

import numpy as np

from ..arrays import Array, as_kind, namespace
from ..linalg import matvec
from ..skeleton import BODY_JOINTS, BODY_PARENTS, N_BODY, mirrored_name

_LEFT = [j for j, name in enumerate(BODY_JOINTS) if name.startswith("left_")]
_RIGHT = [BODY_JOINTS.index(mirrored_name(BODY_JOINTS[j])) for j in _LEFT]
_HIPS = [BODY_JOINTS.index(f"{side}_hip") for side in ("left", "right")]
_SHOULDERS = [BODY_JOINTS.index(f"{side}_shoulder") for side in ("left", "right")]
_SMALL = 1e-4  # metres

N_FEATURES = 4 * N_BODY + 1


def own_frame(joints: Array, seen: Array) -> tuple[Array, Array, Array]:
    """A frame that moves with the joints: of the torso where hips and shoulders are seen, of the heading elsewhere.

    Args:
        joints: (..., 22, 3) in metres, Y up; what is unseen may be anything but NaN.
        seen: (..., 22) bool.

    Returns:
        R_world_frame (..., 3, 3), its centre (..., 3) in the world: the pelvis, else the mean of what is seen; and a
        flag (...) that is true where the torso was seen, so that no direction of the world entered the frame.
    """
    xp = namespace(joints)
    mask = xp.astype(seen, joints.dtype)[..., None]
    mean = xp.sum(joints * mask, axis=-2) / xp.clip(xp.sum(mask, axis=-2), 1, None)
    centre = xp.where(seen[..., 0, None], joints[..., 0, :], mean)
    hips, shoulders = joints[..., _HIPS, :], joints[..., _SHOULDERS, :]
    torso = xp.all(seen[..., _HIPS + _SHOULDERS], axis=-1)
    upright = xp.broadcast_to(as_kind([0.0, 1.0, 0.0], joints), tuple(centre.shape))
    y = _unit(xp.where(torso[..., None], xp.sum(shoulders - hips, axis=-2), upright), upright)
    both = mask[..., _LEFT, :] * mask[..., _RIGHT, :]
    across = xp.sum((joints[..., _LEFT, :] - joints[..., _RIGHT, :]) * both, axis=-2)
    across = xp.where(
        torso[..., None], hips[..., 0, :] - hips[..., 1, :] + shoulders[..., 0, :] - shoulders[..., 1, :], across
    )
    x = _unit(_across(across, y), _unit(_across(as_kind([1.0, 0.0, 0.5], joints), y), upright))
    return xp.stack([x, y, xp.linalg.cross(x, y)], axis=-1), centre, torso


def features(joints: Array, seen: Array, R_frame: Array, centre: Array, torso: Array) -> Array:
    """Numbers (..., 89) for the network: joints in their own frame, zero where unseen, and what is seen."""
    xp = namespace(joints)
    mask = xp.astype(seen, joints.dtype)
    local = matvec(xp.matrix_transpose(R_frame)[..., None, :, :], joints - centre[..., None, :])
    flat = xp.reshape(2 * local * mask[..., None], (*joints.shape[:-2], 3 * N_BODY))
    return xp.concat([flat, mask, xp.astype(torso, joints.dtype)[..., None]], axis=-1)


def skeleton_size(rest_joints: np.ndarray) -> float:
    """What all bones of a rest skeleton (22, 3) measure together, metres."""
    steps = rest_joints[1:] - rest_joints[list(BODY_PARENTS[1:])]
    return float(np.linalg.norm(steps, axis=-1).sum())


def _across(v: Array, y: Array) -> Array:
    """The part of v (..., 3) across the unit vectors y (..., 3)."""
    xp = namespace(y)
    return v - xp.sum(v * y, axis=-1)[..., None] * y


def _unit(v: Array, otherwise: Array) -> Array:
    """v (..., 3) at length 1; `otherwise` where v has next to none."""
    xp = namespace(v)
    length = xp.sqrt(xp.sum(v * v, axis=-1))[..., None]
    long = length > _SMALL
    return xp.where(long, v / xp.where(long, length, xp.ones_like(length)), otherwise)
