# SPDX-License-Identifier: Apache-2.0
"""3D joints to a motion file."""

from argparse import Namespace
from collections import Counter
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from ..errors import MotionError
from ..ik import fit_joints
from ..jobs import body_of
from ..motion import SOLVED, status_counts, write_motion
from ..npz import read_npz, text_of
from ..prior import load_prior
from ..skeleton import BODY_JOINTS
from .shared import body_motion, progress

_SHAPE_NEEDS = 12  # body joints, below which bone lengths say too little about the shape
_NO_PERSON_MM = 1000.0  # median error beyond which the joints are in another unit, or no person's


def fit(options: Namespace) -> dict[str, Any]:
    """3D joints to a motion file."""
    arrays = read_npz(options.joints, ("joints", "names"), MotionError)
    if missing := [name for name in ("joints", "names") if name not in arrays]:
        raise MotionError(f'{options.joints.name} lacks "{missing[0]}"; expected joints (frames, J, 3) and names (J,)')
    names, joints = [text_of(name) for name in arrays["names"].reshape(-1)], arrays["joints"]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise MotionError(f'{options.joints.name} names "{twice[0]}" more than once; expected each joint once')
    prior, body, betas, began = load_prior(options.prior), body_of(options.body), None, perf_counter()
    shaped = body
    with progress(options.joints.name) as report:
        if options.shape == "auto" and len(set(names) & set(BODY_JOINTS)) >= _SHAPE_NEEDS:
            each = fit_joints(
                body, prior, names, joints, shape=True, report=lambda f: report(0.5 * f, "Fitting the shape")
            )
            betas = np.median(each.betas[each.status == SOLVED], axis=0)
            shaped = replace(body, joints_template=body.rest_joints(betas))
        solved = fit_joints(shaped, prior, names, joints, report=lambda f: report(0.5 + 0.5 * f, "Fitting the poses"))
    motion = body_motion(solved.R_local, solved.trans, body, betas, status=solved.status)
    mm = 1e3 * solved.residual[np.isfinite(solved.residual)]
    if np.median(mm) > _NO_PERSON_MM:
        raise MotionError(
            f"{options.joints.name}: no pose comes nearer to the joints than {np.median(mm) / 1e3:.3g} m; "
            "expected a person's joints in metres"
        )
    write_motion(options.out, motion)
    status = status_counts(solved.status)
    print(f"{options.out}: {len(motion)} frames, mean {mm.mean():.2f} mm, max {mm.max():.2f} mm")
    seconds = round(perf_counter() - began, 3)
    mean_mm, max_mm = round(float(mm.mean()), 3), round(float(mm.max()), 3)
    return {"frames": len(motion), "seconds": seconds, "mean_mm": mean_mm, "max_mm": max_mm, "frame_status": status}
