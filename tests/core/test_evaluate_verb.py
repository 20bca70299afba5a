# SPDX-License-Identifier: Apache-2.0
"""The verb `evaluate`: figures for every prior and baseline, a page, and one line where the input is at fault."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.core.command_line import refused
from tests.core.motion_folders import amass_folder, write_amass
from tests.core.test_training import pack
from vendor_core.cli import main
from vendor_core.evaluation.data import read_evaluation_data
from vendor_core.npz import write_npz
from vendor_core.training.gather import gather

SHIPPED = Path(__file__).parents[2] / "vendor_core" / "prior" / "weights" / "vae.npz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "motion"
    data.mkdir()
    for split in ("train", "val"):
        write_npz(data / f"{split}.npz", pack())
    return data


def test_priors_are_measured_side_by_side(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    other, facts = tmp_path / "other.npz", tmp_path / "facts.json"
    other.write_bytes(SHIPPED.read_bytes())
    arguments = ["--data", folder, "--split", "val", "--only", "reconstruction", "--json", facts]
    assert main(["evaluate", "--prior", "vae", str(other), *map(str, arguments)]) == 0
    said = json.loads(facts.read_text())
    assert set(said) == {"vae", "other"} and set(said["vae"]) == {"reconstruction"}
    assert said["vae"]["reconstruction"] == said["other"]["reconstruction"]
    printed = capsys.readouterr().out
    assert "Reconstruction" in printed and printed.splitlines()[0].split() == ["vae", "other"]


def test_a_file_of_motion_stands_for_its_folder_and_split(folder: Path, tmp_path: Path) -> None:
    facts = [tmp_path / "a.json", tmp_path / "b.json"]
    for place, path in zip((["--data", folder, "--split", "val"], ["--data", folder / "val.npz"]), facts, strict=True):
        assert main(["evaluate", *map(str, place), "--only", "reconstruction", "--json", str(path)]) == 0
    assert facts[0].read_text() == facts[1].read_text()


def test_folders_of_people_are_judged_on_those_whom_training_holds_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people, facts = amass_folder(tmp_path / "people", 24), tmp_path / "facts.json"
    write_amass(people / "CMU" / "subject0" / "short.npz", 0, trans=np.zeros((1, 3)))
    data = read_evaluation_data(people, "subjects")
    held_out = gather([people], "subjects", lambda _fraction, _text: None, lambda _text: None).held_out
    assert held_out is not None and data.split == "subjects"
    np.testing.assert_array_equal(data.held_out.R, held_out.R)
    assert len(data.clips) == 8  # of one person of three; 0.2 s, whose middle is used
    for clip in data.clips:
        apart = np.abs(held_out.R[:, None] - clip[None, :, 1:]).max((-1, -2, -3)).min(1)
        assert len(clip) >= 5 and apart.min() < 1e-6
    assert main(["evaluate", "--data", str(people), "--only", "reconstruction", "--json", str(facts)]) == 0
    assert set(json.loads(facts.read_text())["vae"]) == {"reconstruction"}
    assert "1 files were skipped (" in capsys.readouterr().err


def test_a_prior_called_like_a_baseline_keeps_apart_from_it(folder: Path, tmp_path: Path) -> None:
    other, facts = tmp_path / "GMM.npz", tmp_path / "facts.json"
    other.write_bytes(SHIPPED.read_bytes())
    arguments = ["--data", folder, "--split", "val", "--only", "reconstruction", "--json", facts]
    assert main(["evaluate", "--prior", str(other), *map(str, arguments)]) == 0
    assert set(json.loads(facts.read_text())) == {str(other)}


def test_bad_input_is_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken, empty, alike = tmp_path / "broken", tmp_path / "empty", tmp_path / "alike"
    for place in (broken, empty, alike):
        place.mkdir()
        write_npz(place / "train.npz", pack())
    write_npz(broken / "val.npz", pack(poses=np.full((300, 22, 3), np.nan)))
    write_npz(empty / "val.npz", pack(length=np.zeros(2, np.int32)))
    write_npz(alike / "val.npz", pack(poses=np.zeros((300, 22, 3), np.float32)))
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "train.npz").write_text("no archive")
    (tmp_path / "text" / "val.npz").write_text("no archive")
    amass_folder(tmp_path / "people", 8)
    page = tmp_path / "page.png"
    for words, *arguments in (
        ("required", "--split", "val"),
        ("nowhere", "--data", tmp_path / "nowhere"),
        ("test.npz", "--data", folder),
        ("come split", "--data", folder, "--split", "amass"),
        ("subjects or amass", "--data", tmp_path / "people", "--split", "val"),
        ("nobody to judge on", "--data", tmp_path / "people" / "CMU" / "subject0"),
        ("not finite", "--data", broken, "--split", "val"),
        ("no usable frame", "--data", empty, "--split", "val"),
        ("npz", "--data", tmp_path / "text", "--split", "val"),
        ("nobody", "--data", folder, "--split", "val", "--prior", "nobody"),
        ("given twice", "--data", folder, "--split", "val", "--prior", "vae", "vae"),
        ("reconstruction", "--data", folder, "--split", "val", "--only", "everything"),
        ("trained on", "--data", folder / "train.npz"),
        ("no two poses", "--data", alike, "--split", "val", "--only", "interpolation"),
        (".png or .pdf", "--data", folder, "--split", "val", "-o", tmp_path / "page.txt"),
        ("cannot be written", "--data", folder, "--split", "val", "-o", tmp_path / "no" / "page.png"),
    ):
        line = refused(capsys, "evaluate", *arguments)
        assert words in line, line
    assert not page.exists() and not list(tmp_path.glob("*.part"))
