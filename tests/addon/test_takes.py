# SPDX-License-Identifier: Apache-2.0
"""Takes in the scene: their arrays go with the file, with undo and with copies of the object."""

from pathlib import Path

import bpy
import numpy as np
import pytest
from support import addon, c3d_bytes, core, window

LABELS = ("P:LFHD", "P:RFHD", "P:C7", "P:LTOE", "P:RTOE", "*5")


def points(seed: int = 3, frames: int = 30) -> np.ndarray:
    """Millimetres (F, 6, 3), Y up, with gaps: head above feet."""
    p = np.random.default_rng(seed).normal(scale=20, size=(frames, len(LABELS), 3))
    p[:, :3, 1] += 1600
    p[2:9, 1] = np.nan
    p[:, 5] += 700
    return p


def make(folder: Path, name: str = "walk", seed: int = 3) -> bpy.types.Object:
    path = folder / f"{name}.c3d"
    path.write_bytes(c3d_bytes(points(seed), LABELS, rate=60.0))
    return addon("rig.takes.scene").add_take(bpy.context, core("mocap.takes").read_take(path), path, start=11)


def points_of(obj: bpy.types.Object) -> np.ndarray:
    return addon("rig.takes.arrays").points_of(obj)


def test_a_take_has_the_files_points_in_metres_with_z_up(scene, tmp_path) -> None:
    obj = make(tmp_path)
    expected = 0.001 * points() @ np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # (x, y, z) -> (x, -z, y)
    assert np.allclose(points_of(obj), expected, atol=1e-6, equal_nan=True)
    assert [label.name for label in obj.poise_take.labels] == list(LABELS)
    assert {label.subject for label in obj.poise_take.labels} == {"P", ""}
    assert obj.poise_take.gaps == pytest.approx(7 / (30 * 6))
    assert (obj.poise_take.up, obj.poise_take.rate, obj.poise_take.frames) == ("Y", 60.0, 30)
    assert addon("rig.takes.scene").is_take(obj) and bpy.context.object == obj


def test_scrubbing_finds_the_takes_frames(scene, tmp_path) -> None:
    obj, takes = make(tmp_path), addon("rig.takes.scene")
    scene.render.fps = 24
    scene.frame_set(15, subframe=0.5)
    assert takes.take_frame(obj, scene) == pytest.approx(4.5 * 60 / 24)
    assert takes.scene_frame(obj, scene, takes.take_frame(obj, scene)) == pytest.approx(15.5)


def test_a_take_comes_back_from_a_file(scene, tmp_path) -> None:
    obj = make(tmp_path)
    before, residuals = points_of(obj).copy(), np.full((30, 6), 0.004, np.float32)
    residuals[:, 5], residuals[3, 1] = np.nan, np.nan
    addon("rig.takes.arrays").put_residuals(obj, residuals)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "take.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    addon("rig.takes.arrays")._read.clear()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "take.blend"))
    obj = bpy.data.objects["walk.c3d"]
    assert np.array_equal(points_of(obj), before, equal_nan=True)
    assert np.array_equal(addon("rig.takes.arrays").residuals_of(obj), residuals, equal_nan=True)
    assert [round(label.residual, 3) for label in obj.poise_take.labels] == [4, 4, 4, 4, 4, -1]


def test_undo_and_redo_carry_the_arrays(scene, tmp_path) -> None:
    obj = make(tmp_path)
    first = points_of(obj).copy()
    with window():
        bpy.ops.ed.undo_push(message="first")
        addon("rig.takes.arrays").put_points(obj, 2 * first[:20])
        bpy.ops.ed.undo_push(message="second")
        assert np.array_equal(points_of(bpy.data.objects["walk.c3d"]), 2 * first[:20], equal_nan=True)
        bpy.ops.ed.undo()
        assert np.array_equal(points_of(bpy.data.objects["walk.c3d"]), first, equal_nan=True)
        bpy.ops.ed.redo()
        assert np.array_equal(points_of(bpy.data.objects["walk.c3d"]), 2 * first[:20], equal_nan=True)


