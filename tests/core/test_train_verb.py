# SPDX-License-Identifier: Apache-2.0
"""The verb `train`: what it leaves beside the weights, what it tells, and one line where the input is at fault."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.core.command_line import refused
from tests.core.motion_folders import amass_folder, write_amass
from vendor_core.cli import main
from vendor_core.commands.train import LogLines
from vendor_core.prior import load_prior


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return amass_folder(tmp_path / "people", 24)


def test_it_trains_on_folders_and_tells_what_it_skipped(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="torch is not installed, which training needs")
    write_amass(people / "CMU" / "subject0" / "short.npz", 0, trans=np.zeros((1, 3)))
    (people / "CMU" / "subject0" / "half.npz").write_bytes(b"PK")
    out, facts = tmp_path / "mine.npz", tmp_path / "facts.json"
    arguments = [
        "--data",
        people / "CMU",
        "--data",
        people,
        "-o",
        out,
        "--steps",
        4,
        "--device",
        "cpu",
        "--json",
        facts,
    ]
    assert main(["train", *map(str, arguments)]) == 0
    told, said = capsys.readouterr(), json.loads(facts.read_text())
    assert "2 files skipped:\n     1  " in told.out and "loss of people held out" in told.out
    assert "they are listed in" in told.err and "half.npz\t" in (tmp_path / "mine.skipped.txt").read_text()
    assert said["people"] == {"train": 2, "val": 1} and said["steps"] == 4 and said["val_loss"] > 0
    assert (tmp_path / "mine.loss.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "mine.checkpoint").exists()
    about = load_prior(out).about
    assert about["attribution"] == "Trained by the user on CMU, people." and about["license"].startswith("none stated")
    assert about["command"] == "python -m vendor_core train --data CMU people -o PRIOR.npz --seed 0 --steps 4"


def test_a_log_gets_lines_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    for every, lines in ((0.0, [" 40%  step 4", " 50%  step 5"]), (3600.0, [])):
        report = LogLines(every)
        report(0.4, "step 4")
        report(0.5, "step 5")
        assert capsys.readouterr().err.splitlines() == lines


def test_faults_are_one_line(people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="torch is not installed, which training needs")
    out = tmp_path / "mine.npz"
    (tmp_path / "empty").mkdir()
    assert "No motion in" in refused(capsys, "train", "--data", tmp_path / "empty", "-o", out)
    assert "does not exist" in refused(capsys, "train", "--data", tmp_path / "nowhere", "-o", out)
    assert "is no folder" in refused(capsys, "train", "--data", people, "-o", tmp_path / "no" / "mine.npz")
    assert "invalid choice" in refused(capsys, "train", "--data", people, "-o", out, "--split", "vposer")
    assert "no number of steps" in refused(capsys, "train", "--data", people, "-o", out, "--steps", 1)
    (tmp_path / "mine.checkpoint").write_text("nothing of the kind")
    assert "delete it to begin anew" in refused(capsys, "train", "--data", people, "-o", out)
    assert not out.exists()
