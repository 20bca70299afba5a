# SPDX-License-Identifier: Apache-2.0
"""Poses from one picture: 17 joints seen by a camera that is known, so depth is for the prior to tell.

The camera is that of Human3.6M: a focal length of 1145 pixels, 5 m away, level with the pelvis.
"""

from dataclasses import dataclass

import numpy as np

from ..ik import Camera, ImageTargets, Unknowns, solve
from ..prior.base import Prior
from ..rotations import exp_so3
from ..skeleton import N_BODY
from .data import SEED, EvaluationData
from .inverse import LATENT_ALONE, WholePoses, whole_poses
from .metrics import joint_error, p_mpjpe
from .without_prior import WithoutPrior

KEYPOINTS = (
    "head", "neck", "jaw", "left_eye_smplhf", "right_eye_smplhf", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
"""COCO's 17 keypoints, its nose and ears replaced by jaw, head and neck, which the bodies have."""
_FOCAL, _CENTRE = 1145.0, 512.0  # pixels
_AWAY = 5.0  # metres
_UPRIGHT = np.diag([1.0, -1.0, -1.0])  # from Y up, looking along -Z, to a camera's x right, y down, z forward
_WAYS = (("", Unknowns()), ("_latent_alone", LATENT_ALONE))
_LEAST_SIGMA = 1.0  # pixels: what is seen without noise is not believed more closely


@dataclass(frozen=True)
class PictureSizes:
    """How many pictures each figure is made from."""

    poses: int = 64
    yaws: int = 4
    noises: tuple[float, ...] = (0.0, 5.0)  # pixels along each axis


def pictures(prior: Prior, data: EvaluationData, sizes: PictureSizes = PictureSizes()) -> dict[str, dict[str, float]]:
    """Solve pictures of held-out poses, each seen from several sides.

    Returns:
        For each noise (`noise_0`, `noise_5`) `p_mpjpe` and `mm` (joints from the truth, aligned and not), by the engine
        and, as `noise_0_latent_alone` and so on, by the prior's poses alone where there are any.
    """
    poses, rng = whole_poses(data, sizes.poses), np.random.default_rng(SEED)
    camera = _around(poses, sizes.yaws)
    index = [data.body.joint_names.index(name) for name in KEYPOINTS]
    keypoints = np.tile(data.body.pose(poses.R_local).joints[:, index], (sizes.yaws, 1, 1))
    truth = np.tile(poses.joints, (sizes.yaws, 1, 1))
    clean = camera.project(keypoints)
    found = {}
    for noise in sizes.noises:
        seen = clean + rng.normal(size=clean.shape) * noise
        targets = ImageTargets(KEYPOINTS, seen, camera, sigma=max(noise, _LEAST_SIGMA))
        for name, unknowns in _WAYS[:1] if isinstance(prior, WithoutPrior) else _WAYS:
            solved = solve(data.body, prior, [targets], unknowns)
            joints = data.body.pose(solved.R_local, solved.trans).joints[:, :N_BODY]
            error = {"p_mpjpe": p_mpjpe(joints, truth), "mm": joint_error(joints, truth)}
            found[f"noise_{noise:g}{name}"] = error
    return found


def _around(poses: WholePoses, yaws: int) -> Camera:
    """A camera of yaws x poses frames, all poses from one side first: it looks at the pelvis."""
    turns = np.arange(yaws) * (2 * np.pi / yaws)
    R = np.repeat(_UPRIGHT @ exp_so3(turns[:, None] * [0.0, 1.0, 0.0]), len(poses), axis=0)
    pelvis = np.tile(poses.joints[:, 0], (yaws, 1))
    t = np.array([0.0, 0.0, _AWAY]) - (R @ pelvis[..., None])[..., 0]
    return Camera(np.full(2, _FOCAL), np.full(2, _CENTRE), R, t)
