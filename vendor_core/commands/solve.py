# SPDX-License-Identifier: Apache-2.0
"""C3D takes to motion files."""

import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from ..errors import PoiseError
from ..mocap.calibration_file import read_calibration
from ..motion import write_motion
from ..take_jobs import solve_file
from .shared import progress


def solve(options: Namespace) -> dict[str, Any]:
    """C3D takes to motion files; one take to a file, several into a folder, where one that fails stops no other."""
    targets = _targets(options.takes, options.out)
    params = {"body": options.body and str(options.body), "prior": options.prior, "layout": options.layout}
    params |= {"shape": options.shape, "fps": options.fps, "device": options.device, "subject": options.prefix}
    if options.subject is not None:
        params["calibration"] = read_calibration(options.subject).as_dict()
    if len(targets) == 1:
        result = _solve(options.takes[0], targets[0], params)
        print(f"device: {result['device']}", file=sys.stderr)
        return result
    results, failed = [], []
    for take, target in zip(options.takes, targets, strict=True):
        try:
            results.append(_solve(take, target, params))
        except PoiseError as error:
            failed.append({"take": str(take), "error": " ".join(str(error).split())})
    if results:
        print(f"device: {results[0]['device']}", file=sys.stderr)
    return {"takes": results, "failed": failed}


def _solve(take: Path, target: Path, params: dict[str, Any]) -> dict[str, Any]:
    """One take to its motion file; what `--json` says of it."""
    with progress(take.name) as report:
        solution = solve_file(params | {"take": str(take)}, report)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_motion(target, solution.motion)
    s = solution.summary
    print(f"{target}: {s['frames']} frames, median {s['median_mm']} mm, {s['frames_per_second']} frames a second")
    for note in s["notes"]:
        print(f"  {note}")
    return {"take": str(take), "motion": str(target), **s}


def _targets(takes: list[Path], out: Path) -> list[Path]:
    if out.suffix == ".npz" and len(takes) == 1:
        return [out]
    if out.suffix == ".npz":
        raise PoiseError(f"{len(takes)} takes do not fit into {out.name}; expected a folder after -o")
    targets = [out / f"{take.stem}.npz" for take in takes]
    if len(set(targets)) < len(targets):
        raise PoiseError("two takes have one name; expected different names, since each motion is named after its take")
    folder = next(place for place in (out, *out.absolute().parents) if place.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise PoiseError(f"{folder} is no folder to write to; expected a folder or an .npz file after -o")
    return targets
