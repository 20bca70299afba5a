# SPDX-License-Identifier: Apache-2.0
"""Poses from 2D keypoints of calibrated cameras: one camera leaves depth to the prior, a second one settles it."""

import numpy as np

from vendor_core.body import default_body
from vendor_core.evaluation import joint_error, p_mpjpe
from vendor_core.ik import Camera, ImageTargets, solve
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3

prior, body, rng = load_prior(), default_body(), np.random.default_rng(0)
names = ["pelvis", "neck", "head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist",
         "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"]  # fmt: skip
columns = [body.joint_names.index(name) for name in names]

n = 40
upright = np.broadcast_to(exp_so3(np.array([np.pi / 2, 0, 0])), (n, 1, 3, 3))  # Z is up
R_local = np.concatenate([upright, prior.decode(prior.sample(n, seed=3))], axis=1)
truth = body.pose(R_local).joints[:, :22]


def camera_at(angle: float) -> Camera:
    """Four metres from the origin; x right, y down, z forward, as OpenCV has it."""
    forward, down = np.array([np.sin(angle), np.cos(angle), 0.0]), np.array([0.0, 0.0, -1.0])
    R_camera_world = np.stack([np.cross(down, forward), down, forward])
    return Camera(np.array([1145.0, 1145.0]), np.array([512.0, 512.0]), R_camera_world, np.array([0.0, 0.0, 4.0]))


def seen_by(camera: Camera) -> ImageTargets:
    pixels = camera.project(truth[:, columns]) + rng.normal(scale=3.0, size=(n, len(names), 2))
    confidence = (rng.random((n, len(names))) > 0.1).astype(float)  # a detector's, 0 is unseen
    return ImageTargets(names, pixels, camera, confidence)


views = [seen_by(camera_at(0.0)), seen_by(camera_at(np.pi / 2))]
for used in (views[:1], views):
    solution = solve(body, prior, used)
    found = body.pose(solution.R_local, solution.trans).joints[:, :22]
    print(
        f"{len(used)} camera(s): {np.nanmean(solution.misses[0]):.1f} pixels off, joints "
        f"{joint_error(found, truth):.0f} mm, {p_mpjpe(found, truth):.0f} mm once aligned"
    )
