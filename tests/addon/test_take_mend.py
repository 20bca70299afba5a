# SPDX-License-Identifier: Apache-2.0
"""A solved take is seen and mended: residuals over time, worst moments, places on the skin, a part solved again."""

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Vector
from support import addon, assert_unchanged, bone_heads, c3d_bytes, core, evaluated_vertices, snapshot
from test_mocap import known  # noqa: F401

RATE = 60.0
BAD, ASTRAY = slice(28, 36), ("LELB", "LFRM", "LWRA", "LWRB", "LFIN")  # frames at which these are not where they were


@pytest.fixture(scope="module")
def solved_file(known, tmp_path_factory) -> Path:  # noqa: F811
    """A take of 61 frames on a body of its own, the scene at 30 frames a second; it is solved with one bad moment."""
    bpy.ops.wm.read_homefile(use_empty=True)
    folder = tmp_path_factory.mktemp("take")
    markers, _, labels = known
    markers = markers.copy()
    for name in ASTRAY:
        markers[BAD, labels.index(name)] += (0.0, 0.0, 0.2)
    path = folder / "walk.c3d"
    path.write_bytes(c3d_bytes(1000 * markers, labels, rate=RATE))
    bpy.context.scene.render.fps = 30
    assert bpy.ops.poise.import_c3d(filepath=str(path), start=11) == {"FINISHED"}
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "solved.blend"))
    return folder / "solved.blend"


@pytest.fixture
def solved(solved_file) -> bpy.types.Object:
    """The take of that file, opened; its body is active."""
    bpy.ops.wm.open_mainfile(filepath=str(solved_file))
    return next(obj for obj in bpy.data.objects if addon("take_lookup").is_take(obj))


def rig_of(take: bpy.types.Object) -> bpy.types.Object:
    return take.poise_take.body


def residuals(take: bpy.types.Object) -> np.ndarray:
    return addon("rig.takes.arrays").residuals_of(take)


def keys_of(obj: bpy.types.Object) -> dict[tuple[str, int], np.ndarray]:
    """All there is of an object's keys (K, 6), by their curve."""
    found = {}
    for curve in addon("rig.keying.keys").curves_of(obj):
        vectors = []
        for name in ("co", "handle_left", "handle_right"):
            flat = np.empty(2 * len(curve.keyframe_points), np.float32)
            curve.keyframe_points.foreach_get(name, flat)
            vectors.append(flat.reshape(-1, 2))
        found[curve.data_path, curve.array_index] = np.hstack(vectors)
    return found


def row_of(take: bpy.types.Object, label: str) -> int:
    return take.poise_take.labels.find(label)


def fix_points(take: bpy.types.Object, known) -> None:  # noqa: F811
    """What an artist would mend: here the points themselves, the residuals staying as they were solved."""
    arrays = addon("rig.takes.arrays")
    before, points = residuals(take).copy(), arrays.points_of(take).copy()
    for name in ASTRAY:
        points[:, row_of(take, name)] = known[0][:, known[2].index(name)]
    arrays.put_points(take, points)
    arrays.put_residuals(take, before)


def test_the_residual_is_a_curve_in_the_scenes_time(solved) -> None:
    scene = bpy.context.scene
    take, per_frame = solved, 1e3 * core("mocap.moments").frame_residual(residuals(solved))
    for frame in (11, 20, 26, 41):
        scene.frame_set(frame)
        nearest = per_frame[max(0, 2 * (frame - 11) - 1) : 2 * (frame - 11) + 2]
        assert nearest.min() - 1e-3 <= take.poise_take.residual_mm <= nearest.max() + 1e-3
    scene.frame_set(26)  # frame 30 of the take
    bad = take.poise_take.residual_mm
    scene.frame_set(14)
    assert bad > 3 * take.poise_take.residual_mm > 0
    addon("rig.takes.residual_curve").write_curve(take, scene, None)
    assert not addon("rig.keying.keys").curves_of(take)


