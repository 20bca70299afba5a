# SPDX-License-Identifier: Apache-2.0
"""The benchmark: the figures of the solver in a table and in out/bench.json."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import ROOT
from .environments import CORE, Environment, find_python, ready
from .stages import BuildError, must, run, say, stage

NOBLAS = Environment("noblas", "3.11", ("wheels.txt",))
_NUMPY = "1.26.4"
_GIVEN = ROOT.parent / "shared" / "data" / "wheels" / "numpy-without-blas"
_BUILT = ROOT / ".cache" / "numpy-without-blas"
_WITHOUT = ("-Dblas=none", "-Dlapack=none", "-Dallow-noblas=true")
_HAS_NO_BLAS = """
import importlib.util, sys
if importlib.util.find_spec("numpy") is None:
    sys.exit(1)
from vendor_core.linalg import has_blas
sys.exit(has_blas())
"""


@dataclass(frozen=True)
class BenchOptions:
    """What to measure; the defaults are all figures that need no GPU, with BLAS."""

    without_blas: bool = False
    device: str = "cpu"
    split: str = "test"
    only: Sequence[str] = ()


def benchmark(options: BenchOptions) -> int:
    """Measure, show a table and write out/bench.json.

    Returns:
        0, or 1 where a figure could not be measured for a reason other than what this machine lacks.

    Raises:
        BuildError: an environment could not be made.
    """
    python = ready(CORE)
    command = [python, "-m", "bench", "--out", ROOT / "out", "--device", options.device, "--split", options.split]
    if options.without_blas:
        command += ["--without-blas", ready_without_blas()]
    if options.only:
        command += ["--only", *options.only]
    status = run(command)
    if status not in (0, 1):
        raise BuildError(f"the benchmark stopped with exit status {status}")
    say("    out/bench.json")
    return status


def ready_without_blas() -> Path:
    """The Python of .venv/noblas, whose NumPy has no BLAS, as that of Blender's own builds.

    Raises:
        BuildError: NumPy could not be had or built so.
    """
    python = ready(NOBLAS)
    if run([python, "-c", _HAS_NO_BLAS]):
        with stage(f"Install NumPy {_NUMPY} without BLAS into .venv/noblas"):
            must([python, *_PIP, "install", "--no-deps", _wheel()], "pip could not install NumPy without BLAS")
            must([python, "-c", _HAS_NO_BLAS], "the NumPy in .venv/noblas has a BLAS; remove .venv/noblas")
    return python


_PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")


def _wheel() -> Path:
    """A wheel of NumPy without BLAS: the one of the development data, one built before, or one built now."""
    for folder in (_GIVEN, _BUILT):
        if found := sorted(folder.glob(f"numpy-{_NUMPY}-cp311-*.whl")):
            return found[0]
    base = find_python(NOBLAS.python)
    if base is None:
        raise BuildError(f"Python {NOBLAS.python} is not here; install it and run this again")
    settings = [f"-Csetup-args={flag}" for flag in _WITHOUT]
    build = [base, *_PIP, "wheel", "--no-deps", "--no-binary=numpy", f"numpy=={_NUMPY}", "-w", _BUILT, *settings]
    must(build, "NumPy could not be built; it needs a C and a C++ compiler (on Debian: build-essential)")
    return sorted(_BUILT.glob(f"numpy-{_NUMPY}-cp311-*.whl"))[0]
