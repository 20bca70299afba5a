# SPDX-License-Identifier: Apache-2.0
"""The jobs that the worker runs: JSON and arrays in, JSON and arrays out."""

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from .body import body_from_joints
from .errors import PoiseError
from .ik import Camera, ImageTargets
from .ik import solve as solve_targets
from .ik.denoise import denoise as denoised
from .job_params import Answer, Report, parameter
from .prior import load_prior
from .prior.plausibility import load_plausibility
from .probe import probe
from .skeleton import N_BODY
from .take_jobs import label, solve

_SLIPPED = 4.0  # sigmas of a miss at which a tracked joint is half believed


def ping(params: dict[str, Any], report: Report) -> Answer:
    """Answer with what was sent: shows that the worker lives."""
    return dict(params), {}


def denoise(params: dict[str, Any], report: Report) -> Answer:
    """`ik.denoise.denoise` as a job.

    Params:
        R_local (F, 22, 3, 3), trans (F, 3) metres and rest_joints (22, 3) metres: arrays. rate: Hz. amount: 0 to 1,
        1 without. prior: name or path.

    Returns:
        The median plausibility_before and plausibility_after; arrays R_local and trans.

    Raises:
        PoiseError: a parameter is not what it has to be.
    """
    report(0.0, "Reading the motion")
    R_local, trans = (parameter(params, name, np.ndarray) for name in ("R_local", "trans"))
    rest = _rest_joints(params)
    rate, amount = parameter(params, "rate", (int, float)), parameter(params, "amount", (int, float), 1.0)
    name = parameter(params, "prior", str, "vae")
    prior, plausibility, body = load_prior(name), load_plausibility(name), body_from_joints(rest)
    R_clean, trans_clean = denoised(
        body, prior, plausibility, R_local, trans, rate, amount, lambda fraction: report(fraction, "Denoising")
    )
    before, after = (float(np.median(plausibility.score(R[:, 1:]))) for R in (R_local, R_clean))
    return {"plausibility_before": before, "plausibility_after": after}, {"R_local": R_clean, "trans": trans_clean}


def pictures(params: dict[str, Any], report: Report) -> Answer:
    """One person's motion from joints that a camera sees, frame after frame.

    Params:
        joints: P names. sigma: pixels. rate: Hz. prior: name or path. Arrays: pixels (F, P, 2), NaN where unseen, from
        the top left; rest_joints (22, 3) metres; and of the camera focal (2,), centre (2,), R_camera_world (3, 3) or
        (F, 3, 3) and t_camera_world (3,) or (F, 3), as `ik.Camera` has them.

    Returns:
        missed: the median miss, pixels; astray: share of the pixels that were hardly believed; arrays
        R_local (F, 22, 3, 3), trans (F, 3) and status (F,).

    Raises:
        PoiseError: a parameter is not what it has to be.
    """
    report(0.0, "Reading the tracks")
    camera = Camera(*(parameter(params, f.name, np.ndarray) for f in fields(Camera)))
    seen = ImageTargets(
        parameter(params, "joints", list), parameter(params, "pixels", np.ndarray), camera,
        sigma=parameter(params, "sigma", (int, float)),
    )  # fmt: skip
    body, prior = body_from_joints(_rest_joints(params)), load_prior(parameter(params, "prior", str, "vae"))
    rate = parameter(params, "rate", (int, float))
    found = solve_targets(
        body, prior, [seen], robust=_SLIPPED, rate=rate, report=lambda fraction: report(fraction, "Solving")
    )
    misses = found.residual[np.isfinite(found.residual)]
    data = {"missed": float(np.median(misses)), "astray": float(np.mean(misses > _SLIPPED * seen.sigma))}
    return data, {"R_local": found.R_local, "trans": found.trans, "status": found.status}


def _rest_joints(params: dict[str, Any]) -> np.ndarray:
    rest = parameter(params, "rest_joints", np.ndarray)
    if rest.shape != (N_BODY, 3) or not np.isfinite(rest).all():
        raise PoiseError(f"Rest joints of shape {rest.shape} came with the job; expected finite ({N_BODY}, 3), metres")
    return rest


def test(params: dict[str, Any], report: Report) -> Answer:
    """`probe.probe` as a job.

    Params:
        device: of `devices.NAMES`; "auto" without.

    Returns:
        The fields of `probe.Findings`.

    Raises:
        PoiseError: there is no such device.
    """
    return asdict(probe(parameter(params, "device", str, "auto"), report)), {}


JOBS: dict[str, Callable[[dict[str, Any], Report], Answer]] = {
    "ping": ping,
    "solve": solve,
    "label": label,
    "denoise": denoise,
    "pictures": pictures,
    "test": test,
}