def test_the_worst_moment_is_one_click_away_with_its_marker(solved) -> None:
    scene = bpy.context.scene
    scene.frame_set(1)
    assert bpy.ops.poise.go_to_moment(rank=1) == {"FINISHED"}
    assert 11 + 13 <= scene.frame_current_final <= 11 + 19
    assert solved.poise_take.labels[solved.poise_take.active_label].name in ("LUPA", *ASTRAY)
    report = addon("take_report").report_of(solved)
    assert report is addon("take_report").report_of(solved)  # drawn again, not found again
    assert report.worst[0].marker_residual > 0.03 and report.mean < report.high
    scene.frame_set(1)
    visited = []
    while True:
        try:
            bpy.ops.poise.go_to_moment(which="NEXT")
        except RuntimeError as problem:
            assert "no worse moment further on" in str(problem)
            break
        visited.append(scene.frame_current_final)
    assert visited == sorted(visited) and len(visited) == len(report.worst)
    with pytest.raises(RuntimeError, match=r"rank 99 was asked for"):
        bpy.ops.poise.go_to_moment(rank=99)


def test_markers_are_drawn_to_where_the_body_carries_them(solved) -> None:
    """The ends of the lines: as far from the markers as the residuals say, and with the body wherever it goes."""
    scene = bpy.context.scene
    attached, rig = addon("rig.takes.attached"), rig_of(solved)
    points = addon("rig.takes.arrays").points_of(solved)
    for frame in (11, 17, 40):
        scene.frame_set(frame)
        at = 2 * (frame - 11)
        places = attached.places_now(solved, rig)
        misses = np.linalg.norm(places - points[at], axis=1)
        is_known = np.isfinite(residuals(solved)[at])
        assert is_known.sum() > 30 and np.abs(misses - residuals(solved)[at])[is_known].max() < 2e-3
    rig.location.x += 2.0
    bpy.context.view_layer.update()
    moved = attached.places_now(solved, rig)
    assert np.allclose(moved - places, (2, 0, 0), atol=1e-5, equal_nan=True)


def test_markers_of_fingers_are_left_without_a_line(solved) -> None:
    label = solved.poise_take.labels["LFHD"]
    calibration = json.loads(solved.poise_take.calibration)
    label.marker, calibration["offsets"]["LTHUMB_TIP"] = "LTHUMB_TIP", [0.0, 0.0, 0.0]
    solved.poise_take.calibration = json.dumps(calibration)
    addon("take_mend").attach_markers(solved, rig_of(solved))
    places = addon("rig.takes.attached").places_now(solved, rig_of(solved))
    assert np.isnan(places[row_of(solved, "LFHD")]).all() and np.isfinite(places).all(1).sum() == len(places) - 1


def test_a_range_is_solved_again_and_no_other_key_moves(solved, known) -> None:  # noqa: F811
    scene = bpy.context.scene
    rig, action = rig_of(solved), rig_of(solved).animation_data.action
    first, last = 19, 34
    before, old = keys_of(rig), residuals(solved).copy()
    heads = {frame: heads_at(rig, frame) for frame in range(11, 42)}
    fix_points(solved, known)
    rig.location.x += 3.0  # whoever moves both keeps them together: nothing depends on where they are
    solved.location.x += 3.0
    bpy.context.view_layer.update()
    assert bpy.ops.poise.resolve_range(first=first, last=last) == {"FINISHED"}
    assert rig.animation_data.action == action and len(bpy.data.actions) == 2  # the body's and the residual's
    now = keys_of(rig)
    assert now.keys() == before.keys()
    changed = False
    for path, keys in now.items():
        inside = (keys[:, 0] > first - 0.5) & (keys[:, 0] < last + 0.5)
        assert np.array_equal(keys[~inside], before[path][~inside]), path
        assert np.array_equal(keys[:, 0], before[path][:, 0])
        changed |= not np.array_equal(keys[inside], before[path][inside])
    assert changed
    rig.location.x -= 3.0
    wrist = core("skeleton").BODY_JOINTS.index("left_wrist")
    truth = {frame: known[1][2 * (frame - 11)] for frame in heads}
    was, is_ = (np.linalg.norm((h - truth[26])[wrist]) for h in (heads[26], heads_at(rig, 26)))
    assert was > 0.15 and is_ < 0.03
    steps = [np.linalg.norm(heads_at(rig, f + 1) - heads_at(rig, f), axis=1).max() for f in range(15, 38)]
    assert max(steps) < 2.5 * np.median(steps)  # no jump at the seams
    part = residuals(solved)
    outside = np.r_[0 : 2 * (first - 11), 2 * (last - 11) + 1 : len(part)]
    assert np.array_equal(part[outside], old[outside], equal_nan=True)
    assert np.nanmax(part[30]) < 0.3 * np.nanmax(old[30])
    scene.frame_set(26)
    assert solved.poise_take.residual_mm == pytest.approx(
        1e3 * core("mocap.moments").frame_residual(part)[29:31].max(), rel=1e-3
    )


