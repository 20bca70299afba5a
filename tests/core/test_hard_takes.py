# SPDX-License-Identifier: Apache-2.0
"""Takes that are hard: parts of the body without markers, props, several people, odd rates, faults of the file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.errors import LayoutError, TargetError
from vendor_core.mocap.c3d import C3D, read_c3d
from vendor_core.mocap.layout_table import body_parts
from vendor_core.mocap.solve_take import TakeOptions, TakeSolution, solve_take
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import JOINTS

FRAMES = 36
WAIST = ("LFWT", "RFWT", "LBWT", "RBWT")
UPPER = ("head", "left_shoulder", "left_elbow", "left_wrist", "right_wrist", "spine3")
LOWER = ("pelvis", "left_knee", "right_knee", "left_ankle", "right_ankle", "right_foot")


def shown(take: C3D, points: np.ndarray, labels: tuple[str, ...], rate: float | None = None) -> C3D:
    residuals = np.where(np.isfinite(points).all(-1), 0, -1).astype(np.float32)
    return replace(take, points=points.astype(np.float32), residuals=residuals, labels=labels, rate=rate or take.rate)


@pytest.fixture(scope="module")
def take(shared_data: Path) -> C3D:
    """A third of a second of a person who walks, labelled without a prefix."""
    whole = read_c3d(shared_data / "c3d" / "cmu_02_01.c3d")
    return shown(whole, whole.points[100 : 100 + FRAMES], tuple(label.partition(":")[2] for label in whole.labels))


def solved(take: C3D, **options) -> TakeSolution:
    solution = solve_take(take, default_body(), load_prior(), TakeOptions(**options), lambda fraction, text: None)
    assert np.isfinite(solution.motion.poses).all() and np.isfinite(solution.motion.trans).all()
    return solution


@pytest.fixture(scope="module")
def usual(take: C3D) -> TakeSolution:
    return solved(take)


def joints(solution: TakeSolution) -> np.ndarray:
    motion = solution.motion
    betas = np.broadcast_to(motion.betas, (len(motion), len(motion.betas)))
    return default_body().pose(exp_so3(motion.poses[:, :22]), motion.trans, betas).joints[:, :22]


def apart(a: TakeSolution, b: TakeSolution, names: tuple[str, ...]) -> float:
    """Mean distance of joints, metres."""
    index = [JOINTS.index(name) for name in names]
    return float(np.linalg.norm(joints(a)[:, index] - joints(b)[:, index], axis=-1).mean())


def only(take: C3D, wanted: Callable[[str], bool]) -> C3D:
    kept = [i for i, label in enumerate(take.labels) if wanted(label)]
    return shown(take, take.points[:, kept], tuple(take.labels[i] for i in kept))


def part_of(label: str) -> str:
    return body_parts()["RBAK" if label == "RBAC" else label]


@pytest.mark.parametrize(
    ("wanted", "posed", "still"),
    [
        (lambda m: part_of(m) != "leg", UPPER, ("left_hip", "right_knee", "left_ankle", "right_foot")),
        (lambda m: part_of(m) != "leg" and m not in WAIST, UPPER, ("left_hip", "right_knee", "left_ankle")),
        (lambda m: part_of(m) == "leg" or m in WAIST, LOWER, ("spine2", "neck", "left_collar", "right_elbow")),
        (lambda m: part_of(m) != "arm" or m[1:] == "SHO", (*LOWER, "head"), ("left_elbow", "right_shoulder")),
    ],
)
def test_a_part_without_markers_holds_still(
    take: C3D, usual: TakeSolution, wanted: Callable[[str], bool], posed: tuple[str, ...], still: tuple[str, ...]
) -> None:
    part = solved(only(take, wanted))
    assert apart(part, usual, posed) < 0.03
    for name in still:
        turns = part.motion.poses[:, JOINTS.index(name)]
        assert np.abs(turns - turns[0]).max() < 1e-9
    assert any(note.startswith("No markers on the ") for note in part.summary["notes"])
    height = np.ptp(joints(part)[..., 2], axis=1)
    assert height.min() > 1.2  # upright


def test_legs_without_feet(take: C3D, usual: TakeSolution) -> None:
    part = solved(only(take, lambda m: m[1:] not in ("ANK", "HEE", "TOE", "MT5")))
    assert apart(part, usual, (*UPPER, *LOWER[:3])) < 0.01
    assert apart(part, usual, ("left_ankle", "right_ankle", "right_foot")) < 0.12
    ankle = part.motion.poses[:, JOINTS.index("left_ankle")]
    assert np.abs(np.diff(ankle, 2, axis=0)).max() < 0.01


def test_props_among_the_markers_change_nothing(take: C3D, usual: TakeSolution) -> None:
    stick = take.points[:, [take.labels.index("RFIN")]] + np.linspace([0.03, 0, 0.05], [0.1, 0.2, 0.9], 4)
    pole = np.broadcast_to(np.linspace([1, 1, 0.1], [1, 1, 1.9], 4), (FRAMES, 4, 3))
    names = (*(f"Stick{i}" for i in range(4)), *(f"Prop:{i}A" for i in range(4)), *(f"*{i}" for i in range(4)))
    among = shown(take, np.concatenate([take.points, stick, pole, stick + 0.001], 1), (*take.labels, *names))
    found = solved(among)
    assert apart(found, usual, (*UPPER, *LOWER)) < 1e-6
    assert found.summary["unmapped"] == [f"Stick{i}" for i in range(4)]


def test_either_of_two_people_is_solved(take: C3D, usual: TakeSolution) -> None:
    there = take.points[::-1, :36] + np.array([1.0, 0.5, 0], np.float32)
    other = shown(take, there, take.labels[:36])
    names = (*(f"Bob:{m}" for m in other.labels), *(f"Ann:{m}" for m in take.labels))
    both = shown(take, np.concatenate([there, take.points], 1), names)
    larger = solved(both)
    assert larger.summary["subject"] == "Ann" and "Bob (36 markers)" in larger.summary["notes"][0]
    assert apart(larger, usual, (*UPPER, *LOWER)) < 1e-6
    assert apart(solved(both, subject="Bob"), solved(other), (*UPPER, *LOWER)) < 1e-6
    with pytest.raises(LayoutError, match='"Eve"; it holds Ann'):
        solved(both, subject="Eve")
    alike = shown(take, both.points[:, [*range(36, 77), *range(36)]], (*take.labels, *(f"{m}#2" for m in other.labels)))
    assert apart(solved(alike), usual, (*UPPER, *LOWER)) < 1e-6
    assert apart(solved(alike, subject="#2"), larger, ("pelvis",)) > 0.5


def test_one_frame(take: C3D, usual: TakeSolution) -> None:
    assert usual.summary["notes"] == []
    one = solved(shown(take, take.points[:1], take.labels))
    assert len(one.motion) == 1 and np.linalg.norm(joints(one)[0] - joints(usual)[0], axis=-1).mean() < 0.02


def test_markers_that_jump_ten_metres(take: C3D, usual: TakeSolution) -> None:
    points = take.points.copy()
    points[18, 5] += 10.0
    points[24:28, 20] += [10.0, 0, 0]
    assert apart(solved(shown(take, points, take.labels)), usual, (*UPPER, *LOWER)) < 0.002


@pytest.mark.parametrize("rate", [30.0, 1000.0])
def test_slow_and_fast_cameras(take: C3D, usual: TakeSolution, rate: float) -> None:
    at = np.arange(0, FRAMES - 1, take.rate / rate)
    left, part = at.astype(int), (at % 1)[:, None, None]
    points = take.points[left] * (1 - part) + take.points[np.minimum(left + 1, FRAMES - 1)] * part
    found = solved(shown(take, points, take.labels, rate))
    assert found.motion.rate == rate and len(found.motion) == len(at)
    whole = at == left
    off = np.linalg.norm(joints(found)[whole] - joints(usual)[left[whole]], axis=-1)
    assert off.mean() < 0.01


def test_somebody_who_lies_on_the_floor(shared_data: Path) -> None:
    still = read_c3d(shared_data / "c3d" / "btk_pig_static_FlatFoot-Full.c3d")
    lying = still.points[:10] @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], np.float32)
    lying[..., 2] += 0.05 - np.nanmin(lying[:, still.markers(), 2])
    lying += np.array([1.0, 0.7, 0], np.float32)
    solution = solved(replace(still, points=lying, residuals=still.residuals[:10]))
    found = joints(solution)
    assert np.ptp(found[..., 2], axis=1).max() < 0.6 and np.ptp(found[..., 1], axis=1).min() > 1.3
    assert found[..., 2].min() > -0.15
    assert (
        "LWRA where LWRB should be, LWRB where LWRA should be" in solution.summary["notes"][0]
    )  # as the file has them


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda p: np.full_like(p, np.nan), LayoutError, "None of the 41 points is a marker that is visible"),
        (lambda p: np.ones_like(p), TargetError, "the markers span 0 m; expected those of a person"),
        (lambda p: p * 0.1, TargetError, r"the markers span 0\.1\d+ m.*check the file's unit"),
        (lambda p: p * 10, TargetError, r"the markers span 1\d\.\d m.*check the file's unit"),
    ],
)
def test_what_is_no_person_is_refused_in_a_line(
    take: C3D, change: Callable[[np.ndarray], np.ndarray], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as problem:
        solved(shown(take, change(take.points), take.labels))
    assert "\n" not in str(problem.value)


def test_clusters_on_the_legs_are_no_layout(shared_data: Path) -> None:
    with pytest.raises(LayoutError, match=r"fit no layout: found RFT1.*Give a layout file, a csv label,marker"):
        solved(read_c3d(shared_data / "c3d" / "momentum_eb015pi_intel_int.c3d"))
