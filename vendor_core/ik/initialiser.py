# SPDX-License-Identifier: Apache-2.0
"""What a start is made of: the prior's guess of the joints that are seen, and rigid alignment.

NumPy only: a start is cheap beside the solve.
"""

from collections.abc import Sequence

import numpy as np

from ..arrays import as_float64, as_kind
from ..prior.base import Prior
from ..prior.guess import skeleton_size
from ..rotations import Y_UP_TO_Z_UP, nearest_rotation, rotation_from_6d
from ..skeleton import N_BODY
from .bones import Bones
from .points import place
from .residuals import Position
from .state import PoseState, explained

_SMALLEST = 1e-3  # metres that all bones of a body measure together, at least


def rigid_alignment(source: np.ndarray, target: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (F, 3, 3) and translations (F, 3) that take source points onto targets best (Kabsch 1976).

    Args:
        source, target: (F, P, 3).
        weights: (F, P), 0 where a point is not seen; a frame without any keeps the identity.
    """
    w = weights / np.maximum(weights.sum(1, keepdims=True), 1e-12)
    source_mean, target_mean = (np.sum(w[..., None] * x, axis=1) for x in (source, target))
    spread = np.swapaxes((target - target_mean[:, None]) * w[..., None], 1, 2) @ (source - source_mean[:, None])
    R = nearest_rotation(spread + 1e-9 * np.eye(3))
    return R, target_mean - (R @ source_mean[..., None])[..., 0]


def moved_rigidly(bones: Bones, state: PoseState, R: np.ndarray, t: np.ndarray) -> PoseState:
    """The state with the whole body turned by R (F, 3, 3) about the world's origin, then moved by t (F, 3) metres."""
    J0 = as_float64(bones.rest[0])
    if state.betas.shape[1]:
        J0 = J0 + as_float64(state.betas) @ as_float64(bones.shape_dirs[0]).T
    R_local = as_float64(state.R_local).copy()
    R_local[:, 0] = R @ R_local[:, 0]
    trans = (R @ (J0 + as_float64(state.trans))[..., None])[..., 0] + t - J0
    return state.changed(R_local=as_kind(R_local, state.R_local), trans=as_kind(trans, state.trans))


def aligned_start(position: Position, state: PoseState, turned: np.ndarray | None = None) -> PoseState:
    """The state with root orientation and translation moved so that its points lie on their targets.

    Args:
        position: the points and their targets.
        state: F frames.
        turned: (F,) bool, false where the orientation is kept; all are turned by default.
    """
    bones = position.points.bones
    here, targets, weights = (
        as_float64(x) for x in (place(position.points, state.on(bones))[0], position.targets, position.confidence)
    )
    R, t = rigid_alignment(here, targets, weights)
    if turned is not None:
        share = weights / np.maximum(weights.sum(1, keepdims=True), 1e-12)
        moved = np.sum(share[..., None] * (targets - here), axis=1)
        R, t = np.where(turned[:, None, None], R, np.eye(3)), np.where(turned[:, None], t, moved)
    return moved_rigidly(bones, state, R, t)


def nearest_start(position: Position, starts: Sequence[PoseState], turned: np.ndarray | None = None) -> PoseState:
    """For each frame the start whose points, aligned as `aligned_start` does, are nearest to their targets."""
    best, best_error = starts[0], None
    for start in starts:
        start = aligned_start(position, start, turned)
        apart = as_float64(position.error(start.on(position.points.bones)))
        error = np.sum(np.sum(apart**2, axis=-1) * as_float64(position.confidence), axis=1)
        best = start if best_error is None else start.where(error < best_error, best)
        best_error = error if best_error is None else np.minimum(error, best_error)
    return best


def first_guess(prior: Prior, bones: Bones, joints: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The prior's learned guess of latents (F, L) and root rotations (F, 3, 3), at the size of its own skeleton.

    A child's bent knee and an adult's are told apart by size alone where only hands, feet and head are seen.

    Args:
        prior: guesses.
        bones: of the body whose joints are seen.
        joints: (F, 22, 3) metres, any number where unseen.
        seen: (F, 22) bool.
    """
    scale = skeleton_size(prior.rest_joints) / max(skeleton_size(as_float64(bones.rest)[:N_BODY]), _SMALLEST)
    z, R_root = prior.guess((scale * joints).astype(np.float32), seen)  # half the time, and a guess is far less exact
    return z.astype(np.float64), rotation_from_6d(R_root[..., :2].astype(np.float64))


def guessed_starts(prior: Prior, bones: Bones, joints: np.ndarray, seen: np.ndarray) -> list[PoseState]:
    """What the prior's learned guess makes of a few joints, once with Y up and once with Z up.

    Where the torso is not seen the guess needs to know which way is up; the caller keeps what fits better.

    Args:
        prior: guesses.
        bones: of the states; those beyond the body rest.
        joints: (F, 22, 3) metres, any number where unseen.
        seen: (F, 22) bool.

    Returns:
        One state a guess, with the pelvis at the origin.
    """
    starts = []
    for R_world_y_up in (np.eye(3), Y_UP_TO_Z_UP):
        z, R_root = first_guess(prior, bones, joints @ R_world_y_up, seen)
        starts.append(explained(prior, z, R_world_y_up @ R_root, 0, len(bones)))
    return starts