def heads_at(rig: bpy.types.Object, frame: int) -> np.ndarray:
    bpy.context.scene.frame_set(frame)
    return bone_heads(rig)


def test_a_range_without_the_take_or_the_body_is_refused(solved) -> None:
    before = snapshot()
    with pytest.raises(RuntimeError, match=r"hold nothing of .*; expected frames between 11 and 41"):
        bpy.ops.poise.resolve_range(first=100, last=120)
    assert_unchanged(before)
    rig_of(solved).users_collection[0].objects.unlink(rig_of(solved))
    bpy.context.view_layer.update()
    assert not bpy.ops.poise.resolve_range.poll()


def test_the_range_that_is_meant_is_around_the_worst_moment_or_the_preview(solved) -> None:
    scene = bpy.context.scene
    meant = addon("operators.resolve_range")._meant_range
    scene.frame_set(24)
    first, last = meant(bpy.context, solved)
    assert 11 <= first < 26 < last <= 41
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 13, 19
    assert meant(bpy.context, solved) == (13, 19)


def test_a_marker_is_placed_where_the_skin_is_and_the_next_solve_uses_it(solved) -> None:
    scene = bpy.context.scene
    rig, places = rig_of(solved), addon("rig.takes.skin_place")
    scene.frame_set(15)
    skin = next(o for o in rig.children if o.type == "MESH")
    vertices = evaluated_vertices(rig)
    target = Vector(vertices[4321])
    assert bpy.ops.poise.place_marker(label="LUPA", location=target) == {"FINISHED"}
    label = solved.poise_take.labels["LUPA"]
    assert label.placed and abs(sum(label.barycentric) - 1) < 1e-5 and min(label.barycentric) >= 0
    evaluated = skin.evaluated_get(bpy.context.evaluated_depsgraph_get())
    at, normal = places.at_place(evaluated, label.vertices, label.barycentric)
    assert (at - target).length < 1e-4 and abs(normal.length - 1) < 1e-5
    assert label.height == pytest.approx(places.usual_height("LUPA"))
    rest = core("body").default_body().v_template[list(label.vertices)]
    assert np.linalg.norm(np.array(label.barycentric) @ rest - core("body").default_body().v_template[4321]) < 1e-3
    bpy.ops.poise.resolve_range(first=13, last=17)
    kept = json.loads(solved.poise_take.calibration)["places"]["LUPA"]
    assert kept["vertices"] == list(label.vertices)
    assert bpy.ops.poise.reset_place(label="LUPA") == {"FINISHED"}
    assert not label.placed and label.marker == "LUPA"
    bpy.ops.poise.resolve_range(first=13, last=17)
    assert "LUPA" not in json.loads(solved.poise_take.calibration)["places"]
    with pytest.raises(RuntimeError, match="nothing to reset"):
        bpy.ops.poise.reset_place(label="LUPA")


