# SPDX-License-Identifier: Apache-2.0
"""Where a solve starts: a pose read off the joints where they are seen, a rigid alignment where they are not.

NumPy only: a start is cheap beside the solve.
"""

from collections.abc import Sequence

import numpy as np

from ..arrays import Array, as_kind
from ..prior.base import Prior
from ..rotations import log_so3, nearest_rotation, rotation_between
from ..skeleton import BODY_PARENTS, N_BODY
from .objective import Objective
from .state import PoseState, rest_state

_Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # world axes, Z up, of one with Y up
_CHILDREN = tuple(tuple(c for c in range(1, N_BODY) if BODY_PARENTS[c] == j) for j in range(N_BODY))


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


def aligned_start(objective: Objective, state: PoseState) -> PoseState:
    """The state with root orientation and translation moved so that its points lie on their targets."""
    f64 = np.zeros(0)
    here, there, seen = (
        np.asarray(as_kind(x, f64)) for x in (objective.place(state), objective.targets, objective.confidence)
    )
    R, t = rigid_alignment(here, there, seen)
    J0 = np.asarray(as_kind(objective.points.rest_joints[0], f64))
    if state.betas.shape[1]:
        dirs = np.asarray(as_kind(objective.points.joint_shape_dirs[0], f64))
        J0 = J0 + np.asarray(as_kind(state.betas, f64)) @ dirs.T
    pelvis = J0 + np.asarray(as_kind(state.trans, f64))
    trans = (R @ pelvis[..., None])[..., 0] + t - J0
    R_root = R @ np.asarray(as_kind(state.R_root, f64))
    return state.changed(R_root=as_kind(R_root, state.R_root), trans=as_kind(trans, state.trans))


def nearest_start(objective: Objective, starts: Sequence[PoseState]) -> PoseState:
    """For each frame the start whose points, rigidly aligned, are nearest to their targets."""
    best, best_error = starts[0], None
    for start in starts:
        start = aligned_start(objective, start)
        apart = np.asarray(as_kind(objective.place(start) - objective.targets, np.zeros(0)))
        error = np.sum(np.sum(apart**2, axis=-1) * np.asarray(as_kind(objective.confidence, np.zeros(0))), axis=1)
        best = start if best_error is None else start.where(error < best_error, best)
        best_error = error if best_error is None else np.minimum(error, best_error)
    return best


def start_from_joints(
    prior: Prior, rest: np.ndarray, joints: np.ndarray, seen: np.ndarray, example: Array
) -> PoseState:
    """A start read off the joints that are seen: rotations near the prior's, the rest of them as residuals.

    Each bone is turned from its rest direction to the direction between its joints; joints with several seen
    children are aligned with all of them. What cannot be read keeps the parent's orientation.

    Args:
        prior: encodes the rotations found.
        rest: (22, 3) rest joints.
        joints: (F, 22, 3) metres, any number where unseen.
        seen: (F, 22) bool.
        example: gives kind and dtype of the state.
    """
    n_frames = len(joints)
    G = np.broadcast_to(np.eye(3), (n_frames, N_BODY, 3, 3)).copy()
    R = G.copy()
    for j in range(N_BODY):
        parent = BODY_PARENTS[j]
        carried = G[:, parent] if parent >= 0 else G[:, 0]
        G[:, j] = _orientation(j, carried, rest, joints, seen)
        R[:, j] = np.swapaxes(carried, 1, 2) @ G[:, j] if parent >= 0 else G[:, j]
    state = rest_state(prior, n_frames, 0, example)
    trans = np.where(seen[:, :1], joints[:, 0] - rest[0], 0.0)
    z = np.clip(prior.encode(R[:, 1:]), -4, 4)
    delta = log_so3(np.swapaxes(prior.decode(z), -1, -2) @ R[:, 1:])
    found = {"z": z, "delta": delta, "R_root": R[:, 0], "trans": trans}
    return state.changed(**{name: as_kind(array, example) for name, array in found.items()})


def guessed_starts(prior: Prior, joints: np.ndarray, seen: np.ndarray, example: Array) -> list[PoseState]:
    """What the prior's learned guess makes of a few joints, once with Y up and once with Z up.

    Where the torso is not seen the guess needs to know which way is up; the caller keeps what fits better.

    Args:
        joints: (F, 22, 3) metres, any number where unseen.
        seen: (F, 22) bool.

    Returns:
        One state a guess, with the pelvis at the origin.
    """
    starts = []
    for R_world_y_up in (np.eye(3), _Z_UP):
        z, R_root = prior.guess(joints @ R_world_y_up, seen)
        state = rest_state(prior, len(joints), 0, example)
        starts.append(state.changed(z=as_kind(z, example), R_root=as_kind(R_world_y_up @ R_root, example)))
    return starts


def _orientation(j: int, carried: np.ndarray, rest: np.ndarray, joints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """World rotation (F, 3, 3) of joint j that best turns its bones onto the seen children; `carried` without any."""
    children = _CHILDREN[j]
    if not children:
        return carried
    bones = carried[:, None] @ (rest[list(children)] - rest[j])[None, :, :, None]
    there = joints[:, children] - joints[:, j : j + 1]
    usable = seen[:, children] & seen[:, j : j + 1] & (np.linalg.norm(there, axis=-1) > 1e-6)
    there = np.where(usable[..., None], there, bones[..., 0])
    if len(children) == 1:
        return rotation_between(bones[:, 0, :, 0], there[:, 0]) @ carried
    w = np.where(usable, 1.0, 1e-3)[..., None]
    turn = nearest_rotation(np.swapaxes(there * w, 1, 2) @ bones[..., 0])
    return turn @ carried
