# SPDX-License-Identifier: Apache-2.0
"""Labels of real and invented takes: the right layout, the right marker, or one line that says what to do."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendor_core.errors import LayoutError
from vendor_core.mocap.c3d import C3D, read_c3d
from vendor_core.mocap.layout_table import body_parts, synonyms
from vendor_core.mocap.layouts import LAYOUTS, gather_markers, map_labels, map_markers, read_layout
from vendor_core.mocap.placement_table import mirrored_label, placement_table

SIDED = ("FHD", "BHD", "SHO", "UPA", "ELB", "FRM", "WRA", "WRB", "FIN", "FWT", "BWT", "THI", "KNE", "SHN", "ANK", "HEE",
         "TOE", "MT5")  # fmt: skip
CMU = [*(side + name for side in "LR" for name in SIDED), "C7", "T10", "CLAV", "STRN", "RBAC"]
PIG_NAMES = {"FWT": "ASI", "BWT": "PSI", "SHN": "TIB"}
PIG = [
    label[0] + PIG_NAMES.get(label[1:], label[1:]) if label != "RBAC" else "RBAK"
    for label in CMU
    if not label.endswith("MT5")
]


def take(labels: list[str], points: np.ndarray) -> C3D:
    return C3D(
        points=points.astype(np.float32),
        residuals=np.where(np.isnan(points[..., 0]), -1, 0).astype(np.float32),
        labels=tuple(labels),
        rate=100.0,
        units="m",
        first_frame=1,
        up_axis="Z",
        model_outputs=(),
        events=(),
        byte_order="intel",
        warnings=(),
    )


@pytest.mark.parametrize(
    ("name", "layout", "markers", "subject"),
    [
        ("cmu_02_01", "CMU41", 41, "TakeoMonday"),
        ("cmu_01_01", "CMU41", 41, ""),
        ("cmu_135_02", "CMU41", 41, "male"),
        ("hdm05_mm_01-02_03_120", "CMU41", 41, "meinard"),
        ("btk_pig_static_FlatFoot-Full", "PlugInGait35", 35, ""),
        ("btk_pig_gait_FlatFoot-Full", "PlugInGait35", 35, ""),
        ("ezc3d_qualisys", "QualisysIOR", 47, ""),
        ("momentum_motion_analysis_helen_hayes", "HelenHayes", 25, ""),
    ],
)
def test_real_takes(shared_data: Path, name: str, layout: str, markers: int, subject: str) -> None:
    c3d = read_c3d(shared_data / "c3d" / f"{name}.c3d")
    label_map = map_markers(c3d)
    assert (label_map.layout, label_map.subject, label_map.confidence) == (layout, subject, 1.0)
    assert all("WAND" in label or label[0] == "V" for label in label_map.unmapped)  # rods and computed points
    labels, points = gather_markers(c3d, label_map)
    assert len(labels) == markers and points.shape == (len(c3d.points), markers, 3)
    heights = dict(zip(labels, np.nanmedian(points[..., 2], axis=0), strict=True))
    left = [np.nanmedian(points[0, [labels.index(m) for m in labels if m[0] == side], :2], axis=0) for side in "LR"]
    assert (
        heights["LHEE"]
        < heights["LKNE"]
        < heights["LFWT"]
        < heights["LSHO"]
        < heights["LFHD" if "LFHD" in labels else "HEDF"]
    )
    assert np.linalg.norm(left[0] - left[1]) > 0.1  # the sides are not mixed up


@pytest.mark.parametrize("name", ["momentum_eb015pi_intel_int", "momentum_eb015vr_dec_real"])
def test_a_lower_body_cluster_take_is_refused(shared_data: Path, name: str) -> None:
    with pytest.raises(LayoutError, match=r"found RFT1, RFT2.*CMU41 0 of 41.*PlugInGait35 0 of 35.*layout file"):
        map_markers(read_c3d(shared_data / "c3d" / f"{name}.c3d"))


def test_a_split_marker_of_a_real_take_is_merged(shared_data: Path) -> None:
    c3d = read_c3d(shared_data / "c3d" / "cmu_01_01.c3d")
    labels, points = gather_markers(c3d, map_markers(c3d))
    merged = np.isfinite(points[:, labels.index("RBAK"), 0])
    own, part = (c3d.visible[:, c3d.labels.index(name)] for name in ("RBAC", "RBAC-1"))
    assert part.any() and not own.all()
    np.testing.assert_array_equal(merged, own | part)


@pytest.mark.parametrize(
    ("labels", "layout"),
    [(CMU, "CMU41"), (PIG, "PlugInGait39"), ([m for m in PIG if m[1:] not in ("UPA", "FRM")], "PlugInGait35")],
)
@pytest.mark.parametrize("spell", [str, str.lower, "Sam:{}".format, "Big:Sam:{}".format, "Sam_{}".format])
def test_spellings(labels: list[str], layout: str, spell) -> None:
    label_map = map_labels([*(spell(label) for label in labels), "*0", "U_12", "", "Sam:*3"])
    assert (label_map.layout, label_map.confidence, label_map.unmapped) == (layout, 1.0, ())
    assert set(label_map.columns) == set(range(len(labels)))
    assert label_map.columns[labels.index("LSHO")] == "LSHO"
    assert {label_map.columns[i] for i, label in enumerate(labels) if label[1:] in ("TIB", "SHN")} == {"LSHN", "RSHN"}


def test_synonyms_reach_their_marker() -> None:
    renamed = {"LFWT": "L_F_WAIST", "RBWT": "RPSI", "LSHN": "LTIB", "LFRM": "LFRA", "RBAC": "RBAK", "RHEE": "R_HEEL",
               "LTOE": "L.TO"}  # fmt: skip
    label_map = map_labels([renamed.get(label, label) for label in CMU])
    assert label_map.confidence == 1.0
    for label, marker in (("LFWT", "LFWT"), ("RBAC", "RBAK"), ("LTOE", "LTOE"), ("RBWT", "RBWT")):
        assert label_map.columns[CMU.index(label)] == marker


def test_missing_and_foreign_markers() -> None:
    label_map = map_labels([*CMU[6:], "SWORD1", "LBAC"])
    assert label_map.layout == "CMU41" and label_map.confidence == pytest.approx(35 / 41)
    assert label_map.unmapped == ("SWORD1",)
    assert "LBAK" in label_map.markers  # no layout asks for it, but we can place it


def test_the_subject_with_most_markers_is_taken() -> None:
    labels = [*(f"Ann:{m}" for m in CMU[10:]), *(f"Bob:{m}" for m in CMU), "*1", "Prop:P1"]
    label_map = map_labels(labels)
    assert label_map.subject == "Bob" and set(label_map.columns) == set(range(31, 31 + 41))
    assert label_map.notes == ("The take holds several subjects: Ann (31 markers), Bob (41 markers); Bob is used",)


@pytest.mark.parametrize(
    "labels",
    [
        [],
        ["*0", "*1"],
        [f"M{i}" for i in range(50)],
        CMU[:12],
        [m for m in PIG if body_parts().get(m) == "leg"] * 2,
        [m for m in CMU if body_parts()[synonyms()[m]] == "torso"],
        [m for m in CMU if m[0] != "R"][:-3],  # one side only
    ],
)
def test_what_fits_no_layout_is_refused_in_one_line(labels: list[str]) -> None:
    with pytest.raises(LayoutError, match=r"fit no layout: found .*; matches: CMU41 .* Expected at least") as caught:
        map_labels(labels)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize("part", ["leg", "arm"])
def test_half_a_body_will_do(part: str) -> None:
    pelvis = ("LFWT", "RFWT", "LBWT", "RBWT")
    if part == "leg":
        labels = [m for m in CMU if m in pelvis or body_parts()[synonyms()[m]] == "leg"]
    else:
        labels = [m for m in CMU if m not in pelvis and body_parts()[synonyms()[m]] != "leg"]
    found = map_labels(labels)
    assert found.layout == "CMU41" and len(found.columns) == len(labels) and found.confidence < 0.6
    with pytest.raises(LayoutError, match="trunk and arms or on pelvis and legs"):
        map_labels(labels[: len(labels) // 2])


def test_any_subject_may_be_chosen() -> None:
    labels = [*(f"Ann:{m}" for m in CMU[10:]), *(f"Bob:{m}" for m in CMU)]
    assert map_labels(labels).subject == "Bob"
    for name in ("Ann", "ann", "Ann:"):
        assert map_labels(labels, subject=name).subject == "Ann"
    with pytest.raises(LayoutError, match=r'called "Eve"; it holds Bob \(41 markers\), Ann \(31 markers\)'):
        map_labels(labels, subject="Eve")


def test_two_people_who_share_their_labels_are_two() -> None:
    labels = [*CMU, *(f"{m}#2" for m in CMU[:30])]
    found = map_labels(labels)
    assert found.subject == "" and set(found.columns) == set(range(41))
    assert "several subjects: without prefix (41 markers), #2 (30 markers)" in found.notes[0]
    assert set(map_labels(labels, subject="#2").columns) == set(range(41, 71))


def test_naming_a_layout() -> None:
    assert map_labels(PIG, "cmu41").confidence == pytest.approx(39 / 41)
    with pytest.raises(LayoutError, match=r"No layout is called.*CMU41, PlugInGait39"):
        map_labels(CMU, "Qualisys99")


@given(st.lists(st.text(max_size=8), max_size=60))
def test_any_labels_are_mapped_or_refused(labels: list[str]) -> None:
    with pytest.raises(LayoutError):
        map_labels(labels)
    label_map = map_labels([*labels, *(f"Sam:{label}" for label in CMU)])
    assert label_map.subject == "Sam" and len(label_map.markers) >= 41


def test_continuations_fill_gaps_and_strangers_do_not(rng: np.random.Generator) -> None:
    labels = [*CMU, "RBAC-1", "LSHO#2", "LKNE_2"]
    points = rng.uniform(0, 2, (6, len(labels), 3))
    back, shoulder, knee = (CMU.index(label) for label in ("RBAC", "LSHO", "LKNE"))
    points[2:4, back] = np.nan
    points[:2, 41] = points[4:, 41] = np.nan  # RBAC-1: seen exactly where RBAC is not
    points[0, shoulder] = np.nan
    points[1:, 42] = points[1:, shoulder] + [0.3, 0, 0]  # LSHO#2: another marker, 30 cm away
    points[5, knee] = np.nan
    points[:5, 43] = points[:5, knee] + [0.01, 0, 0]  # LKNE_2: the same marker, reconstructed twice
    names, gathered = gather_markers(c3d := take(labels, points), label_map := map_markers(c3d))
    assert len(names) == 41 and label_map.unmapped == ()
    expected = c3d.points
    np.testing.assert_array_equal(gathered[2:4, names.index("RBAK")], expected[2:4, 41])
    np.testing.assert_array_equal(gathered[:2, names.index("RBAK")], expected[:2, back])
    assert np.isnan(gathered[0, names.index("LSHO")]).all()
    np.testing.assert_array_equal(gathered[5, names.index("LKNE")], expected[5, 43])
    np.testing.assert_array_equal(gathered[:5, names.index("LKNE")], expected[:5, knee])


def test_computed_and_invisible_points_are_left_out(rng: np.random.Generator) -> None:
    points = rng.uniform(0, 2, (3, len(CMU), 3))
    points[:, 0] = np.nan
    c3d = replace(take(CMU, points), model_outputs=("C7",))
    assert not {CMU[0], "C7"} & set(map_markers(c3d).markers)
    with pytest.raises(LayoutError, match=r"None of the 41 points .* in any of the 3 frames"):
        map_markers(take(CMU, np.full_like(points, np.nan)))


def test_a_layout_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("label,marker\npv1, LFWT\nPV2,RFWT\nback,c7\nK1,LKNE\nK1b,LKNE\n\nK2,RKNE\nT,LTOE\nH,RHEE\n")
    layout = read_layout(path)
    assert layout.name == "mine" and layout.markers == ("LFWT", "RFWT", "C7", "LKNE", "RKNE", "LTOE", "RHEE")
    label_map = map_labels(["S:PV1", "S:PV2", "S:BACK", "S:K1b", "S:K2", "S:T", "S:H", "S:LSHO"], path)
    assert label_map.columns[3] == "LKNE" and label_map.unmapped == ("LSHO",)
    assert (label_map.layout, label_map.confidence) == ("mine", 1.0)
    with pytest.raises(LayoutError, match="mine 2 of 7"):
        map_labels(["PV1", "PV2"], layout)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file, expected the header label,marker"),
        (b"LFHD,LFHD\n", "starts with LFHD,LFHD, expected the header"),
        (b"label,marker\n", "holds no labels"),
        (b"label,marker\nA,LFHD\nB,LFHX\n", 'line 3: no marker is called "LFHX"; write one of LFHD'),
        (b"label,marker\nA,LFHD\na,RFHD\n", 'line 3: "a" already means LFHD'),
        (b"label,marker\nA,LFHD,3\n", "line 2: .* expected two entries"),
        (b"label,marker\n*1,LFHD\n".replace(b"*1", b"-"), "line 2: .* expected two entries"),
        (b"\xff\xfe\x00\x01label", "no readable text"),
        (b"label,marker\n" + b"A" * 200_000 + b",C7\n", "no readable text"),
        (b"label,marker\n" * 100_000, "larger than 1 MB"),
    ],
)
def test_faulty_layout_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(LayoutError, match=message) as caught:
        read_layout(path)
    assert "\n" not in str(caught.value)


def test_missing_layout_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(LayoutError, match="cannot be read"):
            read_layout(path)


def test_tables_agree_with_each_other() -> None:
    table = placement_table()
    assert set(body_parts()) == set(table) and set(synonyms().values()) == set(table)
    for layout in LAYOUTS.values():
        assert set(layout.markers) <= set(table) and set(layout.labels.values()) == set(layout.markers)
        assert len(layout.labels) == len(layout.markers)
    assert [len(LAYOUTS[name].markers) for name in ("CMU41", "PlugInGait39", "PlugInGait35")] == [41, 39, 35]
    for label, marker in synonyms().items():  # a label and its mirror image mean mirror images
        if label != mirrored_label(label) and marker != mirrored_label(marker):
            assert synonyms().get(mirrored_label(label), mirrored_label(marker)) == mirrored_label(marker)


def test_optitrack_labels_are_known_by_their_skeletons_prefix() -> None:
    for name, count in (("OptiTrackBaseline41", 40), ("OptiTrackBiomech57", 47)):
        own = {marker: label for label, marker in LAYOUTS[name].labels.items()}
        found = map_labels([f"Skeleton 001:{label}" for label in own.values()])
        assert (found.layout, found.confidence, found.unmapped) == (name, 1.0, ())
        assert set(found.markers) == set(own) and len(own) == count
