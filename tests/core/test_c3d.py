# SPDX-License-Identifier: Apache-2.0
"""The C3D reader against ezc3d, against files of every byte order, and against damage."""

import json
import struct
import time
import timeit
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests.core import c3d_writer
from tests.core.c3d_writer import DEC, INTEL, MIPS, c3d_bytes
from vendor_core.errors import C3DError
from vendor_core.mocap.c3d import C3D, read_c3d

TAKES = (
    "cmu_02_01", "cmu_01_01", "cmu_135_02", "btk_pig_static_FlatFoot-Full", "btk_pig_gait_FlatFoot-Full",
    "hdm05_mm_01-02_03_120", "momentum_motion_analysis_helen_hayes", "ezc3d_qualisys",
    "momentum_eb015pi_intel_int", "momentum_eb015vr_dec_real",
)  # fmt: skip
LABELS = ["LFHD", "Sam:RFHD", "C7", "C7", ""]


@pytest.fixture
def points_mm(rng: np.random.Generator) -> np.ndarray:
    """(12, 5, 3), in steps of 0.5 mm so that integer files are exact, with gaps."""
    points = np.round(rng.uniform(-1500, 1500, (12, 5, 3)) * 2) / 2
    points[2:5, 1] = np.nan
    points[:, 4] = np.nan
    return points


def read_bytes(folder: Path, data: bytes) -> C3D:
    path = folder / "take.c3d"
    path.write_bytes(data)
    return read_c3d(path)


@pytest.mark.parametrize("take", TAKES)
def test_real_takes_agree_with_ezc3d(shared_data: Path, take: str) -> None:
    ezc3d = pytest.importorskip("ezc3d")
    path = shared_data / "c3d" / f"{take}.c3d"
    ours, theirs = read_c3d(path), ezc3d.c3d(str(path))
    expected = theirs["data"]["points"][:3].transpose(2, 1, 0) * 1e-3
    np.testing.assert_array_equal(np.isnan(ours.points), np.isnan(expected))
    np.testing.assert_allclose(ours.points, expected, rtol=3e-7, atol=1e-9)
    np.testing.assert_array_equal(ours.visible, theirs["data"]["meta_points"]["residuals"][0].T >= 0)
    point = theirs["parameters"]["POINT"]
    names = [label.strip() for label in point["LABELS"]["value"]][: len(ours.labels)]  # eb015 lists more than it has
    assert [label.split("#")[0] for label in ours.labels] == names
    assert len(set(ours.labels)) == len(ours.labels)
    assert ours.rate == pytest.approx(point["RATE"]["value"][0])
    assert ours.units == "mm" and ours.up_axis == "Z" and ours.warnings == ()


@pytest.mark.parametrize("take", TAKES)
def test_real_takes_tell_markers_from_model_outputs(shared_data: Path, take: str) -> None:
    facts = {entry["file"]: entry for entry in json.loads((shared_data / "c3d" / "INDEX.json").read_text("utf-8"))}
    expected = {label for label in facts[f"{take}.c3d"]["model_outputs"] if not label.startswith("*")}
    take_read = read_c3d(shared_data / "c3d" / f"{take}.c3d")
    assert set(take_read.model_outputs) == expected
    assert not set(take_read.model_outputs) & {take_read.labels[i] for i in take_read.markers()}


def test_the_same_take_in_two_byte_orders(shared_data: Path) -> None:
    integers = read_c3d(shared_data / "c3d" / "momentum_eb015pi_intel_int.c3d")
    reals = read_c3d(shared_data / "c3d" / "momentum_eb015vr_dec_real.c3d")
    assert (integers.byte_order, reals.byte_order) == ("intel", "dec")
    assert integers.labels == reals.labels and integers.rate == reals.rate
    np.testing.assert_allclose(integers.points, reals.points, atol=1e-6)  # a step is 83 micrometres
    np.testing.assert_allclose(integers.residuals, reals.residuals, atol=1e-6)