def test_a_label_that_means_nothing_becomes_a_marker_of_its_own(solved) -> None:
    label = solved.poise_take.labels["LUPA"]
    label.name, label.marker = "Subject:Prop_1", ""
    bpy.ops.poise.place_marker(label="Subject:Prop_1", vertices=(1, 2, 3), barycentric=(0.2, 0.3, 0.5))
    assert label.marker == "Prop_1" and label.placed and tuple(label.vertices) == (1, 2, 3)
    assert solved.poise_take.active_label == row_of(solved, "Subject:Prop_1")
    bpy.ops.poise.reset_place()
    assert label.marker == "" and not label.placed


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"vertices": (1, 2, 99999), "barycentric": (0.2, 0.3, 0.5)}, "expected three of the 13524"),
        ({"vertices": (1, 2, 3), "barycentric": (0.9, 0.9, 0.9)}, "expected three that sum to one"),
        ({"label": "NOSE"}, 'has no marker "NOSE"'),
    ],
)
def test_a_place_that_is_none_is_refused(solved, fault: dict, said: str) -> None:
    before = snapshot()
    with pytest.raises(RuntimeError, match=said):
        bpy.ops.poise.place_marker(**fault)
    assert_unchanged(before)
    assert not any(label.placed for label in solved.poise_take.labels)


def test_meshes_that_are_not_the_bodys_own_are_refused(solved) -> None:
    rig = rig_of(solved)
    skin = next(o for o in rig.children if o.type == "MESH")
    subdivision = skin.modifiers.new("Subdivision", "SUBSURF")
    with pytest.raises(RuntimeError, match="Subdivision, off in the viewport"):
        bpy.ops.poise.place_marker(label="LUPA", location=(0, 0, 1))
    skin.modifiers.remove(subdivision)
    skin.hide_set(True)
    with pytest.raises(RuntimeError, match="is hidden"):
        bpy.ops.poise.place_marker(label="LUPA", location=(0, 0, 1))
    skin.hide_set(False)
    mesh = bpy.data.meshes.new("Other")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    skin.data = mesh
    with pytest.raises(RuntimeError, match="the skin as Poise made it"):
        bpy.ops.poise.place_marker(label="LUPA", location=(0, 0, 1))
    del rig["poise_body"]
    with pytest.raises(RuntimeError, match="was not made by Poise"):
        bpy.ops.poise.place_marker(label="LUPA", location=(0, 0, 1))


def test_a_point_of_a_quad_lies_in_one_of_its_triangles(scene) -> None:
    corners = [(0, 0, 0), (2, 0, 0), (2, 1, 0), (0, 1, 0)]
    mesh = bpy.data.meshes.new("Quad")
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    for point in ((0.3, 0.8, 0), (1.7, 0.2, 0), (1, 0.5, 0), (0, 0, 0), (2, 1, 0)):
        vertices, weights = addon("rig.takes.skin_place").corners_of(mesh, 0, np.array(point, float))
        assert np.allclose(np.array(weights) @ np.array(corners, float)[list(vertices)], point) and min(weights) >= 0


def test_the_picture_of_residuals_shows_peaks_gaps_and_markers(scene) -> None:
    picture_of = addon("drawing.residual_picture").residual_picture
    residual = np.full((500, 5), 0.004, np.float32)
    residual[200:210, 2] = 0.05
    residual[400:450] = np.nan
    per_frame = core("mocap.moments").frame_residual(residual)
    picture = picture_of(residual, per_frame, 0.004, 0.006, (205,))
    n = len(picture)
    assert picture.shape == (n, n, 4) and np.isfinite(picture).all()
    column = lambda frame: picture[:, int(frame * n / 500), :3]  # noqa: E731
    assert not np.allclose(column(205), column(100)) and not np.allclose(column(425), column(100))
    rows = picture[: n // 3, int(205 * n / 500), :3]
    red = (rows[:, 0] > 2 * rows[:, 1]).mean()
    assert 0.1 < red < 0.4  # one marker of five
    assert picture_of(residual[:3], per_frame[:3], 0.004, 0.004, ()).shape == picture.shape  # fewer frames than pixels
