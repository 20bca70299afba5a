# SPDX-License-Identifier: Apache-2.0
"""Poses from pictures: the prior against each joint on its own."""

from time import perf_counter

import numpy as np

from vendor_core.body import default_body
from vendor_core.evaluation.metrics import joint_error, p_mpjpe
from vendor_core.ik import Camera, ImageTargets, solve
from vendor_core.prior import load_prior
from vendor_core.skeleton import N_BODY

from .images import KEYPOINTS, pictures
from .rows import Benchmark, Figure, Outcome, Settings
from .without_prior import joints_from_pictures

_PICTURES = 48
_LESS = 2 / 3  # of the rival's error: a third below it


def _pictures(settings: Settings) -> list[Outcome]:
    body = default_body()
    seen = pictures(settings, body, _PICTURES)
    truth = np.stack([picture.joints for picture in seen])
    first = seen[0].camera
    camera = Camera(
        np.full(2, first.focal), first.centre,
        np.stack([picture.camera.R_camera_world for picture in seen]), np.stack([p.camera.t for p in seen]),
    )  # fmt: skip
    targets = ImageTargets(KEYPOINTS, np.stack([picture.pixels for picture in seen]), camera)
    began = perf_counter()
    solved = solve(body, load_prior(), [targets])
    ours_ms = 1e3 * (perf_counter() - began) / _PICTURES
    joints = body.pose(solved.R_local, solved.trans).joints[:, :N_BODY]
    began = perf_counter()
    rival = joints_from_pictures(seen, body)
    rival_ms = 1e3 * (perf_counter() - began) / _PICTURES
    error, rival_error = p_mpjpe(joints, truth), p_mpjpe(rival, truth)
    note = (
        f"{_PICTURES} poses of the {settings.split} split, 3 to 4 m away, 5 px noise; {ours_ms:.0f} by {rival_ms:.0f} "
        f"ms a picture; not aligned {joint_error(joints, truth):.0f} by {joint_error(rival, truth):.0f} mm"
    )
    return [Outcome(error, "each joint on its own, drawn to rest", rival_error, note, goal=_LESS * rival_error)]


BENCHMARKS = (
    Benchmark(
        "pictures",
        (Figure("2D, 17 joints, known camera, 5 px noise, P-MPJPE", "mm", "lower"),),
        _pictures,
    ),
)