def test_long_take_reads_at_once(shared_data: Path) -> None:
    path = shared_data / "c3d" / "cmu_135_02.c3d"
    assert len(read_c3d(path).points) == 5202
    assert min(timeit.repeat(lambda: read_c3d(path), number=1, repeat=3)) < 0.3


def test_events_of_a_gait_take(shared_data: Path) -> None:
    events = read_c3d(shared_data / "c3d" / "btk_pig_gait_FlatFoot-Full.c3d").events
    assert len(events) == 12
    assert events[0] == (pytest.approx(3.05), "Left Foot Strike")
    assert events[-1] == (pytest.approx(4.17), "Right Foot Off")


def test_file_written_by_ezc3d(tmp_path: Path, points_mm: np.ndarray) -> None:
    ezc3d = pytest.importorskip("ezc3d")
    file = ezc3d.c3d()
    file["parameters"]["POINT"]["RATE"]["value"] = [120.0]
    file["parameters"]["POINT"]["UNITS"]["value"] = ["m"]
    file["parameters"]["POINT"]["LABELS"]["value"] = ["A", "B", "C", "D", "E"]
    file.add_parameter("POINT", "Y_SCREEN", ["+Y"])
    file["data"]["points"] = np.concatenate([points_mm.transpose(2, 1, 0), np.ones((1, 5, 12))]) * 1e-3
    file.write(str(tmp_path / "take.c3d"))
    take = read_c3d(tmp_path / "take.c3d")
    np.testing.assert_allclose(take.points, points_mm * 1e-3, rtol=3e-7)
    assert take.labels == ("A", "B", "C", "D", "E")
    assert (take.rate, take.units, take.up_axis) == (120.0, "m", "Y")
    assert take.markers().tolist() == [0, 1, 2, 3]  # E is never seen


@pytest.mark.parametrize("order", [INTEL, DEC, MIPS])
@pytest.mark.parametrize("scale", [0.5, -0.5])
@pytest.mark.parametrize("n_analog", [0, 3])
def test_every_byte_order_and_number_format(
    tmp_path: Path, points_mm: np.ndarray, order: int, scale: float, n_analog: int
) -> None:
    take = read_bytes(tmp_path, c3d_bytes(points_mm, LABELS, order=order, scale=scale, n_analog=n_analog, first=7))
    np.testing.assert_allclose(take.points, points_mm * 1e-3, rtol=3e-7, atol=1e-9)
    np.testing.assert_allclose(take.residuals, np.where(np.isnan(points_mm[..., 0]), -1, 0.0015), rtol=1e-6)
    assert take.labels == ("LFHD", "Sam:RFHD", "C7", "C7#2", "*4")
    assert (take.rate, take.first_frame, take.warnings) == (100.0, 7, ())


@pytest.mark.parametrize(
    ("units", "metres", "warned"),
    [("mm", 0.001, False), ("cm", 0.01, False), ("M", 1.0, False), ("Meters", 1.0, False), ("in", 0.0254, False),
     ("inches", 0.0254, False), ("feet", 0.3048, False), ("furlong", 0.001, True)],
)  # fmt: skip
def test_units(tmp_path: Path, points_mm: np.ndarray, units: str, metres: float, warned: bool) -> None:
    take = read_bytes(tmp_path, c3d_bytes(points_mm, LABELS, changes={("POINT", "UNITS"): [units]}))
    np.testing.assert_allclose(take.points, points_mm * metres, rtol=3e-7)
    assert take.units == units and bool(take.warnings) == warned


@pytest.mark.parametrize(("factor", "unit"), [(1.0, 0.001), (0.1, 0.01), (0.001, 1.0)])
def test_missing_unit_is_guessed_from_the_extent(
    tmp_path: Path, points_mm: np.ndarray, factor: float, unit: float
) -> None:
    take = read_bytes(tmp_path, c3d_bytes(points_mm * factor, LABELS, changes={("POINT", "UNITS"): None}))
    np.testing.assert_allclose(take.points, points_mm * factor * unit, rtol=3e-7)
    assert len(take.warnings) == 1


