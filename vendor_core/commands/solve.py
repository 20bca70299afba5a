# SPDX-License-Identifier: Apache-2.0
"""C3D takes to motion files."""

import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from ..errors import PoiseError
from ..motion import write_motion
from ..take_jobs import solve_file
from .shared import progress


def solve(options: Namespace) -> dict[str, Any]:
    """C3D takes to motion files; one take to a file, several into a folder."""
    targets = _targets(options.takes, options.out)
    results = []
    for take, target in zip(options.takes, targets, strict=True):
        params = {"take": str(take), "body": options.body and str(options.body), "prior": options.prior}
        params |= {"layout": options.layout, "shape": options.shape, "fps": options.fps, "device": options.device}
        with progress(take.name) as report:
            solution = solve_file(params, report)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_motion(target, solution.motion)
        s = solution.summary
        print(f"{target}: {s['frames']} frames, median {s['median_mm']} mm, {s['frames_per_second']} frames a second")
        for note in s["notes"]:
            print(f"  {note}")
        results.append({"take": str(take), "motion": str(target), **s})
    print(f"device: {results[0]['device']}", file=sys.stderr)
    return results[0] if len(results) == 1 else {"takes": results}


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
