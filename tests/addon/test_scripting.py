# SPDX-License-Identifier: Apache-2.0
"""The page about scripts is true: its list of operators is what is registered, and its example runs."""

import os
import subprocess
import sys
from pathlib import Path

import bpy
from conftest import REPO, USER_RESOURCES
from operators_page import BEGIN, END, listing

_PAGE = REPO / "docs" / "scripting.md"
_EXAMPLE = REPO / "docs" / "examples" / "blender" / "poses_and_motion.py"
_START = """
import os, runpy, sys
import bpy
bpy.ops.preferences.addon_enable(module="bl_ext.user_default.poise")
status = 1
try:
    runpy.run_path(sys.argv[1])
    status = 0
finally:
    sys.stdout.flush()
    sys.stderr.flush()
    if not status:
        os._exit(0)
"""


def test_the_page_lists_every_operator_with_every_parameter(poise: str) -> None:
    before, rest = _PAGE.read_text(encoding="utf-8").split(BEGIN)
    listed, after = rest.split(END)
    found = listing()
    fresh = REPO / ".cache" / "scripting.md"
    if listed.strip() != found.strip():
        fresh.parent.mkdir(exist_ok=True)
        fresh.write_text(f"{before}{BEGIN}\n{found.rstrip()}\n\n{END}{after}", encoding="utf-8")
    assert listed.strip() == found.strip(), f"docs/scripting.md is out of date: put {fresh.relative_to(REPO)} there"


def test_the_example_makes_what_it_says(poise: str, tmp_path: Path) -> None:
    target = tmp_path / "motion.blend"
    command = [sys.executable, "-c", _START, str(_EXAMPLE), "--", str(target)]
    env = {**os.environ, "BLENDER_USER_RESOURCES": USER_RESOURCES}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Refused: Error: " in done.stdout and "no-such-take.c3d" in done.stdout
    bpy.ops.wm.open_mainfile(filepath=str(target))
    body = bpy.data.objects["Body"]
    assert [pose.name for pose in body.poise.poses] == ["Seed 3", "Seed 14", "Seed 15"]
    action = body.animation_data.action
    assert action.name.endswith("Denoised") and tuple(action.frame_range) == (1.0, 49.0)
    assert body.poise.betas["height"].value == 1.0 and bpy.context.scene.frame_end == 49
