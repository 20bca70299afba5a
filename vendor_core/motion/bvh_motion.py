# SPDX-License-Identifier: Apache-2.0
"""Motion as BVH and back. BVH files of Poise are in centimetres, Y up, with SMPL's names and rest pose."""

import numpy as np

from ..body import BodyModel
from ..rotations import Y_UP_TO_Z_UP, exp_so3, log_so3
from ..skeleton import JOINTS, N_BODY, PARENTS
from .amass import Motion
from .bvh import BvhClip
from .joint_names import joints_of_skeleton

_CENTIMETRES = 100.0
_FINGERS = range(25, len(JOINTS))
_END = 0.5  # of a last bone's length: where what has no child ends
_UNITS = (1.0, 0.1, 0.01, 0.001, 0.0254, 0.0254 / 0.45)  # metres; the last is of the CMU database's files
_LEG = 0.8  # metres from hip to ankle, by which the unit is told
_SAME_REST = np.cos(np.radians(20))  # between bones at rest of SMPL and of a skeleton that rests as SMPL's does
_SAME_BONE, _DAMPING = 1e-5, 1e-3  # metres; metres a standard deviation
_LONG = 0.05  # metres of a bone whose direction counts for that


def bvh_of(motion: Motion, rest_joints: np.ndarray) -> BvhClip:
    """A motion as BVH, in centimetres and Y up; jaw and eyes are left out.

    Args:
        motion: F frames.
        rest_joints: (55, 3) metres, of the body that it moves; of one without fingers (22, 3).
    """
    written = [*range(N_BODY), *(_FINGERS if len(rest_joints) > N_BODY else ())]
    R = exp_so3(motion.poses[:, written])
    R[:, 0] = Y_UP_TO_Z_UP.T @ R[:, 0]
    parents = tuple(-1 if PARENTS[j] < 0 else written.index(PARENTS[j]) for j in written)
    offsets = np.array([rest_joints[j] - rest_joints[PARENTS[j]] if PARENTS[j] >= 0 else (0, 0, 0) for j in written])
    offsets *= _CENTIMETRES
    p = np.broadcast_to(offsets, (len(motion), *offsets.shape)).copy()
    p[:, 0] = _CENTIMETRES * (rest_joints[0] + motion.trans) @ Y_UP_TO_Z_UP
    ends = {j: _END * offsets[j] for j in range(len(parents)) if j not in parents}
    return BvhClip(tuple(JOINTS[j] for j in written), parents, offsets, ends, R, p, motion.rate)


def has_own_rest(clip: BvhClip, rest_joints: np.ndarray) -> bool:
    """Whether a clip's rotations are SMPL's: its joints have SMPL's names, and rest as rest joints (55, 3) do."""
    if not set(JOINTS[:N_BODY]) <= set(clip.names):
        return False
    for j in range(1, N_BODY):
        at = clip.names.index(JOINTS[j])
        bone = rest_joints[j] - rest_joints[PARENTS[j]]
        lengths = np.linalg.norm(bone) * np.linalg.norm(clip.offsets[at])
        above = clip.names[clip.parents[at]] if clip.parents[at] >= 0 else ""
        if above != JOINTS[PARENTS[j]]:
            return False
        if np.linalg.norm(bone) > _LONG and clip.offsets[at] @ bone < _SAME_REST * lengths:
            return False
    return True


def motion_of(clip: BvhClip, body: BodyModel) -> Motion:
    """The motion of a clip that `has_own_rest`; what it does not name is at rest.

    Args:
        clip: F frames, Y up.
        body: whose betas are found that give it the clip's bones.
    """
    poses = np.zeros((len(clip.R_local), len(JOINTS), 3))
    for at, name in enumerate(clip.names):
        if name in JOINTS:
            R = clip.R_local[:, at]
            poses[:, JOINTS.index(name)] = log_so3(Y_UP_TO_Z_UP @ R if name == JOINTS[0] else R)
    unit = metres_a_unit(clip)
    betas = _betas(body, unit * clip.offsets[[clip.names.index(name) for name in JOINTS[:N_BODY]]])
    pelvis = unit * clip.p_local[:, clip.names.index(JOINTS[0])] @ Y_UP_TO_Z_UP.T
    trans = pelvis - body.rest_joints(betas)[0]
    return Motion(poses, trans, clip.rate, betas, body_name="default" if body.beta_names else "")


def _betas(body: BodyModel, bones: np.ndarray) -> np.ndarray:
    """The betas whose bones (22, 3), metres, are nearest to given ones; zero where zero betas fit."""

    def bones_at(betas: np.ndarray) -> np.ndarray:
        p = body.rest_joints(betas)[..., :N_BODY, :]
        return (p - p[..., [max(up, 0) for up in PARENTS[:N_BODY]], :])[..., 1:, :]

    zero = bones_at(np.zeros(body.num_betas))
    off = bones[1:] - zero
    if np.abs(off).max() < _SAME_BONE:
        return np.zeros(body.num_betas)
    A = (bones_at(np.eye(body.num_betas)) - zero).reshape(body.num_betas, -1).T
    damped = np.concatenate([A, _DAMPING * np.eye(body.num_betas)])
    return np.linalg.lstsq(damped, np.append(off.ravel(), np.zeros(body.num_betas)), rcond=None)[0]


def metres_a_unit(clip: BvhClip) -> float:
    """The unit of a clip, told by the length of its legs."""
    at = joints_of_skeleton(clip.names)
    bones = [at[f"{side}_{part}"] for side in ("left", "right") for part in ("knee", "ankle") if f"{side}_{part}" in at]
    length = float(np.linalg.norm(clip.offsets[bones], axis=1).sum()) / 2 or 1.0
    return min(_UNITS, key=lambda unit: abs(np.log(unit * length / _LEG)))