def test_long_takes_and_many_labels(tmp_path: Path) -> None:
    points = np.ones((70_000, 1, 3))
    trial = {
        ("TRIAL", "ACTUAL_START_FIELD"): np.array([1, 0], np.int16),
        ("TRIAL", "ACTUAL_END_FIELD"): np.array([70_000 - 65536, 1], np.int16),
    }
    assert len(read_bytes(tmp_path, c3d_bytes(points, ["A"], changes=trial)).points) == 70_000
    assert (
        len(read_bytes(tmp_path, c3d_bytes(points, ["A"], changes={("POINT", "LONG_FRAMES"): [7e4]})).points) == 70_000
    )
    labels = [f"M{i}" for i in range(600)]
    assert read_bytes(tmp_path, c3d_bytes(np.ones((2, 600, 3)), labels)).labels == tuple(labels)


def test_labels_stay_on_one_line(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, c3d_bytes(np.ones((2, 2, 3)), ["A\nB", "Kn\u00f6chel"])).labels == (
        "A?B",
        "Kn\u00f6chel",
    )


def test_a_cut_out_of_a_trial_has_the_frames_that_are_there(tmp_path: Path, points_mm: np.ndarray) -> None:
    trial = {
        ("TRIAL", "ACTUAL_START_FIELD"): np.array([1, 0], np.int16),
        ("TRIAL", "ACTUAL_END_FIELD"): np.array([900, 0], np.int16),
    }
    assert len(read_bytes(tmp_path, c3d_bytes(points_mm, LABELS, changes=trial)).points) == 12


def test_gaps_in_all_their_spellings(tmp_path: Path) -> None:
    points = np.full((4, 2, 3), 100.0)
    points[0, 0] = 0.0  # exact zeros with a good residual
    data = bytearray(c3d_bytes(points, ["A", "B"]))
    first = len(data) - points.size // 3 * 16
    data[first + 32 : first + 36] = struct.pack("<f", float("nan"))  # x of A in frame 1
    data[first + 64 : first + 68] = struct.pack("<f", 1e30)  # x of A in frame 2
    data[first + 108 : first + 112] = struct.pack("<f", float("nan"))  # fourth word of A in frame 3
    visible = read_bytes(tmp_path, bytes(data)).visible
    assert not visible[:, 0].any() and visible[:, 1].all()


def test_take_without_any_visible_point_is_read(tmp_path: Path) -> None:
    take = read_bytes(tmp_path, c3d_bytes(np.full((3, 2, 3), np.nan), ["A", "B"], changes={("POINT", "UNITS"): None}))
    assert take.points.shape == (3, 2, 3) and not take.visible.any() and take.markers().size == 0


