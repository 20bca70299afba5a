# SPDX-License-Identifier: Apache-2.0
"""The jobs of takes, which the command line runs too: find out what the labels mean, and solve."""

from pathlib import Path
from typing import Any

import numpy as np

from .errors import PoiseError
from .job_params import Answer, Report, body_of, known_betas, parameter, shown
from .mocap.c3d import C3D, FASTEST
from .mocap.calibration_file import calibration_of, skin_place
from .mocap.label_take import label_take
from .mocap.marker_points import SkinPlace
from .mocap.solve_take import TakeOptions, TakeSolution, solve_take
from .mocap.takes import read_take
from .prior import load_prior

_AXES = ("X", "Y", "Z", "-X", "-Y", "-Z")


def take_of(params: dict[str, Any]) -> C3D:
    """The take of a job: a file, or arrays.

    Params:
        take: path of a C3D or TRC file. Or instead points: an array (F, P, 3), metres, NaN where unseen; labels: P
        names; rate: Hz.

    Raises:
        PoiseError: a parameter or the file is not what it has to be.
    """
    if params.get("points") is None:
        return read_take(Path(parameter(params, "take", str)))
    if params.get("take") is not None:
        raise PoiseError('The job holds "take" and "points"; expected a file or arrays, not both')
    points, labels = parameter(params, "points", np.ndarray), parameter(params, "labels", list)
    rate = parameter(params, "rate", (int, float))
    if points.ndim != 3 or points.shape[2] != 3 or not points.size or points.dtype.kind not in "fiu":
        raise PoiseError(f"The job's points are {shown(points)}; expected (frames, points, 3) numbers, metres")
    if len(labels) != points.shape[1] or not all(isinstance(label, str) for label in labels):
        raise PoiseError(f"The job names {len(labels)} labels; expected {points.shape[1]} texts, one a point")
    if not 0 < rate <= FASTEST:
        raise PoiseError(f"The job's rate is {rate:g} Hz; expected more than 0, at most {FASTEST:g}")
    with np.errstate(over="ignore"):
        points = points.astype(np.float32)
    unseen = ~np.isfinite(points).all(-1)
    points[unseen] = np.nan
    return C3D(
        points, np.where(unseen, -1, 0).astype(np.float32), tuple(labels), float(rate), "m", 1, "Z", (), (), "", ()
    )


def solve_file(params: dict[str, Any], report: Report) -> TakeSolution:
    """Solve a take.

    Params:
        take, or points, labels and rate: as `take_of` says. up_axis: of arrays, such as "Z" or "-Y", for certain;
        without, the body says.
        body: path of a body file; the default body without. prior: name or path.
        layout: "auto", a name or a file. shape: "auto", "none" or a motion file; or betas: a list of numbers.
        subject: the prefix of the labels of one of several people.
        columns: a list of [column, marker], the user's own map. places: a list of [marker, three vertices, their
        weights, height in metres]. calibration: what an earlier solve answered.
        fps: Hz. first, last: source frames. Those that are missing or null have the defaults of `TakeOptions`.

    Raises:
        PoiseError: a parameter or a file is not what it has to be.
    """
    report(0.0, "Reading the take")
    take = take_of(params)
    body = body_of(parameter(params, "body", str, None))
    betas, calibration = parameter(params, "betas", list, None), parameter(params, "calibration", dict, None)
    options = TakeOptions(
        layout=parameter(params, "layout", str, "auto"),
        subject=parameter(params, "subject", str, None),
        columns=_columns(params),
        places=_places(params),
        betas=known_betas(parameter(params, "shape", str, "auto"), body) if betas is None else _betas(betas),
        calibration=None if calibration is None else calibration_of(calibration),
        fps=parameter(params, "fps", (int, float), None),
        first=parameter(params, "first", int, 0),
        last=parameter(params, "last", int, None),
        up_axis=None if params.get("points") is None else _up_axis(params),
        device=parameter(params, "device", str, "auto"),
    )
    return solve_take(take, body, load_prior(parameter(params, "prior", str, "vae")), options, report)


def solve(params: dict[str, Any], report: Report) -> Answer:
    """`solve_file` as a job.

    Returns:
        summary, labels, rate, gender, body_name, columns (a list of [column, marker]) and calibration; arrays poses,
        trans, betas, frame_status, markers (F, M, 3) and residual (F, M), metres, NaN where unseen.
    """
    solution = solve_file(params, report)
    motion = solution.motion
    data = {
        "summary": solution.summary,
        "labels": list(solution.labels),
        "rate": motion.rate,
        "gender": motion.gender,
        "body_name": motion.body_name,
        "columns": [[column, marker] for column, marker in solution.columns.items()],
        "calibration": solution.calibration.as_dict(),
    }
    arrays = {"poses": motion.poses, "trans": motion.trans, "betas": motion.betas}
    arrays |= {"markers": solution.markers, "residual": solution.residual}
    if motion.frame_status is not None:
        arrays["frame_status"] = motion.frame_status
    return data, arrays


def label(params: dict[str, Any], report: Report) -> Answer:
    """Find out what the columns of a take show, by their labels or, where there are none, by how the points move.

    Params:
        take, or points, labels and rate; up_axis, body, prior, layout, subject: as `solve_file` says.

    Returns:
        layout, subject, confidence, columns (a list of [column, marker]), unmapped and notes.

    Raises:
        PoiseError: a parameter or a file is not what it has to be, or no layout fits.
    """
    report(0.0, "Reading the take")
    take, body = take_of(params), body_of(parameter(params, "body", str, None))
    prior = load_prior(parameter(params, "prior", str, "vae"))
    layout, subject = parameter(params, "layout", str, "auto"), parameter(params, "subject", str, None)
    found = label_take(take, layout, body, prior, report, subject)
    data = {
        "layout": found.layout,
        "subject": found.subject,
        "confidence": round(found.confidence, 3),
        "columns": [[column, marker] for column, marker in found.columns.items()],
        "unmapped": list(found.unmapped),
        "notes": list(found.notes),
    }
    return data, {}


def _up_axis(params: dict[str, Any]) -> str | None:
    axis = parameter(params, "up_axis", str, None)
    if axis not in (None, *_AXES):
        raise PoiseError(f'The job\'s "up_axis" is {shown(axis)}; expected one of {", ".join(_AXES)}')
    return axis


def _columns(params: dict[str, Any]) -> dict[int, str] | None:
    rows = parameter(params, "columns", list, None)
    if rows is None:
        return None
    columns: dict[int, str] = {}
    for row in rows:
        if not (isinstance(row, list) and len(row) == 2 and type(row[0]) is int and isinstance(row[1], str)):
            raise PoiseError(f"The job's columns hold {shown(row)}; expected [column, marker]")
        if columns.setdefault(row[0], row[1]) != row[1]:
            raise PoiseError(f"The job maps column {row[0]} to {columns[row[0]]} and {row[1]}; keep one of them")
    return columns


def _places(params: dict[str, Any]) -> dict[str, SkinPlace]:
    places = {}
    for row in parameter(params, "places", list, []):
        if not (isinstance(row, list) and len(row) == 4 and isinstance(row[0], str) and row[0]):
            raise PoiseError(f"The job's places hold {shown(row)}; expected [marker, vertices, weights, height]")
        places[row[0]] = skin_place(*row)
    return places


def _betas(betas: list[Any]) -> np.ndarray:
    if not all(isinstance(beta, (int, float)) and not isinstance(beta, bool) for beta in betas):
        raise PoiseError(f"The job's betas are {shown(betas)}; expected a list of numbers")
    return np.array(betas, float)
