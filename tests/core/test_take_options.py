# SPDX-License-Identifier: Apache-2.0
"""A take solved by the user's map and places, by what an earlier solve found, and as the worker's jobs ask for it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.known_takes import known_solution, known_take, quiet
from vendor_core.body import default_body
from vendor_core.body.placement import cast_to_skin
from vendor_core.errors import LayoutError, PoiseError, SubjectError, TargetError
from vendor_core.jobs import JOBS
from vendor_core.mocap.c3d import C3D, read_c3d
from vendor_core.mocap.calibration_file import calibration_of
from vendor_core.mocap.marker_points import SkinPlace
from vendor_core.mocap.solve_take import TakeOptions, TakeSolution, solve_take
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3


@pytest.fixture(scope="module")
def known() -> tuple[C3D, np.ndarray]:
    return known_take()


@pytest.fixture(scope="module")
def solution() -> TakeSolution:
    return known_solution()


def solved(take: C3D, **options: Any) -> TakeSolution:
    return solve_take(take, default_body(), load_prior(), TakeOptions(**options), quiet)


def joints(solution: TakeSolution) -> np.ndarray:
    motion = solution.motion
    betas = np.broadcast_to(motion.betas, (len(motion), len(motion.betas)))
    return default_body().pose(exp_so3(motion.poses[:, :22]), motion.trans, betas).joints[:, :22]


def unnamed(take: C3D) -> C3D:
    """The take with labels that no layout knows."""
    return replace(take, labels=tuple(f"thing {i}" for i in range(len(take.labels))))


def place_of(height: float = 0.0095) -> SkinPlace:
    """The middle of the left forearm's back, where LFRM sits too."""
    body = default_body()
    a, b = (np.asarray(body.joints_template)[body.joint_names.index(j)] for j in ("left_elbow", "left_wrist"))
    found = cast_to_skin(body, (0.5 * a + 0.5 * b)[None], np.array([[0, 1, -0.8]]))
    v, w = found.vertices[0], found.barycentric[0]
    return SkinPlace((int(v[0]), int(v[1]), int(v[2])), (float(w[0]), float(w[1]), float(w[2])), height)


def test_the_users_map_solves_what_the_labels_do_not_tell(
    known: tuple[C3D, np.ndarray], solution: TakeSolution
) -> None:
    take = unnamed(known[0])
    with pytest.raises(LayoutError):
        solved(take)
    own = solved(take, columns=dict(enumerate(known[0].labels)), calibration=solution.calibration)
    np.testing.assert_allclose(joints(own), joints(solution), atol=5e-4)
    assert own.summary["layout"] == "own map" and own.summary["confidence"] == 1
    assert own.columns == dict(enumerate(known[0].labels)) == solution.columns


