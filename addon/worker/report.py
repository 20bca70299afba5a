# SPDX-License-Identifier: GPL-3.0-or-later
"""What the last test of the worker found, for the preferences: kept in memory, for it is true of one machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..texts import shown


@dataclass(frozen=True)
class WorkerReport:
    """What was found with these settings."""

    settings: tuple[str, str]  # the interpreter and the device
    lines: tuple[str, ...]
    failed: bool = False


latest: WorkerReport | None = None


def note(report: WorkerReport | None) -> None:
    """Keep a report, or forget the last one."""
    global latest
    latest = report


def lines_of(found: Mapping[str, Any], own: bool) -> tuple[str, ...]:
    """What a test found, for the user.

    Args:
        found: the fields of the core's `probe.Findings`.
        own: whether it was Blender's own interpreter.
    """
    whose = shown("Blender's own Python") if own else "Python"
    blas = shown("with {name}", name=found["blas"]) if found["blas"] else shown("without BLAS")
    where = shown("the processor") if found["device"].startswith("cpu") else found["device"]
    gpus = "; ".join(found["gpus"]) or shown("none ({why})", why=found["no_gpu"])
    return (
        shown("{whose} {python}, NumPy {numpy} {blas}, {cores} cores", whose=whose, blas=blas,
              python=found["python"], numpy=found["numpy"], cores=found["cores"]),
        shown("GPU: {gpus}", gpus=gpus),
        shown("Takes are solved on {device}", device=where),
        shown("A step of a drag takes {live:.1f} ms, a frame of a take {frame:.2f} ms",
              live=found["ms_live"], frame=found["ms_frame"]),
    )  # fmt: skip
