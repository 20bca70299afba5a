# SPDX-License-Identifier: Apache-2.0
"""Takes over the 3D View: markers that are where and when they were seen, in the colours of what is known of them."""

import time
from pathlib import Path

import bpy
import numpy as np
import support
from bpy_extras.view3d_utils import location_3d_to_region_2d
from heat_map import pixels
from imports import REAL_TAKE, TAKE, ended, make_take, start_import
from mathutils import Vector
from robot import Steps, find, frame_selected, hands, middle, open_sidebar, press, region, shot, until, view


def add_take(path: Path = TAKE, **options: object) -> bpy.types.Object:
    """A take in the scene, not solved; it is active."""
    make_take()
    take = support.core("mocap.takes").read_take(path)
    return support.addon("rig.takes.scene").add_take(bpy.context, take, path, **options)


def look_from(axis: str) -> Steps[None]:
    hands.move(*middle(region("WINDOW")))
    with bpy.context.temp_override(area=view(), region=region("WINDOW")):
        bpy.ops.view3d.view_axis(type=axis)
    yield 0.2


def frame_points(points: np.ndarray) -> Steps[None]:
    """Turn the view to places (N, 3) of the world."""
    points = points[np.isfinite(points).all(-1)]
    data = bpy.data.meshes.new("aim")
    data.from_pydata(points.tolist(), [], [])
    obj = bpy.data.objects.new("aim", data)
    bpy.context.collection.objects.link(obj)
    active = bpy.context.object
    for other in bpy.context.selected_objects:
        other.select_set(False)
    obj.select_set(True)
    yield from frame_selected()
    bpy.data.objects.remove(obj)
    bpy.data.meshes.remove(data)
    bpy.context.view_layer.objects.active = active
    active.select_set(True)
    yield 0.1


def on_screen(place: np.ndarray) -> tuple[int, int]:
    """Row and column of a world place (3,) in a picture of the view's region."""
    where = region("WINDOW")
    at = location_3d_to_region_2d(where, view().spaces.active.region_3d, place.tolist())
    return where.height - int(at.y), int(at.x)


def around(picture: np.ndarray, place: np.ndarray, reach: int = 6) -> np.ndarray:
    row, column = on_screen(place)
    return picture[row - reach : row + reach + 1, column - reach : column + reach + 1].reshape(-1, 3)


def blue(colours: np.ndarray) -> int:
    """How many of colours (N, 3) are those of mapped markers."""
    r, _, b = colours.T
    return int(np.sum((b > 110) & (b > 1.5 * r)))


def points_of(take: bpy.types.Object) -> np.ndarray:
    return support.addon("rig.takes.arrays").points_of(take)


def put(take: bpy.types.Object, points: np.ndarray) -> None:
    support.addon("rig.takes.arrays").put_points(take, points)


def test_markers_are_seen_where_and_when_they_are() -> Steps[None]:
    take = add_take()
    scene, points = bpy.context.scene, points_of(take).copy()
    scene.render.fps = 50  # half of the take's
    points[20:60, 0] = np.nan
    put(take, points)
    yield from look_from("FRONT")
    yield from frame_points(points[::10].reshape(-1, 3))
    where = region("WINDOW")
    for frame, subframe in ((1, 0.0), (10, 0.5), (40, 0.0)):
        scene.frame_set(frame, subframe=subframe)
        t = (frame + subframe - 1) * 2
        picture = pixels((yield from shot(f"take_frame_{frame}", where)))
        there = [blue(around(picture, points[int(t), m])) for m in range(points.shape[1]) if t != 20 or m]
        print(f"frame {frame + subframe}: blue pixels at the markers, the fewest {min(there)}")
        assert np.median(there) > 10 and np.mean(np.array(there) > 3) > 0.9
        if frame == 40:
            early = [blue(around(picture, points[0, m])) for m in range(points.shape[1])]
            assert np.mean(np.array(early) > 3) < 0.5  # they have moved
    alone = np.full_like(points, np.nan)
    alone[:, 0] = points[0, 0]
    alone[20:60] = np.nan
    put(take, alone)
    counts = []
    for frame in (5, 20, 35):  # before the gap, in it, after it
        scene.frame_set(frame)
        counts.append(blue(around(pixels((yield from shot("take_gap", where))), points[0, 0])))
    print("blue pixels before a gap, in it and after it", counts)
    assert counts[1] == 0 and min(counts[0], counts[2]) > 10
    for hidden in ("overlays", "object"):
        view().spaces.active.overlay.show_overlays = hidden != "overlays"
        take.hide_set(hidden == "object")
        picture = pixels((yield from shot("take_hidden", where)))
        assert blue(around(picture, points[0, 0])) == 0, hidden
    view().spaces.active.overlay.show_overlays = True


