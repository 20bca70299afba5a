# SPDX-License-Identifier: Apache-2.0
"""A motion from one file format to another: AMASS npz and BVH."""

from argparse import Namespace
from time import perf_counter
from typing import Any

from ..job_params import body_of
from ..motion import read_motion, write_motion
from ..motion.bvh import write_bvh
from ..motion.bvh_motion import bvh_of
from ..retarget import load_motion, require_format


def convert(options: Namespace) -> dict[str, Any]:
    """A motion from one file format to another."""
    for path in (options.motion, options.out):
        require_format(path)
    began, body = perf_counter(), body_of(options.body)
    if options.motion.suffix.lower() == ".npz":
        motion = read_motion(options.motion)
    else:
        motion = load_motion(options.motion, body, options.prior).motion
    if options.out.suffix.lower() == ".bvh":
        own_betas = bool(motion.body_name) == bool(body.beta_names)  # those of another body mean nothing to this one
        betas = motion.betas[: body.num_betas] if own_betas else None
        write_bvh(options.out, bvh_of(motion, body.rest_joints(betas)))
    else:
        write_motion(options.out, motion)
    print(f"{options.out}: {len(motion)} frames at {motion.rate:g} Hz")
    return {"frames": len(motion), "rate": motion.rate, "seconds": perf_counter() - began}
