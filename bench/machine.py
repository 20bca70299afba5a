# SPDX-License-Identifier: Apache-2.0
"""What a figure was measured on, in a few words."""

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from vendor_core.linalg import has_blas


def machine_text(device: str = "cpu", threads: int | None = 1) -> str:
    """Processor, cores, Python, NumPy with or without BLAS, torch where it is installed, the GPU where it is used."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    at_work = "" if threads is None else f", {threads} {'thread' if threads == 1 else 'threads'}"
    parts = [f"{_processor()}, {cores} cores{at_work}"]
    if device == "cuda":
        parts.append(_gpu())
    blas = "with BLAS" if has_blas() else "without BLAS"
    parts.append(f"Python {platform.python_version()}, NumPy {np.__version__} {blas}")
    try:
        parts.append(f"torch {version('torch')}")
    except PackageNotFoundError:
        parts.append("no torch")
    return "; ".join(parts)


def peak_memory() -> float:
    """The most memory that this process has had, GB."""
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _gpu() -> str:
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "no GPU"
    lines = answer.stdout.splitlines()
    return lines[0].strip() if answer.returncode == 0 and lines else "no GPU"