def cost_of_redraw(times: int = 60) -> dict[str, float]:
    """Milliseconds that drawing takes takes in a redraw, the median, by what is drawn."""
    draw = support.addon("drawing.take_draw")
    costs: dict[str, list[float]] = {"markers": [], "names": []}

    def timed(what: str, function) -> None:
        begin = time.perf_counter()
        function()
        costs[what].append(1e3 * (time.perf_counter() - begin))

    added = [
        bpy.types.SpaceView3D.draw_handler_add(timed, ("markers", draw._draw_markers), "WINDOW", "POST_VIEW"),
        bpy.types.SpaceView3D.draw_handler_add(timed, ("names", draw._draw_texts), "WINDOW", "POST_PIXEL"),
    ]
    for i in range(times):
        bpy.context.scene.frame_set(10 + i)
        with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
            bpy.ops.wm.redraw_timer(type="DRAW_WIN", iterations=1)
    for handle in added:
        bpy.types.SpaceView3D.draw_handler_remove(handle, "WINDOW")
    return {what: float(np.median(times)) for what, times in costs.items()}


def test_a_real_take_with_residuals_looks_well_and_draws_quickly() -> Steps[None]:
    take = add_take(REAL_TAKE if REAL_TAKE.is_file() else TAKE)
    points = points_of(take)
    n_frames, n = points.shape[:2]
    bpy.context.scene.render.fps = 30
    bpy.context.scene.frame_set(20)
    take.poise_take.active_label = 8
    yield from look_from("FRONT")
    yield from frame_points(points[60])
    yield from shot("take_unsolved", region("WINDOW"))
    bpy.ops.poise.add_body()
    body = bpy.context.object
    body.location = np.nanmean(points[60], axis=0) * (1, 1, 0)
    rng = np.random.default_rng(1)
    residual = np.abs(rng.normal(0.004, 0.003, (n_frames, n))).astype(np.float32)
    residual[:, ::7] = np.linspace(0.005, 0.05, len(range(0, n, 7)))
    residual[~np.isfinite(points[..., 0])] = np.nan
    support.addon("rig.takes.arrays").put_residuals(take, residual)
    bpy.context.view_layer.objects.active = take
    with bpy.context.temp_override(area=view(), region=region("WINDOW")):
        bpy.ops.view3d.view_orbit(angle=np.radians(35), type="ORBITRIGHT")
    yield from shot("take_residuals")
    bpy.context.scene.poise_marker_names = True
    yield from shot("take_names", region("WINDOW"))
    bpy.context.scene.poise_marker_names = False
    print(f"{n} markers, ms a redraw: {cost_of_redraw()}")


def _solved(path: Path) -> Steps[bpy.types.Object]:
    """A take that is imported and solved; it is active."""
    yield from start_import(path)
    yield from until(ended, 120, "the import")
    yield 0.5
    take = next(obj for obj in bpy.data.objects if support.addon("take_lookup").is_take(obj))
    bpy.context.view_layer.objects.active = take
    return take


def test_a_solved_take_is_judged_and_mended_in_the_window() -> Steps[None]:
    path = REAL_TAKE if REAL_TAKE.is_file() else TAKE
    take = yield from _solved(path)
    scene, data = bpy.context.scene, take.poise_take
    rig = data.body
    print(f"residual at frame {scene.frame_current}: {data.residual_mm:.2f} mm")
    scene.frame_set(25)
    yield from look_from("FRONT")
    with bpy.context.temp_override(area=view(), region=region("WINDOW")):
        bpy.ops.view3d.view_orbit(angle=np.radians(30), type="ORBITRIGHT")
    points = points_of(take)[int(support.addon("rig.takes.scene").take_frame(take, scene))]
    yield from frame_points(points)
    yield from open_sidebar("Poise Mocap")
    yield from shot("take_panels")
    yield from press("poise.go_to_moment(")
    yield 0.3
    report = support.addon("take_report").report_of(take)
    print("worst moments", [(m.frame, round(1e3 * m.residual, 1), data.labels[m.marker].name) for m in report.worst])
    assert data.active_label in {moment.marker for moment in report.worst}
    yield from shot("take_solved")
    print(f"{len(data.labels)} markers with lines, ms a redraw: {cost_of_redraw()}")
    yield from _marker_placed_by_click(take, rig)
    yield from _range_solved_again(take, rig)


