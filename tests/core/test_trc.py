# SPDX-License-Identifier: Apache-2.0
"""TRC takes: the same markers as the C3D they were made of, and damage refused in a line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendor_core.errors import C3DError
from vendor_core.mocap.c3d import C3D, read_c3d
from vendor_core.mocap.layouts import map_markers
from vendor_core.mocap.takes import read_take
from vendor_core.mocap.trc import read_trc

SMALL = (
    "PathFileType\t4\t(X/Y/Z)\ttake.trc\n"
    "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n"
    "100.00\t100.00\t3\t2\tcm\t100.00\t7\t3\n"
    "Frame#\tTime\tLASI\t\t\tRASI\t\t\t\n"
    "\t\tX1\tY1\tZ1\tX2\tY2\tZ2\t\n"
    "\n"
    "1\t0.000\t1.0\t2.0\t3.0\t4.0\t5.0\t6.0\t\n"
    "2\t0.010\t1.5\t2.0\t3.0\t\t\t\t\n"
    "3\t0.020\t0\t0\t0\t4.0\t5.0\t1e3\t\n"
)


def read(tmp_path: Path, text: str) -> C3D:
    (tmp_path / "take.trc").write_text(text)
    return read_trc(tmp_path / "take.trc")


def as_trc(take: C3D) -> str:
    """A take as another program would write it, in millimetres."""
    names = "\t\t\t".join(take.labels)
    axes = "\t".join(f"{axis}{i + 1}" for i in range(len(take.labels)) for axis in "XYZ")
    rows = [
        "\t".join(
            [str(f + 1), f"{f / take.rate:.5f}", *("" if np.isnan(x) else f"{1000 * x:.4f}" for x in frame.ravel())]
        )
        for f, frame in enumerate(take.points)
    ]
    head = SMALL.splitlines()[1]
    facts = f"{take.rate}\t{take.rate}\t{len(take.points)}\t{len(take.labels)}\tmm\t{take.rate}\t1\t{len(take.points)}"
    return "\n".join([SMALL.splitlines()[0], head, facts, f"Frame#\tTime\t{names}\t\t", f"\t\t{axes}", "", *rows, ""])


def test_units_gaps_and_zeros(tmp_path: Path) -> None:
    take = read(tmp_path, SMALL)
    assert (take.labels, take.rate, take.units, take.first_frame) == (("LASI", "RASI"), 100.0, "cm", 7)
    assert np.allclose(take.points[0], [(0.01, 0.02, 0.03), (0.04, 0.05, 0.06)])
    assert take.visible.tolist() == [[True, True], [True, False], [False, True]]


def test_a_real_take_is_the_same_as_trc(shared_data: Path, tmp_path: Path) -> None:
    c3d = read_c3d(shared_data / "c3d" / "cmu_02_01.c3d")
    (tmp_path / "take.TRC").write_text(as_trc(c3d))
    trc = read_take(tmp_path / "take.TRC")
    assert trc.labels == c3d.labels and trc.rate == c3d.rate
    assert np.array_equal(trc.visible, c3d.visible)
    assert np.nanmax(np.abs(trc.points - c3d.points)) < 1e-6
    assert map_markers(trc).columns == map_markers(c3d).columns


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("PathFileType", "Path", "not a TRC file"),
        ("NumMarkers", "Markers", "names no NumMarkers"),
        ("\tcm\t", "\tparsec\t", "in parsec"),
        ("100.00\t100.00\t3", "-5\t100.00\t3", "-5 Hz"),
        ("\t3\t2\tcm", "\t3\t3\tcm", "names 2 markers"),
        ("4.0\t5.0\t6.0", "4.0\tfive\t6.0", '"five" at frame 1 is no number'),
        ("4.0\t5.0\t6.0", "4.0\t5.0\t6.0\t7\t8", "more than 8 fields"),
        (SMALL[SMALL.index("1\t0.000") :], "", "0 frames"),
    ],
)
def test_damage_is_refused_in_a_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in SMALL
    with pytest.raises(C3DError, match=words) as problem:
        read(tmp_path, SMALL.replace(old, new, 1))
    assert "\n" not in str(problem.value)


@given(at=st.integers(0, len(SMALL) - 1), length=st.integers(0, 40), put=st.text(max_size=8))
def test_any_change_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, at: int, length: int, put: str
) -> None:
    path = tmp_path_factory.mktemp("trc") / "take.trc"
    path.write_text(SMALL[:at] + put + SMALL[at + length :], encoding="utf-8", errors="replace")
    try:
        take = read_trc(path)
    except C3DError:
        return
    assert take.points.shape == (len(take.points), len(take.labels), 3)
    assert np.isfinite(take.points[take.visible]).all() and np.isnan(take.points[~take.visible]).all()
