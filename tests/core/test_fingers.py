# SPDX-License-Identifier: Apache-2.0
"""Fingers that carry markers: found again from known poses, without touching the body, kept still where unseen."""

from typing import Any

import numpy as np
import pytest

from tests.core.known_takes import UPRIGHT, quiet, take_of
from vendor_core.body import default_body
from vendor_core.body.hands import preset_hands, relaxed_hands
from vendor_core.ik.bones import bones_of
from vendor_core.mocap.c3d import C3D
from vendor_core.mocap.fingers import finger_of, solve_fingers
from vendor_core.mocap.layouts import LAYOUTS, map_labels
from vendor_core.mocap.marker_points import place_markers
from vendor_core.mocap.placement_table import placement_table
from vendor_core.mocap.solve_take import TakeOptions, TakeSolution, solve_take
from vendor_core.prior import load_prior
from vendor_core.prior.interpolate import interpolate_poses
from vendor_core.rotations import exp_so3, log_so3
from vendor_core.skeleton import JOINTS

FINGERS = tuple(label for label in placement_table() if finger_of(label) is not None)
LEFT = tuple(label for label in FINGERS if label.startswith("L"))
N = 31


def known_hands() -> np.ndarray:
    """(F, 30, 3) from relaxed hands towards a fist and back."""
    t = 0.6 * np.sin(np.linspace(0, np.pi, N))[:, None, None]
    return relaxed_hands() + t * (preset_hands("fist") - relaxed_hands())


def placed_points(labels: tuple[str, ...], R: np.ndarray, trans: np.ndarray) -> np.ndarray:
    """(F, M, 3) where a posed body of 55 joints has its markers, each carried by the table's bone."""
    body = default_body()
    posed = body.pose(R, np.broadcast_to(trans, (len(R), 3)))
    points, rest = place_markers(body, labels).points, np.asarray(body.joints_template)
    weights = np.zeros((len(labels), 55))
    weights[:, :22] = points.weights
    for i, label in enumerate(labels):
        if finger_of(label) is not None:
            weights[i] = np.eye(55)[JOINTS.index(placement_table()[label].bone or "")]
    local = points.rest[:, None] - rest
    carried = (posed.G[:, None] @ local[None, ..., None])[..., 0] + posed.joints[:, None]
    return np.sum(weights[..., None] * carried, axis=2)


@pytest.fixture(scope="module")
def take() -> C3D:
    prior, rng = load_prior(), np.random.default_rng(3)
    body_R = interpolate_poses(prior, prior.decode(prior.sample(2, seed=4)), [N - 1])
    R = np.broadcast_to(np.eye(3), (N, 55, 3, 3)).copy()
    R[:, 0], R[:, 1:22], R[:, 25:] = UPRIGHT, body_R, exp_so3(known_hands())
    labels = (*LAYOUTS["CMU41"].markers, *FINGERS)
    points = placed_points(labels, R, np.array([0.0, 0, 1]))
    return take_of(points + rng.normal(size=points.shape) * [0.002 / np.sqrt(3)], labels)


def solved(take: C3D, **options: Any) -> TakeSolution:
    return solve_take(take, default_body(), load_prior(), TakeOptions(**options), quiet)


@pytest.fixture(scope="module")
def solution(take: C3D) -> TakeSolution:
    return solved(take)


