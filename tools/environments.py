# SPDX-License-Identifier: Apache-2.0
"""The virtual environments under .venv, built from pinned requirements and repaired when an install was interrupted."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from . import ROOT
from .stages import BuildError, must, say, stage


@dataclass(frozen=True)
class Environment:
    """A virtual environment: its folder under .venv, the Python it needs and its requirement files, in order.

    The first file may bring dependencies of its own; the later ones are installed exactly as listed.
    """

    name: str
    python: str
    requirements: tuple[str, ...]


CORE = Environment("core", "3.11", ("torch.txt", "core.txt"))
BLENDER = Environment("blender", "3.11", ("blender.txt",))
BLENDER_52 = Environment("blender52", "3.13", ("blender52.txt",))
DOCS = Environment("docs", "3.11", ("docs.txt",))


def ready(environment: Environment) -> Path:
    """The Python of an environment, which is built first where it is missing, outdated or half installed.

    Raises:
        BuildError: no such Python here, or the install failed.
    """
    folder = ROOT / ".venv" / environment.name
    python = python_of(folder)
    stamp, wanted = folder / "complete.stamp", _fingerprint(environment)
    if stamp.is_file() and stamp.read_text() == wanted and python.exists():
        return python
    base = find_python(environment.python)
    if base is None:
        raise BuildError(f"Python {environment.python} is not here; install it and run this again")
    with stage(f"Install .venv/{environment.name} (Python {environment.python}; once, some minutes)"):
        failure = f"Python {environment.python} could not make .venv; on Debian install python3-venv"
        must([base, "-m", "venv", "--clear", folder], failure)
        pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
        for number, file in enumerate(environment.requirements):
            closed = ["--no-deps"] if number else []
            must([*pip, *closed, "-r", ROOT / "requirements" / file], f"pip could not install {file}")
        stamp.write_text(wanted)
    return python


def python_of(folder: Path) -> Path:
    """The Python of the virtual environment in a folder."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _fingerprint(environment: Environment) -> str:
    digest = hashlib.sha256(environment.python.encode())
    for file in environment.requirements:
        digest.update((ROOT / "requirements" / file).read_bytes())
    return digest.hexdigest()


def find_python(version: str) -> str | None:
    """A Python of the given version ("3.11") that really runs: this one, one on the path, or one that pyenv holds."""
    if sys.version_info[:2] == tuple(int(part) for part in version.split(".")):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python"))]
    return next((str(path) for path in candidates if path and _runs(str(path), version)), None)


def _runs(python: str, version: str) -> bool:
    """Whether a Python starts and is of that version: a shim may exist with nothing behind it."""
    code = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])'
    try:
        answer = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.stdout.strip() == version


_APT_OF_LIBRARY = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libXxf86vm.so.1": "libxxf86vm1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libgomp.so.1": "libgomp1",
}


def ready_blender(environment: Environment) -> Path:
    """The Python of an environment with Blender in it, once Blender's system libraries are known to be there.

    Raises:
        BuildError: libraries are missing; the message is the command that installs them.
    """
    python = ready(environment)
    if sys.platform == "linux" and (missing := _missing_libraries(python)):
        packages = sorted({_APT_OF_LIBRARY.get(name, name) for name in missing})
        say(f"Blender needs system libraries that are not here: {', '.join(missing)}")
        raise BuildError(f"run this first:  apt-get update && apt-get install -y {' '.join(packages)}")
    return python


def _missing_libraries(python: Path) -> list[str]:
    """Names of the shared libraries that Blender's module asks for and the system does not have."""
    modules = list(python.parents[1].glob("lib/python*/site-packages/bpy/__init__*.so"))
    listing = subprocess.run(["ldd", *modules], capture_output=True, text=True).stdout
    return sorted({line.split()[0] for line in listing.splitlines() if "not found" in line})
