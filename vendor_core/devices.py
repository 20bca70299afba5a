# SPDX-License-Identifier: Apache-2.0
"""Where to compute: NumPy on the processor, or torch on an accelerator, chosen and explained."""

import ctypes
import importlib.util
import sys
from dataclasses import dataclass

import numpy as np

from .arrays import Array
from .errors import PoiseError
from .parallel import cores

NAMES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Device:
    """A place to compute."""

    like: Array  # an array of the kind, dtype (float32) and device to compute with
    why: str  # what was chosen and why, for the user


def chosen_device(name: str) -> Device:
    """The device of a name: "cpu", "cuda", "mps", or "auto" for CUDA where there is one.

    MPS is used only where it is asked for: not tested.

    Raises:
        PoiseError: no such device here.
    """
    if name not in NAMES:
        raise PoiseError(f'no device is called "{name}"; expected one of: {", ".join(NAMES)}')
    if name == "cpu":
        return Device(np.zeros(1, np.float32), f"cpu, as asked for: NumPy {np.__version__} on {cores()} cores")
    reason = _why_not("cuda" if name == "auto" else name)
    if reason and name != "auto":
        raise PoiseError(f"--device {name}: {reason}; use --device cpu or auto")
    if reason:
        return Device(np.zeros(1, np.float32), f"cpu: NumPy {np.__version__} on {cores()} cores; {reason}")
    import torch

    kind = "cuda" if name == "auto" else name
    title = torch.cuda.get_device_name() if kind == "cuda" else "Apple GPU"
    return Device(torch.zeros(1, dtype=torch.float32, device=kind), f"{kind}: {title}, torch {torch.__version__}")


@dataclass(frozen=True)
class Accelerator:
    """A device that torch can compute on."""

    name: str  # of `NAMES`
    title: str  # for the user
    memory: int  # bytes; 0 where it has none of its own


def accelerators() -> tuple[list[Accelerator], str]:
    """What torch finds here, and why not more: empty where CUDA is among it. Imports torch where a GPU is possible."""
    found, reason = [], _why_not("cuda")
    if not reason:
        import torch

        for i in range(torch.cuda.device_count()):
            facts = torch.cuda.get_device_properties(i)
            found.append(Accelerator("cuda", facts.name, facts.total_memory))
    if sys.platform == "darwin" and not _why_not("mps"):
        found.append(Accelerator("mps", "Apple GPU", 0))
    return found, reason


def is_accelerated(x: Array) -> bool:
    """Whether an array lives on an accelerator, where the host should not wait for each answer."""
    return type(x) is not np.ndarray and x.device.type != "cpu"


def out_of_memory(problem: RuntimeError) -> bool:
    """Whether an error of torch says that a device's memory is used up; what it held in reserve is then given back."""
    import torch

    if not isinstance(problem, torch.OutOfMemoryError):
        return False
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return True


def _why_not(kind: str) -> str:
    """Why torch has no such device here; empty where it has."""
    if importlib.util.find_spec("torch") is None:
        return "torch is not installed"
    if kind == "cuda" and not _has_cuda_driver():
        return "there is no NVIDIA driver"  # known without the seconds that importing torch takes
    import torch

    there = torch.cuda.is_available() if kind == "cuda" else torch.backends.mps.is_available()
    return "" if there else f"torch {torch.__version__} finds no {kind} device"


def _has_cuda_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
