# SPDX-License-Identifier: Apache-2.0
"""Files of takes into the scene without solving them: several at once, bad ones among them, events, subjects, axes."""

from pathlib import Path

import bpy
import numpy as np
import pytest
from known_take import known_take, write_take
from support import addon, snapshot

RATE = 60.0
EVENTS = {
    ("EVENT", "TIMES"): [0.0, 0.5, 0.0, 0.25, 0.0, 9.0],  # minutes and seconds
    ("EVENT", "LABELS"): ["Foot Strike", "Foot Off", "Foot Strike"],
    ("EVENT", "CONTEXTS"): ["Left", "Right", "Left"],
}


@pytest.fixture(scope="module")
def known(poise: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    return known_take(61)


@pytest.fixture
def folder(known, tmp_path: Path) -> Path:
    """Takes: two good ones, one whose labels mean nothing, one that is none."""
    markers, _, labels = known
    write_take(tmp_path / "walk.c3d", markers, labels, changes=EVENTS)
    write_take(tmp_path / "run.c3d", markers[:40], labels, changes=EVENTS)
    write_take(tmp_path / "cluster.c3d", markers, [f"x{i}" for i in range(len(labels))])
    (tmp_path / "notes.c3d").write_bytes(b"LFHD, RFHD\n1, 2\n" * 99)
    return tmp_path


def load(folder: Path, *names: str, **options) -> set[str]:
    """Import files as Blender does where several are dropped."""
    return bpy.ops.poise.import_c3d(
        directory=str(folder), files=[{"name": name} for name in names], **({"solve": False} | options)
    )


def take(name: str):
    return bpy.data.objects[name].poise_take


def events(scene: bpy.types.Scene) -> list[tuple[int, str]]:
    return sorted((marker.frame, marker.name) for marker in scene.timeline_markers)


def test_of_several_files_the_good_ones_come_and_the_bad_ones_are_named(scene, folder, capfd) -> None:
    scene.render.fps, scene.frame_end = 30, 10
    assert load(folder, "walk.c3d", "notes.c3d", "missing.c3d", "cluster.c3d", "run.c3d") == {"FINISHED"}
    assert sorted(bpy.data.objects.keys()) == ["cluster.c3d", "run.c3d", "walk.c3d"]
    said = capfd.readouterr().out
    assert "notes.c3d: not a C3D file" in said and "missing.c3d does not exist" in said
    assert (take("walk.c3d").layout, take("cluster.c3d").layout) == ("CMU41", "")
    assert scene.frame_end == 31


def test_where_no_file_can_be_read_one_line_says_so_and_nothing_changes(scene, folder) -> None:
    before = snapshot()
    with pytest.raises(RuntimeError, match=r"notes.c3d: not a C3D file.*; .*missing.c3d does not exist") as caught:
        load(folder, "notes.c3d", "missing.c3d")
    assert snapshot() == before and "\n" not in str(caught.value).strip()


def test_a_take_that_fits_no_layout_is_imported_and_a_line_says_what_to_do(scene, folder, capfd) -> None:
    assert load(folder, "cluster.c3d", solve=True) == {"FINISHED"}
    assert "fit no layout" in (said := capfd.readouterr().out) and "then solve" in said
    assert not bpy.data.actions and take("cluster.c3d").frames == 61
    with pytest.raises(RuntimeError, match=r"No label of .* is mapped"):
        bpy.ops.poise.solve_take()


def test_a_body_that_is_missing_is_said_before_anything_is_imported(scene, folder) -> None:
    before = snapshot()
    with pytest.raises(RuntimeError, match="No body is selected"):
        load(folder, "walk.c3d", solve=True, target="ACTIVE")
    assert snapshot() == before


def test_events_are_marked_once_and_carry_their_take_where_there_are_several(scene, folder) -> None:
    scene.render.fps = 20
    load(folder, "walk.c3d", start=11)
    marks = [(16, "Right Foot Off"), (21, "Left Foot Strike")]  # the one at 9 s lies beyond the end
    assert events(scene) == marks
    load(folder, "walk.c3d", start=11)
    assert events(scene) == marks
    load(folder, "run.c3d", start=11)
    assert events(scene) == sorted([*marks, (16, "run: Right Foot Off"), (21, "run: Left Foot Strike")])


def test_events_count_from_the_trial_and_not_from_what_is_cut_off(scene, known, tmp_path) -> None:
    """The file begins at frame 13 of its trial, which is 0.2 s; another 0.05 s are left out."""
    markers, _, labels = known
    write_take(tmp_path / "late.c3d", markers, labels, changes=EVENTS, first=13)
    scene.render.fps = 60
    load(tmp_path, "late.c3d", trim_start=0.05)
    assert events(scene) == [(1, "Right Foot Off"), (16, "Left Foot Strike")]
    assert take("late.c3d").frames == 58


def test_real_events_fall_into_their_take(scene, shared_data) -> None:
    scene.render.fps = 100
    load(shared_data / "c3d", "btk_pig_gait_FlatFoot-Full.c3d")
    data = take("btk_pig_gait_FlatFoot-Full.c3d")
    found = events(scene)
    assert len(found) >= 4 and all(1 <= frame <= data.frames for frame, _ in found)
    assert (1 + 305 - 147, "Left Foot Strike") in found  # 3.05 s at 100 Hz; the file begins at frame 148
    assert len(data.labels) < 100  # 193 points, most of them computed by software


def test_one_of_two_people_is_chosen_by_prefix(scene, known, tmp_path) -> None:
    markers, _, labels = known
    both = np.concatenate([markers, markers[:, 2:] + (2.0, 0, 0)], axis=1)
    names = [f"Ann:{label}" for label in labels] + [f"Bob:{label}" for label in labels[2:]]
    write_take(tmp_path / "duo.c3d", both, names)
    load(tmp_path, "duo.c3d")
    data = take("duo.c3d")
    assert data.subjects.split("\n") == ["Ann", "Bob"] and data.subject == "Ann"
    assert {label.subject for label in data.labels if label.marker} == {"Ann"}
    data.subject = "Bob"
    assert {label.subject for label in data.labels if label.marker} == {"Bob"}
    assert sum(bool(label.marker) for label in data.labels) == len(labels) - 2
    bpy.ops.poise.solve_take()
    pelvis = bpy.context.object.pose.bones["pelvis"]
    bpy.context.view_layer.update()
    assert abs((bpy.context.object.matrix_world @ pelvis.head).x - 2.5) < 0.1


@pytest.mark.parametrize(("axis", "named"), [(1, "Y"), (0, "X")])
def test_the_axis_that_is_up_is_found_and_named(scene, known, tmp_path, axis: int, named: str) -> None:
    markers, _, labels = known
    write_take(tmp_path / "turned.c3d", np.roll(markers, axis + 1, axis=-1), labels)
    load(tmp_path, "turned.c3d")
    points = addon("rig.takes.arrays").points_of(bpy.context.object)
    assert take("turned.c3d").up == named
    assert np.allclose(points[..., 2], markers[..., 2], atol=1e-4)


def test_what_is_guessed_is_kept_with_the_take(scene, known, tmp_path) -> None:
    markers, _, labels = known
    write_take(tmp_path / "odd.c3d", markers, labels, changes={("POINT", "UNITS"): ["furlong"]})
    load(tmp_path, "odd.c3d")
    assert "suggests mm" in take("odd.c3d").notes and take("odd.c3d").unit == "furlong"


def test_a_trc_is_a_take_too(scene, known, tmp_path) -> None:
    markers, _, labels = known
    rows = [
        "PathFileType\t4\t(X/Y/Z)\tsquat.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{RATE}\t{RATE}\t61\t{len(labels)}\tm\t{RATE}\t1\t61",
        "Frame#\tTime\t" + "\t\t\t".join(labels),
        "\t\t" + "\t".join(f"{c}{i + 1}" for i in range(len(labels)) for c in "XYZ"),
        *("\t".join([str(i + 1), f"{i / RATE:.5f}", *(f"{x:.6f}" for x in frame.ravel())]) for i, frame in
          enumerate(np.roll(markers, 2, axis=-1))),
    ]  # fmt: skip
    (tmp_path / "squat.trc").write_text("\n".join(rows))
    load(tmp_path, "squat.trc")
    points = addon("rig.takes.arrays").points_of(bpy.context.object)
    assert np.allclose(points[..., 2], markers[..., 2], atol=1e-4) and take("squat.trc").up == "Y"
