# SPDX-License-Identifier: Apache-2.0
"""The library as its users get it: a wheel, and an environment that holds it and nothing else."""

import shutil
import sys
import tempfile
from pathlib import Path

from . import ROOT
from .environments import find_python, python_of
from .package import sources
from .stages import BuildError, must, say, stage

PYTHON = "3.11"
_FILES = ("pyproject.toml", "README.md", "LICENSES/Apache-2.0.txt", "LICENSES/CC0-1.0.txt")
_EPOCH = {"SOURCE_DATE_EPOCH": "315532800"}  # 1980, the first that a zip can hold: equal sources, equal bytes
_PINS = ("torch.txt", "core.txt")  # the versions that the other environments have, and no need of anything else
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")


def build_wheel() -> Path:
    """Write dist/poise-VERSION-py3-none-any.whl, in place of older ones; its path.

    It is built from a copy of the sources: setuptools leaves folders behind, which a later wheel would take up.

    Raises:
        BuildError: pip could not build it.
    """
    with stage("Package the library"), tempfile.TemporaryDirectory() as temporary:
        copy, made = Path(temporary) / "source", Path(temporary) / "made"
        for path in (*sources(), *(ROOT / name for name in _FILES)):
            name = path.relative_to(ROOT)
            if name.parts[0] == "vendor_core" or name.as_posix() in _FILES:
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy / name)
        build = [sys.executable, *_PIP, "wheel", "--quiet", "--no-deps", "--wheel-dir", made, copy]
        must(build, "pip could not build the wheel", _EPOCH)
        (built,) = made.glob("*.whl")
        target = ROOT / "dist" / built.name
        target.parent.mkdir(exist_ok=True)
        for older in target.parent.glob("*.whl"):  # so that dist/*.whl is this one
            older.unlink()
        shutil.move(built, target)
        say(f"    {target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.1f} MB")
    return target


def clean_environment(wheel: Path) -> Path:
    """The Python of an environment made anew, in which the wheel is installed with what it asks for, without PyTorch.

    Raises:
        BuildError: no such Python here, or pip refused.
    """
    base = find_python(PYTHON)
    if base is None:
        raise BuildError(f"Python {PYTHON} is not here; install it and run this again")
    folder = ROOT / ".cache" / "library"
    must([base, "-m", "venv", "--clear", folder], f"Python {PYTHON} could not make {folder}")
    python = python_of(folder)
    _install(python, f"{wheel}[report]")
    return python


def add_torch(python: Path) -> None:
    """Install PyTorch beside it.

    Raises:
        BuildError: pip refused.
    """
    _install(python, "torch")


def _install(python: Path, what: str) -> None:
    pins = [part for file in _PINS for part in ("-c", ROOT / "requirements" / file)]
    must([python, *_PIP, "install", "--quiet", "--progress-bar", "off", *pins, what], f"pip could not install {what}")