def test_a_copy_is_a_take_of_its_own(scene, tmp_path) -> None:
    obj = make(tmp_path)
    first = points_of(obj).copy()
    bpy.ops.object.duplicate()
    copy = bpy.context.object
    assert copy != obj and np.array_equal(points_of(copy), first, equal_nan=True)
    addon("rig.takes.arrays").put_points(copy, first + 1)
    assert np.array_equal(points_of(obj), first, equal_nan=True)
    assert np.array_equal(points_of(copy), first + 1, equal_nan=True)
    bpy.data.objects.remove(obj)
    assert np.array_equal(points_of(copy), first + 1, equal_nan=True)


def test_a_take_deleted_comes_back_with_undo(scene, tmp_path) -> None:
    first = points_of(make(tmp_path)).copy()
    with window():
        bpy.ops.ed.undo_push(message="made")
        bpy.ops.object.delete()
        bpy.ops.ed.undo_push(message="deleted")
        make(tmp_path, seed=9)  # the same name, other points
        assert not np.array_equal(points_of(bpy.data.objects["walk.c3d"]), first, equal_nan=True)
        bpy.ops.ed.undo_push(message="other")
        bpy.ops.ed.undo()
        bpy.ops.ed.undo()
    assert np.array_equal(points_of(bpy.data.objects["walk.c3d"]), first, equal_nan=True)


def test_every_marker_has_words_of_its_own(poise: str) -> None:
    names = addon("marker_names").marker_names()
    assert all(names.values()), [marker for marker, words in names.items() if not words]
    assert len(set(names.values())) == len(names)


def test_takes_are_found_as_they_come_go_and_are_renamed(scene, tmp_path) -> None:
    find, takes_of = (getattr(addon("take_lookup"), name) for name in ("find_take", "takes_of"))
    assert takes_of(scene) == [] and find(bpy.context) is None
    first = make(tmp_path, "one")
    second = make(tmp_path, "two")
    assert takes_of(scene) == [first, second] and find(bpy.context) == second
    other = bpy.data.objects.new("other", None)
    scene.collection.objects.link(other)
    bpy.context.view_layer.objects.active = other
    assert find(bpy.context) is None  # of two, none is meant
    bpy.data.objects.remove(second)
    assert takes_of(scene) == [first] and find(bpy.context) == first
    first.name = "renamed"
    bpy.context.view_layer.update()
    assert takes_of(scene) == [first]
    first.select_set(True)
    bpy.context.view_layer.objects.active = first
    bpy.ops.object.duplicate()
    assert len(takes_of(scene)) == 2
    bpy.ops.object.delete()
    assert takes_of(scene) == [first]


def test_a_take_that_is_named_anew_is_still_found(scene, tmp_path) -> None:
    obj, find = make(tmp_path), addon("take_lookup").takes_of
    bpy.context.view_layer.update()
    assert find(scene) == [obj]
    obj.name = "another"
    assert find(scene) == [obj]
    other = make(tmp_path)
    other.name = "third"
    assert set(find(scene)) == {obj, other}


@pytest.mark.parametrize("override", [False, True])
def test_a_take_of_another_file_is_not_changed_for_it_would_be_lost(scene, tmp_path, override) -> None:
    make(tmp_path)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, linked):
        linked.objects = ["walk.c3d"]
    obj = linked.objects[0].override_create() if override else linked.objects[0]
    bpy.context.collection.objects.link(obj)
    before = [label.marker for label in obj.poise_take.labels]
    for change in (bpy.ops.poise.clear_labels, bpy.ops.poise.map_labels, bpy.ops.poise.solve_take):
        with pytest.raises(RuntimeError, match=r"linked from another file.*make it local"):
            change()
    assert before == [label.marker for label in obj.poise_take.labels] and any(before)
    if override:
        obj.poise_take.labels[0].marker = ""  # it is so: Blender does not keep it
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
        bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "shot.blend"))
        obj = next(obj for obj in bpy.data.objects if obj.override_library)
        assert before == [label.marker for label in obj.poise_take.labels]
    obj.make_local()
    assert bpy.ops.poise.clear_labels() == {"FINISHED"}
