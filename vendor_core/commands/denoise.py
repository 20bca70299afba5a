# SPDX-License-Identifier: Apache-2.0
"""A motion without its noise."""

from argparse import Namespace
from dataclasses import replace
from typing import Any

import numpy as np

from ..body import default_body
from ..ik.denoise import denoise as denoised
from ..motion import read_motion, write_motion
from ..prior import load_prior
from ..prior.plausibility import load_plausibility
from ..rotations import exp_so3, log_so3
from ..skeleton import N_BODY
from .shared import progress


def denoise(options: Namespace) -> dict[str, Any]:
    """A motion with implausible joints repaired and jitter smoothed; hands, face, shape and rate are kept."""
    motion, plausibility = read_motion(options.motion), load_plausibility(options.prior)
    body, betas = default_body(), motion.betas if motion.body_name else np.zeros(0)
    shaped = replace(body, joints_template=body.rest_joints(betas)) if len(betas) else body
    R = exp_so3(motion.poses[:, :N_BODY])
    with progress(options.motion.name) as report:
        R_clean, trans = denoised(
            shaped, load_prior(options.prior), plausibility, R, motion.trans, motion.rate, options.amount,
            lambda fraction: report(fraction, "Denoising"),
        )  # fmt: skip
    poses = motion.poses.copy()
    if options.amount > 0:
        poses[:, :N_BODY] = log_so3(R_clean)
    write_motion(options.out, replace(motion, poses=poses, trans=trans))
    before, after = (float(np.median(plausibility.score(x[:, 1:]))) for x in (R, R_clean))
    apart = shaped.pose(R_clean, trans).joints - shaped.pose(R, motion.trans).joints
    moved = 1e3 * float(np.linalg.norm(apart[:, :N_BODY], axis=-1).mean())
    print(
        f"{options.out}: {len(motion)} frames, joints moved by {moved:.1f} mm on average, "
        f"median plausibility {before:.2f} before and {after:.2f} after"
    )
    return {
        "frames": len(motion), "amount": options.amount, "moved_mm": round(moved, 3),
        "plausibility_before": round(before, 6), "plausibility_after": round(after, 6),
    }  # fmt: skip
