# SPDX-License-Identifier: Apache-2.0
"""A motion from one file format to another: AMASS npz and BVH."""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from ..body import BodyModel
from ..errors import MotionError
from ..jobs import body_of
from ..motion import Motion, read_motion, write_motion
from ..motion.bvh import read_bvh, write_bvh
from ..motion.bvh_motion import bvh_of, has_own_rest, motion_of, named_joints
from ..prior import Prior, load_prior
from .shared import fitted, progress

_FORMATS = (".npz", ".bvh")


def convert(options: Namespace) -> dict[str, Any]:
    """A motion from one file format to another."""
    for path in (options.motion, options.out):
        if path.suffix.lower() not in _FORMATS:
            raise MotionError(f"{path.name} is of no format known; expected a motion as {' or '.join(_FORMATS)}")
    began, body, mm = perf_counter(), body_of(options.body), 0.0
    if options.motion.suffix.lower() == ".bvh":
        motion, mm = _from_bvh(options.motion, body, load_prior(options.prior))
    else:
        motion = read_motion(options.motion)
    if options.out.suffix.lower() == ".bvh":
        own_betas = bool(motion.body_name) == bool(body.beta_names)  # those of another body mean nothing to this one
        betas = motion.betas[: body.num_betas] if own_betas else None
        write_bvh(options.out, bvh_of(motion, body.rest_joints(betas)))
    else:
        write_motion(options.out, motion)
    print(f"{options.out}: {len(motion)} frames at {motion.rate:g} Hz{f', joints off by {mm:.1f} mm' if mm else ''}")
    return {"frames": len(motion), "rate": motion.rate, "seconds": perf_counter() - began, "mean_mm": round(mm, 3)}


def _from_bvh(path: Path, body: BodyModel, prior: Prior) -> tuple[Motion, float]:
    """A BVH file's motion, and by how many millimetres (mean) the body misses its joints. Of a skeleton that is not
    SMPL's, the places of the joints are followed.
    """
    clip = read_bvh(path)
    if has_own_rest(clip, body.rest_joints()):
        return motion_of(clip, body), 0.0
    names, places = named_joints(clip)
    with progress(path.name) as report:
        motion, mm = fitted(body, prior, names, places, True, report)
    return replace(motion, rate=clip.rate), float(mm.mean())
