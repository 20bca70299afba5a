# SPDX-License-Identifier: GPL-3.0-or-later
"""What the last test of the worker found, for the preferences: kept in memory, for it is true of one machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
    whose = "Blender's own Python" if own else "Python"
    blas = f"with {found['blas']}" if found["blas"] else "without BLAS"
    where = "the processor" if found["device"].startswith("cpu") else found["device"]
    gpus = "; ".join(found["gpus"]) or f"none ({found['no_gpu']})"
    return (
        f"{whose} {found['python']}, NumPy {found['numpy']} {blas}, {found['cores']} cores",
        f"GPU: {gpus}",
        f"Takes are solved on {where}",
        f"A step of a drag takes {found['ms_live']:.1f} ms, a frame of a take {found['ms_frame']:.2f} ms",
    )
