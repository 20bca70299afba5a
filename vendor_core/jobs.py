# SPDX-License-Identifier: Apache-2.0
"""What both doors do: a take solved as asked, and the jobs that the worker runs, JSON in, JSON and arrays out."""

from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from .body import BodyModel, body_from_joints, default_body, load_body
from .errors import MotionError, PoiseError
from .ik import Camera, ImageTargets
from .ik import solve as solve_targets
from .ik.denoise import denoise as denoised
from .mocap.solve_take import Report, TakeOptions, TakeSolution, solve_take
from .mocap.takes import read_take
from .motion.amass import read_motion
from .prior import load_prior
from .prior.plausibility import load_plausibility
from .probe import probe
from .skeleton import N_BODY

_SLIPPED = 4.0  # sigmas of a miss at which a tracked joint is half believed

Answer = tuple[dict[str, Any], dict[str, np.ndarray]]


def body_of(path: str | Path | None) -> BodyModel:
    """The body of a file, or the default body."""
    return load_body(path) if path else default_body()


def known_betas(shape: str, body: BodyModel) -> np.ndarray | None:
    """Betas that a solve takes as given: None for "auto", zeros for "none", else those of a motion file.

    Raises:
        MotionError: the file is no motion, or its betas belong to another body.
    """
    if shape == "auto":
        return None
    if shape == "none":
        return np.zeros(body.num_betas)
    motion = read_motion(shape)
    if bool(motion.body_name) != bool(body.beta_names):
        whose = f'the body "{motion.body_name}"' if motion.body_name else "an SMPL body"
        raise MotionError(
            f"{Path(shape).name} holds betas of {whose}, not of {body.name}; expected a motion of that body"
        )
    return motion.betas[: body.num_betas]


def solve_file(params: dict[str, Any], report: Report) -> TakeSolution:
    """Solve a take.

    Params:
        take: path of a C3D or TRC file. body: path of a body file; the default body without. prior: name or path.
        layout: "auto", a name or a file. shape: "auto", "none" or a motion file; or betas: a list of numbers.
        fps: Hz. first, last: source frames. Those that are missing or null have the defaults of `TakeOptions`.

    Raises:
        PoiseError: a parameter or a file is not what it has to be.
    """
    report(0.0, "Reading the take")
    take = read_take(Path(_parameter(params, "take", str)))
    body = body_of(_parameter(params, "body", str, None))
    betas = _parameter(params, "betas", list, None)
    options = TakeOptions(
        layout=_parameter(params, "layout", str, "auto"),
        betas=known_betas(_parameter(params, "shape", str, "auto"), body) if betas is None else np.array(betas, float),
        fps=_parameter(params, "fps", (int, float), None),
        first=_parameter(params, "first", int, 0),
        last=_parameter(params, "last", int, None),
        device=_parameter(params, "device", str, "auto"),
    )
    prior = load_prior(_parameter(params, "prior", str, "vae"))
    return solve_take(take, body, prior, options, report)


def _parameter(params: dict[str, Any], name: str, kind: type | tuple[type, ...], *default: Any) -> Any:
    value = params.get(name)
    if value is None and default:
        return default[0]
    if not isinstance(value, kind) or isinstance(value, bool):
        expected = {str: "text", np.ndarray: "an array"}.get(kind, "a number")  # type: ignore[call-overload]
        raise PoiseError(f'The job\'s "{name}" is {value!r}; expected {expected}')
    return value


def ping(params: dict[str, Any], report: Report) -> Answer:
    """Answer with what was sent: shows that the worker lives."""
    return dict(params), {}


def solve(params: dict[str, Any], report: Report) -> Answer:
    """`solve_file` as a job.

    Returns:
        summary, labels, rate, gender and body_name; arrays poses, trans, betas, frame_status and markers (F, M, 3).
    """
    solution = solve_file(params, report)
    motion = solution.motion
    data = {
        "summary": solution.summary,
        "labels": list(solution.labels),
        "rate": motion.rate,
        "gender": motion.gender,
        "body_name": motion.body_name,
    }
    arrays = {"poses": motion.poses, "trans": motion.trans, "betas": motion.betas, "markers": solution.markers}
    if motion.frame_status is not None:
        arrays["frame_status"] = motion.frame_status
    return data, arrays


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
    R_local, trans = (_parameter(params, name, np.ndarray) for name in ("R_local", "trans"))
    rest = _rest_joints(params)
    rate, amount = _parameter(params, "rate", (int, float)), _parameter(params, "amount", (int, float), 1.0)
    name = _parameter(params, "prior", str, "vae")
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
    camera = Camera(*(_parameter(params, f.name, np.ndarray) for f in fields(Camera)))
    seen = ImageTargets(
        _parameter(params, "joints", list), _parameter(params, "pixels", np.ndarray), camera,
        sigma=_parameter(params, "sigma", (int, float)),
    )  # fmt: skip
    body, prior = body_from_joints(_rest_joints(params)), load_prior(_parameter(params, "prior", str, "vae"))
    rate = _parameter(params, "rate", (int, float))
    found = solve_targets(
        body, prior, [seen], robust=_SLIPPED, rate=rate, report=lambda fraction: report(fraction, "Solving")
    )
    misses = found.residual[np.isfinite(found.residual)]
    data = {"missed": float(np.median(misses)), "astray": float(np.mean(misses > _SLIPPED * seen.sigma))}
    return data, {"R_local": found.R_local, "trans": found.trans, "status": found.status}


def _rest_joints(params: dict[str, Any]) -> np.ndarray:
    rest = _parameter(params, "rest_joints", np.ndarray)
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
    return asdict(probe(_parameter(params, "device", str, "auto"), report)), {}


JOBS: dict[str, Callable[[dict[str, Any], Report], Answer]] = {
    "ping": ping,
    "solve": solve,
    "denoise": denoise,
    "pictures": pictures,
    "test": test,
}