def _marker_placed_by_click(take: bpy.types.Object, rig: bpy.types.Object) -> Steps[None]:
    """A click on the skin: on the thigh, where the front of the body is seen."""
    data = take.poise_take
    bpy.context.scene.frame_set(25)
    data.active_label = next(i for i, label in enumerate(data.labels) if label.name.endswith("LTHI"))
    yield from look_from("LEFT")
    knee, hip = (rig.matrix_world @ rig.pose.bones[name].head for name in ("left_knee", "left_hip"))
    aim = np.array((knee + hip) / 2)
    yield from frame_points(np.array([knee, hip, aim]))
    place = yield from find("poise.place_marker(")
    yield from hands.click(place)
    yield 0.3
    where = region("WINDOW")
    row, column = on_screen(aim)
    at = (where.x + column, where.y + where.height - row)
    hands.move(*at)
    yield 0.3
    yield from shot("take_placing")
    hands.tap("ESC")
    yield 0.3
    label = data.labels[data.active_label]
    assert not label.placed and support.addon("drawing.place_draw")._pointed is None
    yield from hands.click(place)
    yield from hands.click(at)
    yield 0.3
    assert label.placed
    skin = next(o for o in rig.children if o.type == "MESH").evaluated_get(bpy.context.evaluated_depsgraph_get())
    found, _ = support.addon("rig.takes.skin_place").at_place(skin, label.vertices, label.barycentric)
    row_found, column_found = on_screen(np.array(found))
    print(
        f"placed {np.hypot(row_found - row, column_found - column):.1f} pixels from the click, {tuple(label.vertices)}"
    )
    assert np.hypot(row_found - row, column_found - column) < 3
    assert found.x < aim[0]  # the side that is seen
    yield from shot("take_placed")


def _range_solved_again(take: bpy.types.Object, rig: bpy.types.Object) -> Steps[None]:
    """With the marker where it is now, in one undo step."""
    data, where = take.poise_take, region("WINDOW")
    name, action, before = take.name, rig.animation_data.action, data.residual_version
    hands.move(*middle(where))
    with bpy.context.temp_override(window=bpy.context.window, area=view(), region=where):
        bpy.ops.poise.resolve_range("INVOKE_DEFAULT")
    yield 0.4
    yield from shot("take_resolve_dialog")
    hands.tap("RET")
    yield from until(lambda: not ended(), 10, "the solve starts")
    yield from until(ended, 120, "the range is solved again")
    yield 0.5
    assert data.residual_version != before and rig.animation_data.action == action
    yield from shot("take_resolved")
    yield from hands.undo()
    assert bpy.data.objects[name].poise_take.residual_version == before


def test_the_worst_moment_is_brought_into_view_and_a_view_that_shows_it_stays() -> Steps[None]:
    take = yield from _solved(REAL_TAKE if REAL_TAKE.is_file() else TAKE)
    rig = take.poise_take.body
    bpy.context.view_layer.objects.active = rig  # the take is meant by its body
    worst = support.addon("take_report").report_of(take).worst
    eye, cursor = view().spaces.active.region_3d, tuple(bpy.context.scene.cursor.location)
    places = [np.array(take.matrix_world @ Vector(points_of(take)[m.frame, m.marker].tolist())) for m in worst]
    eye.view_location, eye.view_distance = (0.0, -30.0, 12.0), 2.5
    bpy.context.preferences.view.smooth_view = 400
    button = yield from find("poise.go_to_moment(")
    yield from hands.click(button)
    passed = tuple(eye.view_location)
    yield 1.5
    bpy.context.preferences.view.smooth_view = 0
    moment = next(i for i, m in enumerate(worst) if m.marker == take.poise_take.active_label)
    where, (row, column) = region("WINDOW"), on_screen(places[moment])
    assert abs(row - where.height / 2) < 3 and abs(column - where.width / 2) < 3, (row, column)
    assert abs(eye.view_distance - 2.5) < 1e-4 and tuple(bpy.context.scene.cursor.location) == cursor
    assert np.linalg.norm(np.array(passed) - np.array(eye.view_location)) > 0.1  # it was on its way
    yield from shot("take_worst_in_view")
    eye.view_location, eye.view_distance = np.mean(places, axis=0), 12.0
    yield 0.3
    stays = tuple(eye.view_location)
    yield from press("poise.go_to_moment(")
    yield 0.5
    assert tuple(eye.view_location) == stays
