# SPDX-License-Identifier: Apache-2.0
"""A subject's calibration in a file: from takes, back again, damaged, and used by the verb `solve`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.c3d_writer import c3d_bytes
from tests.core.known_takes import known_take, quiet
from vendor_core.body import default_body
from vendor_core.cli import main
from vendor_core.errors import SubjectError
from vendor_core.mocap.calibrate_takes import calibrate_takes
from vendor_core.mocap.calibration_file import Calibration, read_calibration, write_calibration
from vendor_core.mocap.marker_points import SkinPlace
from vendor_core.mocap.solve_take import TakeOptions, solve_take
from vendor_core.motion import read_motion
from vendor_core.prior import load_prior


def subject() -> Calibration:
    places = {"Watch": SkinPlace((1, 2, 3), (0.25, 0.25, 0.5), 0.01)}
    return Calibration(np.linspace(-1, 1, 10), {"C7": np.array([0.0, 0.01, -0.02]), "Watch": np.zeros(3)}, places)


def test_a_calibration_is_read_as_written(tmp_path: Path) -> None:
    write_calibration(tmp_path / "s.json", subject())
    assert read_calibration(tmp_path / "s.json").as_dict() == subject().as_dict()
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "update Poise"),
        ({"version": "1"}, "update Poise"),
        ({"body": 3}, "names no body"),
        ({"betas": "0"}, "betas"),
        ({"betas": [float("nan")]}, "betas"),
        ({"betas": [True]}, "betas"),
        ({"betas": [1e300]}, "betas"),
        ({"offsets": {"C7": [0.0, 0.0]}}, "offset of C7"),
        ({"offsets": {"C7": [0.0, 0.0, 7.0]}}, "offset of C7"),
        ({"offsets": []}, "offsets"),
        ({"offsets": {"": [0, 0, 0]}}, "offsets"),
        ({"places": {"C7": [1, 2, 3]}}, "place of C7"),
        ({"places": {"C7": {"vertices": [1, 2, 3.5], "barycentric": [1, 0, 0], "height": 0}}}, "vertices"),
        ({"places": {"C7": {"vertices": [1, 2, 3], "barycentric": [1, 0, "x"], "height": 0}}}, "weights"),
        ({"places": {"C7": {"vertices": [1, 2, 10**400], "barycentric": [1, 0, 0], "height": 0}}}, "vertices"),
        ({"take": {"starts": 1}}, "damaged"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    (tmp_path / "s.json").write_text(json.dumps(subject().as_dict() | change))
    with pytest.raises(SubjectError, match=message) as error:
        read_calibration(tmp_path / "s.json")
    assert str(error.value).startswith("s.json: ") and "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1, 2]", b"{", b"[" * 100_000, b"x" * 2_000_000])
def test_what_is_no_calibration_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.json").write_bytes(content)
    with pytest.raises(SubjectError, match="expected what the verb calibrate writes"):
        read_calibration(tmp_path / "s.json")
    with pytest.raises(SubjectError, match="cannot be read"):
        read_calibration(tmp_path / "nowhere.json")


def test_a_calibration_of_another_body_is_refused() -> None:
    other = replace(subject(), body_name="SMPL-X (SMPLX_MALE.npz)")
    with pytest.raises(SubjectError, match="SMPLX_MALE"):
        solve_take(known_take()[0], default_body(), load_prior(), TakeOptions(calibration=other), quiet)


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """One person: twenty frames, a single one, and a file that is no take."""
    folder, take = tmp_path_factory.mktemp("takes"), known_take()[0]
    for name, points in (("some", take.points[40:60]), ("one", take.points[5:6])):
        (folder / f"{name}.c3d").write_bytes(c3d_bytes(1000 * points, take.labels, rate=30.0))
    (folder / "broken.c3d").write_bytes(b"\x02\x50")
    return folder / "some.c3d", folder / "one.c3d", folder / "broken.c3d"


def test_takes_make_a_subject_that_solves_others(
    takes: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some, one, broken = map(str, takes)
    out, facts = str(tmp_path / "s.json"), tmp_path / "facts.json"
    assert main(["calibrate", some, one, "-o", out]) == 0
    assert main(["solve", one, broken, some, "--subject", out, "-o", str(tmp_path / "f"), "--json", str(facts)]) == 2
    assert "broken.c3d" in capsys.readouterr().err
    said = json.loads(facts.read_text())
    assert [row["take"] for row in said["takes"]] == [one, some] and [row["take"] for row in said["failed"]] == [broken]
    assert all(row["median_mm"] < 3 for row in said["takes"])
    for name in ("one", "some"):
        motion = read_motion(tmp_path / "f" / f"{name}.npz")
        np.testing.assert_array_equal(motion.betas, read_calibration(out).betas)


def test_one_frame_is_a_take() -> None:
    take = known_take()[0]
    still = replace(take, points=take.points[5:6], residuals=take.residuals[5:6])
    found = calibrate_takes([("still", still)], default_body(), load_prior(), "auto", quiet)
    solved = solve_take(still, default_body(), load_prior(), TakeOptions(calibration=found), quiet)
    assert len(solved.motion) == 1 and solved.summary["median_mm"] < 6
