# SPDX-License-Identifier: Apache-2.0
"""The table of a take's labels: mapped by hand, by names and by presets, solved as it says, calibrated once."""

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from known_take import known_take, write_take
from support import addon, bone_heads, snapshot, window


@pytest.fixture(scope="module")
def known(poise: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    return known_take(31)


def load(path: Path, **options) -> bpy.types.Object:
    """Import a file without solving it."""
    bpy.ops.poise.import_c3d(filepath=str(path), solve=False, **options)
    return bpy.context.object


@pytest.fixture
def cluster(scene, known, tmp_path) -> bpy.types.Object:
    """A take whose labels mean nothing, its file gone after the import."""
    markers, _, labels = known
    path = write_take(tmp_path / "cluster.c3d", markers, [f"Seg {i}" for i in range(len(labels))])
    take = load(path)
    path.unlink()
    scene.render.fps = 60
    return take


def mapped(take: bpy.types.Object) -> list[str]:
    return [label.marker for label in take.poise_take.labels]


def joints(rig: bpy.types.Object, frame: int) -> np.ndarray:
    bpy.context.scene.frame_set(frame)
    return bone_heads(rig)


def select(obj: bpy.types.Object) -> None:
    addon("rig.takes.scene").make_active(bpy.context, obj)


def test_a_take_mapped_by_hand_is_solved_without_its_file(cluster, known) -> None:
    _, truth, labels = known
    for label, marker in zip(cluster.poise_take.labels, labels, strict=True):
        label.marker = marker
    cluster.poise_take.labels[5].marker = ""
    assert bpy.ops.poise.solve_take() == {"FINISHED"}
    rig, data = bpy.context.object, cluster.poise_take
    assert rig.name == "cluster" and data.body == rig
    assert np.linalg.norm(joints(rig, 16) - truth[15], axis=1).mean() < 0.015
    medians = np.array([label.residual for label in data.labels])
    assert medians[5] == -1 and np.delete(medians, 5).min() >= 0 and np.delete(medians, 5).max() < 10
    residuals = addon("rig.takes.arrays").residuals_of(cluster)
    assert residuals.shape == (31, 41) and np.isnan(residuals[:, 5]).all() and np.isfinite(residuals[:, 6]).all()
    assert np.median(residuals[:, 6]) == pytest.approx(medians[6] / 1000, rel=1e-3)


def test_a_name_that_nothing_places_is_refused_and_nothing_changes(cluster, known) -> None:
    for label, marker in zip(cluster.poise_take.labels, known[2], strict=True):
        label.marker = marker
    cluster.poise_take.labels[3].marker = "TAIL"
    before = snapshot()
    with pytest.raises(RuntimeError, match='"TAIL", and nothing says where that sits'):
        bpy.ops.poise.solve_take()
    assert snapshot() == before


def test_a_table_becomes_a_preset_that_maps_other_takes_by_name(cluster, known, tmp_path) -> None:
    markers, _, labels = known
    for label, marker in zip(cluster.poise_take.labels, labels, strict=True):
        label.marker = marker
    assert bpy.ops.poise.save_label_preset(preset="Our studio") == {"FINISHED"}
    path = addon("label_presets").preset_path("Our studio")
    assert path.read_text().splitlines()[:2] == ["label,marker", f"Seg 0,{labels[0]}"]
    order = np.random.default_rng(0).permutation(len(labels))
    other = load(write_take(tmp_path / "next.c3d", markers[:, order], [f"P:Seg_{i}" for i in order]))
    assert not any(mapped(other))
    bpy.ops.poise.apply_label_preset(preset="Our studio")
    assert mapped(other) == [labels[i] for i in order] and other.poise_take.layout == "Our studio"
    assert addon("label_presets").preset_names() == ["Our studio"]
    bpy.ops.poise.remove_label_preset(preset="Our studio")
    assert not path.exists()
    with pytest.raises(RuntimeError, match='No label preset is called "Our studio"; there are: none'):
        bpy.ops.poise.apply_label_preset(preset="Our studio")


@pytest.mark.parametrize("name", ["", "../up", "a/b", "x" * 99])
def test_names_that_are_no_file_are_refused(cluster, name: str) -> None:
    cluster.poise_take.labels[0].marker = "LFHD"
    with pytest.raises(RuntimeError, match="A preset cannot be called"):
        bpy.ops.poise.save_label_preset(preset=name)


def test_presets_need_a_folder_that_can_be_made(cluster, tmp_path, monkeypatch) -> None:
    folder = addon("label_presets").preset_path("Ours", create=True).parent
    folder.rmdir()
    folder.write_text("in the way")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    try:
        with pytest.raises(RuntimeError, match="no folder for presets that can be written"):
            bpy.ops.poise.save_label_preset(preset="Ours")
        assert addon("label_presets").preset_names() == []
    finally:
        folder.unlink()
    assert sorted(tmp_path.iterdir()) == before  # not in the working directory, either


def test_clear_and_map_again_by_names(scene, known, tmp_path) -> None:
    markers, _, labels = known
    take = load(write_take(tmp_path / "walk.c3d", markers, labels))
    assert mapped(take) == list(labels)
    with window():
        bpy.ops.ed.undo_push(message="imported")
        bpy.ops.poise.clear_labels()
        assert not any(mapped(bpy.data.objects["walk.c3d"])) and not bpy.data.objects["walk.c3d"].poise_take.layout
        bpy.ops.ed.undo_push(message="cleared")
        bpy.ops.ed.undo()
        assert mapped(bpy.data.objects["walk.c3d"]) == list(labels)
        bpy.ops.poise.clear_labels()
        bpy.ops.poise.map_labels()
    take = bpy.data.objects["walk.c3d"]
    assert mapped(take) == list(labels) and take.poise_take.layout == "CMU41"


def test_names_that_fit_no_layout_leave_the_table_as_it_is(cluster, known) -> None:
    for label, marker in zip(cluster.poise_take.labels, known[2], strict=True):
        label.marker = marker
    with pytest.raises(RuntimeError, match=r"fit no layout: found Seg 0, Seg 1.*41 labels"):
        bpy.ops.poise.map_labels()
    assert mapped(cluster) == list(known[2])


def test_points_without_labels_are_told_apart_by_the_worker(scene, known, tmp_path) -> None:
    markers, _, labels = known
    take = load(write_take(tmp_path / "bare.c3d", markers, [f"*{i}" for i in range(len(labels))]))
    assert not any(mapped(take))
    bpy.ops.poise.map_labels()
    right = sum(a == b for a, b in zip(mapped(take), labels, strict=True))
    assert right >= 37 and take.poise_take.layout == "CMU41"


def test_a_static_trial_calibrates_another_take_of_the_person(scene, known, tmp_path) -> None:
    markers, _, labels = known
    static = load(write_take(tmp_path / "static.c3d", markers[:3], labels))
    bpy.ops.poise.solve_take()
    walk = load(write_take(tmp_path / "walk.c3d", markers, labels))
    walk.poise_take.calibrate = "TAKE"
    with pytest.raises(RuntimeError, match="choose one that is solved"):
        bpy.ops.poise.solve_take()
    walk.poise_take.calibrated_take = static
    bpy.ops.poise.solve_take()
    first, second = (json.loads(take.poise_take.calibration) for take in (static, walk))
    assert first["betas"] == second["betas"] and first["offsets"] == second["offsets"]
    shapes = [[beta.value for beta in bpy.data.objects[name].poise.betas] for name in ("static", "walk")]
    assert shapes[0] == shapes[1] and np.abs(shapes[0]).max() > 0


def test_a_subject_goes_through_a_file(scene, known, tmp_path) -> None:
    markers, _, labels = known
    walk = load(write_take(tmp_path / "walk.c3d", markers[:3], labels))
    with pytest.raises(RuntimeError, match="has no calibration yet: solve it first"):
        bpy.ops.poise.save_subject(filepath=str(tmp_path / "subject.json"))
    bpy.ops.poise.solve_take()
    with pytest.raises(RuntimeError, match="cannot be written") as caught:
        bpy.ops.poise.save_subject(filepath="")
    assert "Traceback" not in str(caught.value)
    bpy.ops.poise.save_subject(filepath=str(tmp_path / "subject.json"))
    other = load(write_take(tmp_path / "other.c3d", markers[5:9], labels))
    bpy.ops.poise.load_subject(filepath=str(tmp_path / "subject.json"))
    first, second = (json.loads(take.poise_take.calibration) for take in (walk, other))
    assert second == {name: first[name] for name in second} and second["offsets"] and second["betas"]
    bpy.ops.poise.solve_take()
    assert other.poise_take.calibrate == "STORED" and other.poise_take.body.name == "other"
    (tmp_path / "broken.json").write_text("{}")
    before = other.poise_take.calibration
    with pytest.raises(RuntimeError, match=r"broken.json: This is no subject's calibration"):
        bpy.ops.poise.load_subject(filepath=str(tmp_path / "broken.json"))
    assert other.poise_take.calibration == before


def test_several_takes_of_a_person_are_actions_of_one_body(body, known, tmp_path) -> None:
    markers, truth, labels = known
    bpy.context.scene.render.fps = 60
    for name, part in (("walk", markers[:16]), ("run", markers[15:])):
        write_take(tmp_path / f"{name}.c3d", part, labels)
    files = [{"name": "walk.c3d"}, {"name": "run.c3d"}]
    bpy.ops.poise.import_c3d(directory=str(tmp_path), files=files, target="ACTIVE")
    assert {"walk", "run"} <= set(bpy.data.actions.keys()) and body.animation_data.action.name == "run"
    assert bpy.data.actions["walk"].use_fake_user
    assert [bpy.data.objects[f"{name}.c3d"].poise_take.body for name in ("walk", "run")] == [body] * 2
    assert np.linalg.norm(joints(body, 11) - truth[25], axis=1).mean() < 0.02
    find = addon("take_lookup").find_take
    select(body)
    assert find(bpy.context).name == "run.c3d"
    addon("rig.keying.actions").new_action(body, "own")
    assert find(bpy.context) is None


def test_a_take_that_was_moved_is_solved_where_it_is(scene, known, tmp_path) -> None:
    markers, truth, labels = known
    scene.render.fps = 60
    take = load(write_take(tmp_path / "walk.c3d", markers, labels))
    take.location, take.rotation_euler = (3, -1, 0.5), (0, 0, np.pi / 2)
    bpy.context.view_layer.update()
    bpy.ops.poise.solve_take()
    M = np.array(take.matrix_world)
    expected = truth[10] @ M[:3, :3].T + M[:3, 3]
    assert np.linalg.norm(joints(bpy.context.object, 11) - expected, axis=1).mean() < 0.015


def test_solving_again_goes_onto_the_same_body_in_an_action_of_its_own(scene, known, tmp_path) -> None:
    markers, _, labels = known
    take = load(write_take(tmp_path / "walk.c3d", markers[:6], labels))
    bpy.ops.poise.solve_take()
    rig = bpy.context.object
    select(take)
    bpy.ops.poise.solve_take(target="ACTIVE")
    assert [obj for obj in bpy.data.objects if obj.type == "ARMATURE"] == [rig]
    assert bpy.data.actions["walk"].use_fake_user and rig.animation_data.action.name == "walk.001"


def test_without_a_take_buttons_are_grey(scene) -> None:
    for name in ("solve_take", "map_labels", "clear_labels", "save_label_preset", "save_subject", "markers_to_empties"):
        assert not getattr(bpy.ops.poise, name).poll(), name
