# SPDX-License-Identifier: Apache-2.0
"""3D joints to a motion file."""

from argparse import Namespace
from collections import Counter
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from ..body import BodyModel
from ..errors import MotionError
from ..ik.balls import body_balls
from ..ik.untangle import untangle
from ..job_params import body_of
from ..motion import Motion, status_counts, write_motion
from ..npz import read_npz, text_of
from ..prior import Prior, load_prior
from ..rotations import exp_so3, log_so3
from ..skeleton import N_BODY
from .shared import fitted, progress

_NO_PERSON_MM = 1000.0  # median error beyond which the joints are in another unit, or no person's


def fit(options: Namespace) -> dict[str, Any]:
    """3D joints to a motion file."""
    arrays = read_npz(options.joints, ("joints", "names"), MotionError)
    if missing := [name for name in ("joints", "names") if name not in arrays]:
        raise MotionError(f'{options.joints.name} lacks "{missing[0]}"; expected joints (frames, J, 3) and names (J,)')
    names, joints = [text_of(name) for name in arrays["names"].reshape(-1)], arrays["joints"]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise MotionError(f'{options.joints.name} names "{twice[0]}" more than once; expected each joint once')
    began = perf_counter()
    with progress(options.joints.name) as report:
        body, prior = body_of(options.body), load_prior(options.prior)
        motion, mm = fitted(body, prior, names, joints, options.shape == "auto", report)
    if np.median(mm) > _NO_PERSON_MM:
        raise MotionError(
            f"{options.joints.name}: no pose comes nearer to the joints than {np.median(mm) / 1e3:.3g} m; "
            "expected a person's joints in metres"
        )
    if options.untangle:
        motion = _untangled(motion, body, prior)
    write_motion(options.out, motion)
    assert motion.frame_status is not None
    status = status_counts(motion.frame_status)
    print(f"{options.out}: {len(motion)} frames, mean {mm.mean():.2f} mm, max {mm.max():.2f} mm")
    seconds = round(perf_counter() - began, 3)
    mean_mm, max_mm = round(float(mm.mean()), 3), round(float(mm.max()), 3)
    return {"frames": len(motion), "seconds": seconds, "mean_mm": mean_mm, "max_mm": max_mm, "frame_status": status}


def _untangled(motion: Motion, body: BodyModel, prior: Prior) -> Motion:
    poses, balls = motion.poses.copy(), body_balls(body.first_betas(len(motion.betas))).with_betas(motion.betas)
    poses[:, :N_BODY] = log_so3(untangle(balls, prior, exp_so3(poses[:, :N_BODY])))
    return replace(motion, poses=poses)