def test_an_unmapped_column_takes_no_part(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    take = known[0]
    points = take.points.copy()
    points[:, 5] += 2.0
    columns = {i: label for i, label in enumerate(take.labels) if i != 5}
    away = solved(replace(take, points=points), columns=columns, calibration=solution.calibration)
    assert take.labels[5] not in away.labels and away.summary["unmapped"] == [take.labels[5]]
    assert np.median(np.linalg.norm(joints(away) - known[1], axis=-1)) < 0.012


def test_a_marker_of_the_users_own_works_throughout(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    take, name = known[0], "Watch"
    column = take.labels.index("LFRM")
    columns = {**dict(enumerate(take.labels)), column: name}
    own = solved(take, columns=columns, places={name: place_of()}, calibration=solution.calibration)
    assert own.labels[-1] == name and own.summary["mapped"][-1] == name
    assert own.summary["markers"][name]["median_mm"] < 8 and own.summary["markers"][name]["missing"] == 1
    assert own.calibration.places == {name: place_of()} and name in own.calibration.offsets
    np.testing.assert_allclose(joints(own), joints(solution), atol=0.01)
    again = solved(take, columns=columns, calibration=own.calibration)
    np.testing.assert_allclose(joints(again), joints(own), atol=6e-4)


def test_a_marker_put_elsewhere_is_believed_to_sit_there(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    """A marker of the leg, labelled as one of the arm: only its place can make sense of it."""
    take = known[0]
    columns = {i: label for i, label in enumerate(take.labels) if label != "LFRM"}
    columns[take.labels.index("LFRM")] = "LTHI"
    del columns[take.labels.index("LTHI")]
    put = solved(take, columns=columns, places={"LTHI": place_of()}, calibration=solution.calibration)
    assert put.summary["markers"]["LTHI"]["median_mm"] < 8
    assert np.linalg.norm(put.calibration.offsets["LTHI"]) < 0.03


def test_a_known_subject_keeps_shape_and_offsets(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    again = solved(known[0], calibration=solution.calibration)
    np.testing.assert_array_equal(again.motion.betas, solution.motion.betas)
    found, before = (replace(s.calibration, fit=None).as_dict() for s in (again, solution))
    assert found == before
    np.testing.assert_allclose(joints(again), joints(solution), atol=5e-4)


def test_a_marker_that_the_calibration_lacks_is_estimated(
    known: tuple[C3D, np.ndarray], solution: TakeSolution
) -> None:
    offsets = {marker: offset for marker, offset in solution.calibration.offsets.items() if marker != "LFRM"}
    again = solved(known[0], calibration=replace(solution.calibration, offsets=offsets))
    for marker, offset in offsets.items():
        np.testing.assert_array_equal(again.calibration.offsets[marker], offset)
    found, before = (c.offsets["LFRM"] for c in (again.calibration, solution.calibration))
    np.testing.assert_allclose(found, before, atol=0.004)
    assert np.linalg.norm(before) > 0 and again.summary["median_mm"] < 1.1 * solution.summary["median_mm"]


def test_a_calibration_goes_through_json_unchanged(solution: TakeSolution) -> None:
    data = solution.calibration.as_dict()
    assert calibration_of(json.loads(json.dumps(data))).as_dict() == data


@pytest.fixture(scope="module")
def long(shared_data: Path) -> C3D:
    """Ten seconds: more than what is solved around a part."""
    take = read_c3d(shared_data / "c3d" / "cmu_01_01.c3d")
    return replace(take, points=take.points[:1200], residuals=take.residuals[:1200])


@pytest.fixture(scope="module")
def whole(long: C3D) -> TakeSolution:
    return solved(long, fps=25.0)


def test_a_part_solved_again_fits_into_the_whole(long: C3D, whole: TakeSolution) -> None:
    known = calibration_of(json.loads(json.dumps(whole.calibration.as_dict())))
    part = solved(long, first=961, last=1033, fps=25.0, calibration=known)
    inside = slice(201, 216)  # frame 201 at 25 Hz is frame 964.8 at 120 Hz
    assert part.summary["start"] == pytest.approx(201 / 25) and len(part.motion) == 15
    np.testing.assert_allclose(part.markers, whole.markers[inside], atol=1e-9)
    apart = np.linalg.norm(joints(part) - joints(whole)[inside], axis=-1)
    assert apart.max() < 1e-4
    assert part.calibration.as_dict() == known.as_dict()


def test_a_swap_put_right_in_a_part_changes_nothing_around_it(long: C3D, whole: TakeSolution) -> None:
    a, b = (next(c for c, m in whole.columns.items() if m == marker) for marker in ("LKNE", "LELB"))
    points = long.points.copy()
    points[980:1010, [a, b]] = points[980:1010, [b, a]]
    wrong = solved(replace(long, points=points), fps=25.0, calibration=whole.calibration)
    fixed = solved(long, first=960, last=1032, fps=25.0, calibration=wrong.calibration)
    merged = joints(wrong)
    merged[200:216] = joints(fixed)
    assert np.linalg.norm(merged - joints(whole), axis=-1).max() < 5e-4


def test_frames_of_which_the_fit_says_nothing_are_solved_on_their_own(long: C3D, whole: TakeSolution) -> None:
    other_rate = solved(long, first=960, last=1032, fps=30.0, calibration=whole.calibration)
    assert other_rate.summary["start"] == 8 and len(other_rate.motion) == 19
    apart = np.linalg.norm(joints(other_rate)[::6] - joints(whole)[200:216:5], axis=-1)
    assert np.median(apart) < 1e-3


def arrays(take: C3D, **more: Any) -> dict[str, Any]:
    return {"points": take.points, "labels": list(take.labels), "rate": take.rate, "up_axis": "Z", **more}


def test_the_job_solves_arrays_as_it_would_a_file(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    data, out = JOBS["solve"](arrays(known[0]), quiet)
    json.dumps(data, allow_nan=False)
    np.testing.assert_array_equal(out["poses"], solution.motion.poses)
    np.testing.assert_array_equal(out["residual"], solution.residual)
    assert out["residual"].shape == out["markers"].shape[:2] == (61, len(data["labels"]))
    assert data["columns"] == [[i, label] for i, label in enumerate(known[0].labels)]
    again, part = JOBS["solve"](
        arrays(
            unnamed(known[0]), columns=data["columns"], calibration=json.loads(json.dumps(data["calibration"])),
            first=5, last=9,
        ),
        quiet,
    )  # fmt: skip
    assert again["summary"]["frames"] == 5 == len(part["residual"])
    np.testing.assert_allclose(part["trans"], out["trans"][5:10], atol=1e-3)


def test_an_axis_that_is_certain_is_not_doubted(known: tuple[C3D, np.ndarray]) -> None:
    take = known[0]
    lying = replace(take, points=np.ascontiguousarray(np.roll(take.points, 1, axis=-1)))  # X is up
    told, _ = JOBS["solve"](arrays(lying, last=3), quiet)
    guessed, _ = JOBS["solve"](arrays(lying, last=3, up_axis=None), quiet)
    assert (told["summary"]["up_axis"], guessed["summary"]["up_axis"]) == ("Z", "X")


def test_the_job_label_names_the_columns(known: tuple[C3D, np.ndarray]) -> None:
    data, out = JOBS["label"](arrays(known[0]), quiet)
    assert data["layout"] == "CMU41" and data["confidence"] == 1 and not out
    assert data["columns"] == [[i, label] for i, label in enumerate(known[0].labels)]


PLACE = ["Watch", [1, 2, 3], [0.2, 0.3, 0.5], 0.0095]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": [[0, "LFHD"], [99, "RFHD"]]}, "column 99"),
        ({"columns": [[0, "Nose"]]}, "Nose"),
        ({"columns": [[i, f"{side}FHD"] for i, side in enumerate("LR")]}, "at least 6"),
        ({"columns": [[0, "LFHD"], [0, "RFHD"]]}, "keep one"),
        ({"columns": [["0", "LFHD"]]}, "expected"),
        ({"columns": {"0": "LFHD"}}, "list"),
        ({"places": [PLACE[:3]]}, "expected"),
        ({"places": [["LFHD", [1, 2], *PLACE[2:]]]}, "three vertices"),
        ({"places": [["LFHD", [1, 2, 10**9], *PLACE[2:]]]}, "vertices"),
        ({"places": [["LFHD", [1, 2, 3], [0.5, 0.5, 0.5], 0.01]]}, "sum to one"),
        ({"places": [["LFHD", [1, 2, 3], [0.2, 0.3, float("nan")], 0.01]]}, "weights"),
        ({"places": [["LFHD", *PLACE[1:3], 7.0]]}, "above the skin"),
        ({"calibration": {}}, "no subject"),
        ({"calibration": []}, "an object"),
        ({"calibration": {"version": 1, "body": "x", "betas": [], "offsets": {}, "take": {}}}, "damaged"),
        ({"betas": [0.0], "calibration": True}, "expected"),
        ({"betas": ["a"]}, "numbers"),
        ({"points": np.zeros((4, 5))}, "points"),
        ({"points": np.zeros((0, 41, 3))}, "points"),
        ({"points": np.array([["a"]])}, "points"),
        ({"labels": ["a"]}, "labels"),
        ({"labels": None}, "labels"),
        ({"rate": -1.0}, "rate"),
        ({"rate": float("nan")}, "rate"),
        ({"up_axis": "W"}, "up_axis"),
        ({"take": "also.c3d"}, "not both"),
        ({"first": 1.5}, "whole number"),
        ({"first": 100}, "no frame"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_job_is_one_line(
    known: tuple[C3D, np.ndarray], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(PoiseError, match=message) as error:
        JOBS["solve"](arrays(known[0]) | change, quiet)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


def test_betas_and_a_calibration_are_too_much(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    with pytest.raises(SubjectError, match="one of them"):
        solved(known[0], betas=np.zeros(10), calibration=solution.calibration)


def test_a_place_on_another_mesh_is_refused(known: tuple[C3D, np.ndarray]) -> None:
    columns = {**dict(enumerate(known[0].labels)), 0: "Watch"}
    with pytest.raises(TargetError, match="Watch"):
        solved(known[0], columns=columns, places={"Watch": SkinPlace((0, 1, 99999), (0.2, 0.3, 0.5))})
