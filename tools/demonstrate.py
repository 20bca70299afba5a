# SPDX-License-Identifier: Apache-2.0
"""The demo: the built extension in real Blender, from nothing to a contact sheet."""

from pathlib import Path

from . import ROOT
from .environments import BLENDER, ready_blender
from .package import package
from .stages import BuildError, run, say, stage


def demonstrate(take: Path | None) -> int:
    """Run the demo, on a take of the user's where one is given.

    Returns:
        0, or 2 where the take cannot be used.

    Raises:
        BuildError: Blender or the package is not to be had, or the demo broke.
    """
    if take is not None and not take.is_file():
        raise BuildError(f"{take} does not exist; give the path of a C3D file")
    python = ready_blender(BLENDER)
    zip_file = package()
    out = ROOT / "out"
    out.mkdir(exist_ok=True)
    with stage("Run the demo in Blender"):
        status = run([python, "-m", "demo", zip_file, out, *([take.resolve()] if take else [])])
    if status == 0:
        say("    " + ", ".join(f"out/{name}" for name in ("demo.png", "demo.blend", "demo.json")))
    elif status != 2:
        raise BuildError(f"the demo stopped with exit status {status}")
    return status
