# SPDX-License-Identifier: Apache-2.0
"""The verb `solve`: what it writes, and one line with exit status 2 where a take cannot be solved."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.core.command_line import refused
from tests.core.conftest import REPO
from vendor_core.motion import Motion, read_motion, write_motion


@pytest.mark.parametrize("take", ["cmu_02_01"])
def test_a_take_is_solved(shared_data: Path, tmp_path: Path, take: str) -> None:
    out, facts = tmp_path / "t.npz", tmp_path / "t.json"
    source = shared_data / "c3d" / f"{take}.c3d"
    command = [sys.executable, "-m", "vendor_core", "solve", source, "-o", out, "--json", facts, "--fps", "30"]
    done = subprocess.run([str(part) for part in command], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0 and "device: cpu" in done.stderr and "\r" not in done.stderr
    said, motion = json.loads(facts.read_text()), read_motion(out)
    keys = {"frames", "rate", "seconds", "frames_per_second", "layout", "mapped", "unmapped", "rms_mm", "median_mm"}
    assert keys | {"rejected_fraction", "frame_status", "markers"} <= set(said)
    assert said["frames"] == len(motion) and said["rate"] == motion.rate == 30
    assert said["median_mm"] <= 8 and said["rejected_fraction"] <= 0.1 and said["frame_status"]["held"] == 0
    assert {"rms_mm", "missing", "rejected"} <= set(said["markers"]["C7"])


def test_betas_of_another_body_are_refused(
    capsys: pytest.CaptureFixture[str], shared_data: Path, tmp_path: Path
) -> None:
    write_motion(tmp_path / "smplx.npz", Motion(np.zeros((2, 55, 3)), np.zeros((2, 3)), betas=np.zeros(10)))
    take = shared_data / "c3d" / "cmu_02_01.c3d"
    line = refused(capsys, "solve", take, "--shape", tmp_path / "smplx.npz", "-o", tmp_path / "never.npz")
    assert "betas of an SMPL body" in line


def test_a_take_that_cannot_be_solved_leaves_no_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "nowhere.c3d" in refused(capsys, "solve", tmp_path / "nowhere.c3d", "-o", tmp_path / "new" / "folder")
    (tmp_path / "file").write_text("in the way")
    assert "no folder" in refused(capsys, "solve", tmp_path / "nowhere.c3d", "-o", tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_person_who_is_not_in_the_take(capsys: pytest.CaptureFixture[str], tmp_path: Path, shared_data: Path) -> None:
    take = shared_data / "c3d" / "cmu_02_01.c3d"
    said = refused(capsys, "solve", take, "-o", tmp_path / "t.npz", "--prefix", "Eve")
    assert 'no subject called "Eve"; it holds TakeoMonday (41 markers)' in said
