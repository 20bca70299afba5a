# SPDX-License-Identifier: Apache-2.0
"""From a take to a motion: a take of our own with known poses, real takes, and takes that cannot be solved."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.core.known_takes import known_solution, known_take, quiet, take_of
from vendor_core.body import default_body
from vendor_core.errors import Cancelled, LayoutError, TargetError
from vendor_core.mocap.c3d import C3D, read_c3d
from vendor_core.mocap.layouts import LAYOUTS
from vendor_core.mocap.marker_points import place_markers
from vendor_core.mocap.solve_take import TakeOptions, TakeSolution, solve_take
from vendor_core.mocap.timing import sampled, sampling, turned_to_z, up_axis_of
from vendor_core.motion import BRIDGED, HELD
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import JOINTS

LIMBS = ((1, 4), (2, 5), (4, 7), (5, 8), (16, 18), (17, 19), (18, 20), (19, 21))


@pytest.fixture(scope="module")
def known() -> tuple[C3D, np.ndarray]:
    return known_take()


@pytest.fixture(scope="module")
def solution() -> TakeSolution:
    return known_solution()


def _joints(solution: TakeSolution) -> np.ndarray:
    motion = solution.motion
    betas = np.broadcast_to(motion.betas, (len(motion), len(motion.betas)))
    return default_body().pose(exp_so3(motion.poses[:, :22]), motion.trans, betas).joints[:, :22]


def test_a_take_of_our_own_is_recovered(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    frames = np.arange(61) != 40
    error = np.linalg.norm(_joints(solution) - known[1], axis=-1)[frames]
    assert np.median(error) < 0.012
    assert solution.summary["median_mm"] < 3
    assert solution.summary["rejected_fraction"] == 0


def test_a_short_gap_is_bridged_and_reported(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    assert solution.motion.frame_status is not None
    assert np.flatnonzero(solution.motion.frame_status == BRIDGED).tolist() == [40]
    assert solution.summary["frame_status"] == {"solved": 60, "held": 0, "bridged": 1}
    assert np.isfinite(solution.motion.poses).all()
    off = np.linalg.norm(_joints(solution) - known[1], axis=-1).mean(1)
    assert off[40] < 1.2 * max(off[39], off[41]) + 0.001


def test_a_long_gap_holds_the_nearest_pose(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    points = known[0].points.copy()
    points[15:50] = np.nan  # more than a second of 30 Hz
    options = TakeOptions(betas=solution.motion.betas)
    motion = solve_take(replace(known[0], points=points), default_body(), load_prior(), options, quiet).motion
    assert motion.frame_status is not None and set(motion.frame_status[15:50]) == {HELD}
    np.testing.assert_array_equal(motion.poses[20], motion.poses[14])
    np.testing.assert_array_equal(motion.poses[45], motion.poses[50])


def test_a_marker_far_away_changes_only_its_own_frame(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    take = known[0]
    points = take.points.copy()
    points[50, 12] += 3.0
    options = TakeOptions(betas=solution.motion.betas)
    dirty = solve_take(replace(take, points=points), default_body(), load_prior(), options, quiet)
    apart = np.linalg.norm(_joints(solution) - _joints(dirty), axis=-1)
    assert np.delete(apart, 50, axis=0).max() < 0.001
    assert apart[50].max() < 0.05
    assert dirty.summary["rejected_fraction"] > 0


def test_cancel_stops_the_solve(known: tuple[C3D, np.ndarray]) -> None:
    def cancel(fraction: float, text: str) -> None:
        if fraction > 0.1:
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        solve_take(known[0], default_body(), load_prior(), TakeOptions(), cancel)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (
            lambda t: replace(t, points=np.full_like(t.points, np.nan), residuals=-np.ones_like(t.residuals)),
            LayoutError,
        ),
        (lambda t: replace(t, labels=tuple(f"thing{i}" for i in range(len(t.labels)))), LayoutError),
    ],
)
def test_what_cannot_be_solved_is_refused_by_name(known: tuple[C3D, np.ndarray], change, error: type) -> None:
    with pytest.raises(error):
        solve_take(change(known[0]), default_body(), load_prior(), TakeOptions(), quiet)


@pytest.mark.parametrize("options", [TakeOptions(first=5000), TakeOptions(first=9, last=3), TakeOptions(fps=-1.0)])
def test_impossible_ranges_and_rates_are_refused(known: tuple[C3D, np.ndarray], options: TakeOptions) -> None:
    with pytest.raises(TargetError, match="expected"):
        solve_take(known[0], default_body(), load_prior(), options, quiet)


@pytest.mark.parametrize("axis", ["X", "Y", "Z"])
@pytest.mark.parametrize("told", ["X", "Y", "Z"])
def test_the_body_says_which_way_is_up(known: tuple[C3D, np.ndarray], axis: str, told: str) -> None:
    take = known[0]
    cycled = np.roll(take.points, {"X": 1, "Y": 2, "Z": 0}[axis], axis=-1)
    up = turned_to_z(cycled, up_axis_of(cycled, take.labels, told))
    heights = np.nanmean(up[..., 2], axis=0)
    assert heights[take.labels.index("C7")] > heights[take.labels.index("LANK")] + 0.5
    spread = np.linalg.norm(up[0, :, None] - up[0, None], axis=-1)
    np.testing.assert_allclose(
        spread, np.linalg.norm(take.points[0, :, None] - take.points[0, None], axis=-1), atol=1e-5
    )


def test_resampling_keeps_gaps_and_straight_lines() -> None:
    markers = np.arange(20.0)[:, None, None] * np.ones((1, 2, 3))
    markers[7, 1] = np.nan
    assert sampling(20, 100.0).rate == 100.0
    np.testing.assert_array_equal(sampled(markers, sampling(20, 100.0).at), markers)
    half = sampled(markers, sampling(20, 100.0, 40.0).at)
    np.testing.assert_allclose(half[:, 0, 0], np.arange(len(half)) * 2.5)
    assert np.isnan(half[3, 1]).all() and np.isfinite(half[4:, 1]).all()


def test_a_real_take_moves_its_limbs_as_its_reference_does(shared_data: Path) -> None:
    take = read_c3d(shared_data / "c3d" / "cmu_02_01.c3d")
    solved = solve_take(take, default_body(), load_prior(), TakeOptions(fps=30.0), quiet)
    assert solved.summary["median_mm"] < 8 and solved.summary["rejected_fraction"] < 0.1
    assert solved.summary["frame_status"]["held"] == 0
    pack = np.load(shared_data / "motion" / "train.npz")
    clip = pack["clip_id"].tolist().index("02_01")
    reference = pack["joints"][pack["start"][clip] :][: len(solved.motion)].astype(float)
    mine = _joints(solved)[: pack["length"][clip]][..., [1, 2, 0]]  # the pack's axes are the file's y, z, x
    reference = reference[: len(mine)]
    angles = []
    for a, b in LIMBS:
        u, v = mine[:, b] - mine[:, a], reference[:, b] - reference[:, a]
        cosine = np.sum(u * v, -1) / np.linalg.norm(u, axis=-1) / np.linalg.norm(v, axis=-1)
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean())
    assert np.mean(angles) < 4.5


def test_a_gait_take_with_gaps_is_solved(shared_data: Path) -> None:
    take = read_c3d(shared_data / "c3d" / "btk_pig_gait_FlatFoot-Full.c3d")
    solved = solve_take(take, default_body(), load_prior(), TakeOptions(fps=25.0), quiet)
    assert solved.summary["layout"] == "PlugInGait35"
    assert solved.summary["median_mm"] < 8 and solved.summary["rejected_fraction"] < 0.1
    assert solved.summary["frame_status"]["held"] == 0
    assert solved.summary["foot_slip_mm"] < 4 and abs(solved.summary["floor_m"]) < 0.03


def test_betas_that_are_given_are_kept(known: tuple[C3D, np.ndarray]) -> None:
    given = np.linspace(-1, 1, default_body().num_betas)
    options = TakeOptions(betas=given, first=0, last=8)
    np.testing.assert_allclose(
        solve_take(known[0], default_body(), load_prior(), options, quiet).motion.betas, given, atol=1e-5
    )


@pytest.mark.parametrize(("kind", "apart"), [("SMPL", 0.03), ("SMPL-H", 1e-12)])
def test_markers_sit_at_the_same_places_on_bodies_with_other_joints(kind: str, apart: float) -> None:
    body, markers = default_body(), LAYOUTS["CMU41"].markers
    fingers = [28, 43] if kind == "SMPL" else [*range(25, 55)]
    names = ["left_hand", "right_hand"] if kind == "SMPL" else [JOINTS[j] for j in fingers]
    joints = [*range(22), *fingers]
    other = replace(
        body,
        joint_names=(*JOINTS[:22], *names),
        parents=(*body.parents[:22], *([20] * (len(fingers) // 2)), *([21] * (len(fingers) // 2))),
        weights=body.weights[:, joints],
        joints_template=body.joints_template[joints],
        joint_shape_dirs=body.joint_shape_dirs[joints],
    )
    here, there = place_markers(body, markers).points.rest, place_markers(other, markers).points.rest
    assert np.linalg.norm(here - there, axis=1).max() < apart


def test_markers_that_span_no_person_are_refused(known: tuple[C3D, np.ndarray]) -> None:
    take = known[0]
    with pytest.raises(TargetError, match="unit"):
        solve_take(replace(take, points=take.points * 0.001), default_body(), load_prior(), TakeOptions(), quiet)


def test_a_rate_that_makes_millions_of_frames_is_refused() -> None:
    with pytest.raises(TargetError, match="lower rate"):
        sampling(3, 1e-6, 30.0)


def test_a_marker_at_infinity_counts_as_unseen(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    def solved(bad: float) -> TakeSolution:
        points = known[0].points[:20].copy()
        points[5, 7] = bad
        options = TakeOptions(betas=solution.motion.betas)
        return solve_take(take_of(points, known[0].labels), default_body(), load_prior(), options, quiet)

    expected = solved(np.nan)
    for bad in (1e7, 1e30):
        found = solved(bad)
        np.testing.assert_array_equal(found.motion.poses, expected.motion.poses)
        assert np.isnan(found.residual[5, 7])


def test_swapped_labels_are_put_right(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    take, _ = known
    points, rng = take.points.copy(), np.random.default_rng(7)
    for frame in points[:40]:
        for _ in range(rng.binomial(len(frame), 0.025)):
            a, b = rng.choice(np.flatnonzero(np.isfinite(frame[:, 0])), 2, replace=False)
            frame[[a, b]] = frame[[b, a]]
    swapped = solve_take(replace(take, points=points), default_body(), load_prior(), TakeOptions(), quiet)
    assert 0.02 < swapped.summary["swapped_fraction"] < 0.06 and solution.summary["swapped_fraction"] == 0
    assert "had another's label" in swapped.summary["notes"][0]
    assert np.array_equal(np.nan_to_num(swapped.markers), np.nan_to_num(solution.markers))
    assert np.linalg.norm(_joints(swapped) - _joints(solution), axis=-1).max() < 1e-6


def test_points_that_lost_their_labels_are_recognised(known: tuple[C3D, np.ndarray], solution: TakeSolution) -> None:
    take, _ = known
    points, stray = take.points.copy(), np.full((len(take.points), 2, 3), np.nan, np.float32)
    stray[30:, 0], points[30:, 20] = points[30:, 20], np.nan
    stray[:, 1] = (3.0, 3.0, 0.5)  # something else in the room
    residuals = np.where(np.isfinite(points).all(-1), 0.0, -1.0).astype(np.float32)
    more = replace(
        take,
        points=np.concatenate([points, stray], axis=1),
        residuals=np.concatenate([residuals, np.where(np.isfinite(stray).all(-1), 0, -1)], axis=1),
        labels=(*take.labels, "*7", "*8"),
    )
    found = solve_take(more, default_body(), load_prior(), TakeOptions(), quiet)
    assert found.summary["notes"] == ["30 points without a label were recognised"]
    assert np.array_equal(np.nan_to_num(found.markers), np.nan_to_num(solution.markers))
