# SPDX-License-Identifier: Apache-2.0
"""What a detector sees in a picture: 17 joints through a known camera, a few pixels off."""

from dataclasses import dataclass

import numpy as np

from vendor_core.body import BodyModel
from vendor_core.evaluation.pictures import KEYPOINTS
from vendor_core.rotations import exp_so3

from .motion import random_poses
from .rows import Settings

FOCAL, SIZE = 1000.0, 1000.0  # pixels
NEAREST, FARTHEST = 3.0, 4.0  # metres from the camera to the pelvis
_FACING = exp_so3(np.array([np.pi, 0, 0]))  # from Y up, looking along -Z, to a camera's x right, y down, z forward


@dataclass(frozen=True)
class Pinhole:
    """A camera: `pixel = focal * (x, y) / z + centre` of `p_camera = R_camera_world @ p_world + t`."""

    focal: float
    centre: np.ndarray  # (2,) pixels
    R_camera_world: np.ndarray  # (3, 3)
    t: np.ndarray  # (3,) metres

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of points (..., 3)."""
        p = points @ self.R_camera_world.T + self.t
        return self.focal * p[..., :2] / p[..., 2:] + self.centre


@dataclass(frozen=True)
class Picture:
    """One person in one picture, and the truth behind it."""

    camera: Pinhole
    pixels: np.ndarray  # (17, 2) of KEYPOINTS as they were detected
    joints: np.ndarray  # (22, 3) metres, world, Y up


def pictures(settings: Settings, body: BodyModel, n: int, noise: float = 5.0, seed: int = 31) -> list[Picture]:
    """n poses of the split, each seen by a camera of its own: level but for a few degrees, 3 to 4 m away."""
    rng = np.random.default_rng(seed)
    R_local, joints = random_poses(settings, body, n, seed)
    index = [body.joint_names.index(name) for name in KEYPOINTS]
    made = []
    for i in range(n):
        trans = joints[i, 0] - body.joints_template[0]
        keypoints = body.pose(R_local[i], trans).joints[index]
        camera = _camera(rng, joints[i, 0])
        made.append(Picture(camera, camera.project(keypoints) + rng.normal(size=(17, 2)) * noise, joints[i]))
    return made


def _camera(rng: np.random.Generator, pelvis: np.ndarray) -> Pinhole:
    turn, tilt = rng.uniform(-np.pi, np.pi), rng.uniform(-0.2, 0.2)
    R = _FACING @ exp_so3(np.array([tilt, 0, 0])) @ exp_so3(np.array([0, turn, 0]))
    place = np.array([*rng.uniform(-0.2, 0.2, 2), rng.uniform(NEAREST, FARTHEST)])  # of the pelvis, before the camera
    return Pinhole(FOCAL, np.full(2, SIZE / 2), R, place - R @ pelvis)