def degrees_off(found: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.degrees(np.linalg.norm(log_so3(np.swapaxes(exp_so3(found), -1, -2) @ exp_so3(known)), axis=-1))


@pytest.mark.parametrize("digits", ["136", "36", "6"])
def test_fingers_are_found_again(digits: str) -> None:
    """Of hands that are where they are: three markers a finger, two, or the tips alone, with 2 mm noise."""
    rng, body = np.random.default_rng(3), default_body().first_betas(10)
    R = np.broadcast_to(np.eye(3), (N, 55, 3, 3)).copy()
    R[:, 0], R[:, 25:] = UPRIGHT, exp_so3(known_hands())
    labels, trans = tuple(label for label in FINGERS if label[-1] in digits), np.array([0.0, 0, 1])
    points = placed_points(labels, R, trans)
    points += rng.normal(size=points.shape) * 0.002 / np.sqrt(3)
    posed, unknown = body.pose(R, np.broadcast_to(trans, (N, 3))), np.full((len(labels), 3), np.nan)
    found = solve_fingers(
        place_markers(body, labels).points, body, np.zeros(10), (posed.G[:, 20:22], posed.joints[:, 20:22]), points,
        unknown, 30.0,
    )  # fmt: skip
    still = degrees_off(np.broadcast_to(relaxed_hands(), (N, 30, 3)), known_hands())
    assert np.median(degrees_off(found.poses, known_hands())) < 6 < 0.4 * np.median(still)
    assert np.median(np.linalg.norm(found.places - points, axis=-1)) < 0.002


def test_fingers_reach_their_markers_on_a_solved_body(solution: TakeSolution) -> None:
    assert set(FINGERS) <= set(solution.labels) == set(solution.summary["markers"])
    worst = max(solution.summary["markers"][label]["median_mm"] for label in FINGERS)
    assert worst < 5


def test_the_body_knows_nothing_of_fingers(take: C3D, solution: TakeSolution) -> None:
    n = len(LAYOUTS["CMU41"].markers)
    bare = solved(take_of(take.points[:, :n], take.labels[:n]))
    np.testing.assert_array_equal(bare.motion.poses[:, :25], solution.motion.poses[:, :25])
    np.testing.assert_array_equal(bare.motion.trans, solution.motion.trans)
    np.testing.assert_array_equal(bare.residual, solution.residual[:, :n])
    assert not bare.motion.poses[:, 25:].any()


def test_gaps_are_bridged_and_hands_without_markers_stay_relaxed(take: C3D, solution: TakeSolution) -> None:
    points = take.points.copy()
    index = [i for i, label in enumerate(take.labels) if label in LEFT and "IDX" in label]
    points[10:14, index] = np.nan
    right = [i for i, label in enumerate(take.labels) if label in FINGERS and label not in LEFT]
    points[:, right] = np.nan
    found = solved(take_of(points, take.labels), calibration=solution.calibration)
    w, before = found.motion.poses[:, 25:], solution.motion.poses[:, 25:]
    np.testing.assert_allclose(w[:, 15:], np.broadcast_to(relaxed_hands()[15:], (N, 15, 3)))
    assert degrees_off(w[10:14, :3], before[10:14, :3]).max() < 12
    assert np.isnan(found.residual[10, found.labels.index("LIDX6")])


def test_fingers_of_a_part_are_as_in_the_whole(take: C3D, solution: TakeSolution) -> None:
    part = solved(take, first=8, last=15, calibration=solution.calibration)
    off = degrees_off(part.motion.poses[:, 25:], solution.motion.poses[8:16, 25:])
    assert np.median(off) < 0.01 and off.max() < 2


def test_spellings_of_fingers_mean_both_sides() -> None:
    body = list(LAYOUTS["CMU41"].markers)
    for spelling, marker in (
        ("LIndexTip", "LIDX6"), ("Right_Index_Tip", "RIDX6"), ("R_Pinky2", "RPNK3"), ("LeftThumbTip", "LTHM6"),
        ("LIDX3", "LIDX3"), ("RightLittleTip", "RPNK6"),
    ):  # fmt: skip
        assert map_labels([*body, spelling]).columns[len(body)] == marker
    assert map_labels([*body, "LFIN"]).columns and finger_of("LFIN") is None and finger_of("LHM5") is None


def test_every_finger_marker_sits_on_its_finger() -> None:
    body = default_body()
    rest, joints = place_markers(body, FINGERS).points.rest, np.asarray(body.joints_template)
    for label, point in zip(FINGERS, rest, strict=True):
        joint = joints[JOINTS.index(placement_table()[label].bone or "")]
        assert np.linalg.norm(point - joint) < 0.035, label
    assert len(bones_of(body, 55)) == 55