def test_model_outputs_by_group_and_by_name(tmp_path: Path) -> None:
    labels = ["LASI", "S:Tilt", "PELO", "PELA", "PELL", "PELP", "LTOE", "LHipAngles", "Spin"]
    groups = {
        ("POINT", "TYPE_GROUPS"): ["TWISTS", "TWIST"],
        ("POINT", "TWISTS"): ["Spin"],
        ("POINT", "SCALARS"): ["Tilt"],
    }
    take = read_bytes(tmp_path, c3d_bytes(np.ones((2, 9, 3)), labels, changes=groups))
    assert [take.labels[i] for i in take.markers()] == ["LASI", "LTOE"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({("POINT", "RATE"): [0.0]}, "frame rate 0"),
        ({("POINT", "RATE"): [-100.0]}, "frame rate -100"),
        ({("POINT", "RATE"): [float("nan")]}, "frame rate nan"),
        ({("POINT", "RATE"): ["fast"]}, "holds text"),
        ({("POINT", "SCALE"): [0.0]}, "POINT:SCALE is 0"),
        ({("POINT", "USED"): [0.0]}, "no markers"),
        ({("POINT", "USED"): np.array([-3], np.int16)}, "cut short"),
        ({("POINT", "USED"): [1e30]}, "cut short"),
    ],
)
def test_senseless_parameters(tmp_path: Path, points_mm: np.ndarray, changes: dict, message: str) -> None:
    with pytest.raises(C3DError, match=message) as caught:
        read_bytes(tmp_path, c3d_bytes(points_mm, LABELS, changes=changes))
    assert "\n" not in str(caught.value) and str(caught.value).startswith("take.c3d: ")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a C3D file"),
        (b"frame,x,y,z\n1,2,3,4\n" * 100, "not a C3D file"),
        (b"\x02\x50" + bytes(100), "ends inside its header"),
        (b"\x02\x50" + bytes(510), "parameter section"),
        (b"\x00\x50" + bytes(2000), "parameter section"),
        (b"\x02\x50" + bytes(2000), "processor type 0"),
        (bytes(4096), "not a C3D file"),
    ],
)
def test_other_files(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(C3DError, match=message):
        read_bytes(tmp_path, data)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.c3d", tmp_path):
        with pytest.raises(C3DError, match="cannot be read"):
            read_c3d(path)


def damaged(data: bytes, rng: np.random.Generator) -> list[bytes]:
    """Truncations everywhere, flipped bytes in header, parameters and frames, zeroed blocks, absurd counts."""
    cases = [data[: int(n)] for n in rng.integers(0, len(data), 80)]
    cases += [data[:n] for n in (1, 2, 511, 512, 513, 515, 516, 520, 1023, 1024, len(data) - 1)]
    for region in (24, 1024, 1024, 1536, len(data)):
        for _ in range(50):
            case = bytearray(data)
            for where in rng.integers(0, region, rng.integers(1, 6)):
                case[where] = rng.integers(0, 256)
            cases.append(bytes(case))
    cases += [bytes(512) + data[512:], data[:2] + bytes(510) + data[512:], data[:516] + bytes(1000) + data[1516:]]
    for word in range(1, 12):
        cases += [data[: 2 * word] + value + data[2 * word + 2 :] for value in (b"\xff\xff", b"\0\0", b"\xff\x7f")]
    return cases


@pytest.mark.parametrize("order", [INTEL, DEC, MIPS])
def test_damage_gives_a_take_or_one_line(tmp_path: Path, points_mm: np.ndarray, order: int) -> None:
    """Every damaged file is read or refused with C3DError, in bounded time and memory."""
    extra = {("EVENT", "LABELS"): ["Strike"], ("EVENT", "TIMES"): [0.0, 1.0], ("POINT", "TYPE_GROUPS"): ["ANGLES", "A"]}
    data = c3d_bytes(points_mm, LABELS, order=order, scale=-0.5, changes=extra)
    path = tmp_path / "take.c3d"
    refused = 0
    for case in damaged(data, np.random.default_rng(order)):
        path.write_bytes(case)
        tracemalloc.start()
        begin = time.perf_counter()
        try:
            take = read_c3d(path)
            assert np.isfinite(take.points[take.visible]).all() and take.rate > 0
            assert take.points.shape[:2] == take.residuals.shape == (len(take.points), len(take.labels))
        except C3DError as error:
            refused += 1
            assert "\n" not in str(error)
        assert time.perf_counter() - begin < 0.5
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10 * len(case) + 100_000
    assert refused > 100


def test_reading_takes_a_few_times_the_file_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "take.c3d"
    for scale in (0.5, -0.5):
        for order in (INTEL, DEC):
            points = np.ones((3000, 40, 3))
            if order == INTEL or scale > 0:
                path.write_bytes(c3d_bytes(points, [f"M{i}" for i in range(40)], order=order, scale=scale))
            tracemalloc.start()
            read_c3d(path)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 10 * path.stat().st_size


def test_the_writer_of_these_tests_makes_vax_floats() -> None:
    """From the VAX architecture manual: 1.0 is 0x4080 in the first half, -6.0 is 0xC1C0."""
    assert c3d_writer.dec_bytes(np.array([1.0, -6.0])) == bytes.fromhex("80400000c0c10000")
