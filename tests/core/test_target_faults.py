# SPDX-License-Identifier: Apache-2.0
"""Bad input to a solve: a line that tells, or a finite pose and a status; never another frame harmed."""

from typing import Any

import numpy as np
import pytest

from tests.core.known_poses import EFFECTORS, JOINTS, E, N, camera_before, effectors, solved
from vendor_core.errors import TargetError
from vendor_core.ik import (
    Camera,
    DirectionTargets,
    GroundTargets,
    ImageTargets,
    JointTargets,
    LookTargets,
    OrientationTargets,
    RigidTargets,
    Solution,
    SurfaceTargets,
    Unknowns,
)
from vendor_core.ik.targets import Target
from vendor_core.motion import HELD, SOLVED
from vendor_core.skeleton import BODY_JOINTS


@pytest.fixture(scope="module")
def start() -> Solution:
    return solved(effectors())


def _finite(found: Solution) -> bool:
    return all(np.isfinite(a).all() for a in (found.R_local, found.trans, found.z, found.betas))


@pytest.mark.parametrize(
    "targets",
    [
        lambda: [JointTargets(["head"], JOINTS[:, [15]])],  # 3 numbers for 69 unknowns
        lambda: [GroundTargets(["left_foot"], np.ones((N, 1)))],
        lambda: [DirectionTargets(["head"], np.ones((N, 1, 3)))],
        lambda: [LookTargets(["head"], np.zeros((N, 1, 3)))],  # on the eye, or nearly
        lambda: [ImageTargets(["head"], np.full((N, 1, 2), 300.0), camera_before())],
        lambda: [JointTargets(BODY_JOINTS, np.repeat(JOINTS[:, :1], 22, axis=1))],  # all in one place
        lambda: [JointTargets(BODY_JOINTS, np.full((N, 22, 3), 9e4))],
        lambda: [JointTargets(["head"] * 3, JOINTS[:, [15, 0, 10]])],  # contradictory
        lambda: [effectors(), effectors()],  # twice the same
        lambda: [effectors(weights=np.array([1e12, 1, 1, 0, 0, 1e-12]))],
        lambda: [ImageTargets(BODY_JOINTS, np.full((N, 22, 2), 9e4), camera_before())],
        lambda: [effectors(), ImageTargets(["head"], np.zeros((N, 1, 2)), camera_before(-4.0))],  # behind the camera
        lambda: [OrientationTargets(["head", "pelvis"], np.tile(np.diag([-1.0, 1, -1]), (N, 2, 1, 1)))],
    ],
)  # fmt: skip
def test_too_little_or_too_much_ends_in_a_finite_pose(targets: Any) -> None:
    found = solved(*targets(), unknowns=Unknowns(betas=True))
    assert _finite(found) and found.status.tolist() == [SOLVED] * N
    R = found.R_local
    np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), R.shape), atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, 1e300])
def test_a_damaged_frame_harms_no_other(bad: float) -> None:
    positions = JOINTS[:, E].copy()
    positions[1] = bad
    positions[2, 3] = bad
    found, clean = solved(JointTargets(EFFECTORS, positions)), solved(effectors())
    assert _finite(found) and found.status.tolist() == [SOLVED, HELD, SOLVED, SOLVED]
    np.testing.assert_allclose(found.R_local[[0, 3]], clean.R_local[[0, 3]], atol=1e-9)
    assert np.isnan(found.residual[1]).all() and np.isnan(found.residual[2, 3])


def test_directions_of_no_length_and_images_of_nothing_are_unseen() -> None:
    nowhere = DirectionTargets(["head"], np.zeros((N, 1, 3)))
    dark = ImageTargets(["head"], np.full((N, 1, 2), np.nan), camera_before())
    found, clean = solved(effectors(), nowhere, dark), solved(effectors())
    np.testing.assert_allclose(found.R_local, clean.R_local, atol=1e-6)
    assert np.isnan(found.misses[1]).all() and np.isnan(found.misses[2]).all()


@pytest.mark.parametrize("betas", [np.nan, np.inf, 1e30])
def test_a_start_that_is_no_pose_is_refused(start: Solution, betas: float) -> None:
    broken = Solution(start.state.changed(betas=np.full((N, 10), betas)), start.misses, start.status)
    try:
        found = solved(effectors(), start=broken, unknowns=Unknowns(betas=True))
    except TargetError as error:
        assert "\n" not in str(error)
    else:
        assert _finite(found)
    with pytest.raises(TargetError):
        solved(
            effectors(), start=Solution(start.state.changed(trans=np.full((N, 3), np.nan)), start.misses, start.status)
        )


EYE = np.eye(3)
GOOD_CAMERA = {"focal": np.full(2, 900.0), "centre": np.zeros(2), "R_camera_world": EYE, "t_camera_world": np.zeros(3)}


def _image(**camera: Any) -> list[Target]:
    return [ImageTargets(["head"], np.zeros((1, 1, 2)), Camera(**GOOD_CAMERA | camera))]


RAGGED: Any = [[1], [1, 2]]
WORDS: Any = ["a", "b", "c"]
ONE: Any = 1.0
UNUSABLE: dict[str, tuple[Any, str]] = {
    "no targets": (lambda: [], "no targets"),
    "all unseen": (lambda: [JointTargets(["head"], np.full((2, 1, 3), np.nan))], "seen"),
    "zero weights": (lambda: [JointTargets(["head"], np.zeros((2, 1, 3)), np.zeros(1))], "seen"),
    "negative weights": (lambda: [JointTargets(["head"], np.zeros((2, 1, 3)), -np.ones(1))], "weights"),
    "NaN weights": (lambda: [JointTargets(["head"], np.zeros((2, 1, 3)), np.full(1, np.nan))], "seen"),
    "weights of words": (lambda: [JointTargets(["head"], np.zeros((2, 1, 3)), np.array(["much"]))], "weights"),
    "no contact": (lambda: [GroundTargets(["head"], np.zeros((2, 1)))], "seen"),
    "no frames": (lambda: [JointTargets(["head"], np.zeros((0, 1, 3)))], "seen"),
    "no points": (lambda: [JointTargets([], np.zeros((2, 0, 3)))], "seen"),
    "no points beside others": (lambda: [effectors(), LookTargets([], np.zeros((N, 0, 3)))], "no points"),
    "frames": (lambda: [effectors(), effectors(slice(2))], "frames"),
    "unknown joint": (lambda: [JointTargets(["left_wing"], np.zeros((1, 1, 3)))], "left_wing"),
    "unknown carrier": (lambda: [RigidTargets(["tail"], np.zeros((1, 3)), np.zeros((1, 1, 3)))], "tail"),
    "unknown turned": (lambda: [OrientationTargets(["tail"], np.tile(EYE, (1, 1, 1, 1)))], "tail"),
    "unknown eye": (lambda: [LookTargets(["tail"], np.zeros((1, 1, 3)))], "tail"),
    "unknown facing": (lambda: [DirectionTargets(["tail"], np.ones((1, 1, 3)))], "tail"),
    "unknown ground": (lambda: [GroundTargets(["tail"], np.ones((1, 1)))], "tail"),
    "unknown seen": (lambda: [ImageTargets(["tail"], np.zeros((1, 1, 2)), Camera(**GOOD_CAMERA))], "tail"),
    "vertex": (lambda: [SurfaceTargets(np.array([10**6]), np.zeros((1, 1, 3)))], "vertices"),
    "negative vertex": (lambda: [SurfaceTargets(np.array([-1]), np.zeros((1, 1, 3)))], "vertices"),
    "vertices of halves": (lambda: [SurfaceTargets(np.array([0.5]), np.zeros((1, 1, 3)))], "vertices"),
    "barycentric": (
        lambda: [SurfaceTargets(np.zeros((1, 3), int), np.zeros((1, 1, 3)), np.ones((1, 3)))], "barycentric",
    ),
    "NaN barycentric": (
        lambda: [SurfaceTargets(np.zeros((1, 3), int), np.zeros((1, 1, 3)), np.full((1, 3), np.nan))], "barycentric",
    ),
    "words for barycentric": (
        lambda: [SurfaceTargets(np.zeros((1, 3), int), np.zeros((1, 1, 3)), np.array([["a", "b", "c"]]))],
        "barycentric",
    ),
    "ragged positions": (lambda: [JointTargets(["head"], RAGGED)], "differ in length"),
    "ragged weights": (lambda: [JointTargets(["head"], np.zeros((2, 1, 3)), RAGGED)], "differ in length"),
    "ragged vertices": (lambda: [SurfaceTargets(RAGGED, np.zeros((1, 2, 3)))], "differ in length"),
    "ragged contact": (lambda: [GroundTargets(["head"], RAGGED)], "differ in length"),
    "ragged camera": (lambda: _image(focal=RAGGED), "differ in length"),
    "forward of words": (lambda: [LookTargets(["head"], np.ones((1, 1, 3)), forward=WORDS)], "directions"),
    "one number for up": (lambda: [GroundTargets(["head"], np.ones((1, 1)), up=ONE)], "directions"),
    "NaN height": (lambda: [SurfaceTargets(np.array([5]), np.zeros((1, 1, 3)), heights=np.nan)], "heights"),
    "heights": (lambda: [SurfaceTargets(np.array([5]), np.zeros((1, 1, 3)), heights=np.zeros(3))], "heights"),
    "offsets": (lambda: [RigidTargets(["head"], np.zeros((2, 3)), np.zeros((1, 1, 3)))], "offsets"),
    "NaN offsets": (lambda: [RigidTargets(["head"], np.full((1, 3), np.nan), np.zeros((1, 1, 3)))], "offsets"),
    "positions": (lambda: [JointTargets(["head"], np.zeros((1, 3)))], "positions"),
    "pixels": (lambda: [ImageTargets(["head"], np.zeros((1, 1, 3)), Camera(**GOOD_CAMERA))], "pixels"),
    "rotations": (lambda: [OrientationTargets(["head"], np.zeros((1, 1, 3)))], "rotations"),
    "no rotation": (lambda: [OrientationTargets(["head"], np.ones((1, 1, 3, 3)))], "rotation"),
    "a mirror": (lambda: [OrientationTargets(["head"], np.tile(np.diag([1.0, 1, -1]), (1, 1, 1, 1)))], "rotation"),
    "no forward": (lambda: [LookTargets(["head"], np.ones((1, 1, 3)), forward=np.zeros(3))], "directions"),
    "NaN forward": (lambda: [LookTargets(["head"], np.ones((1, 1, 3)), forward=np.full(3, np.nan))], "directions"),
    "endless forward": (lambda: [LookTargets(["head"], np.ones((1, 1, 3)), forward=np.full(3, np.inf))], "directions"),
    "no up": (lambda: [GroundTargets(["head"], np.ones((1, 1)), up=np.zeros(3))], "directions"),
    "NaN ground": (lambda: [GroundTargets(["head"], np.ones((1, 1)), height=np.nan)], "plane"),
    "contact": (lambda: [GroundTargets(["head"], np.ones(1))], "contact"),
    "contact of words": (lambda: [GroundTargets(["head"], np.array([["yes"]]))], "contact"),
    "singular camera": (lambda: _image(R_camera_world=np.zeros((3, 3))), "rotation"),
    "blind camera": (lambda: _image(focal=np.zeros(2)), "focal"),
    "blind camera in a list": (lambda: _image(focal=[-900.0, np.nan]), "focal"),
    "camera of words": (lambda: _image(centre=["left", "top"]), "centre"),
    "cameras": (lambda: _image(t_camera_world=np.zeros((3, 3))), "camera"),
    "zero sigma": (lambda: [effectors(sigma=0.0)], "sigma"),
    "NaN sigma": (lambda: [effectors(sigma=np.nan)], "sigma"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNUSABLE)
def test_unusable_targets_are_told_in_a_line(what: str) -> None:
    targets, message = UNUSABLE[what]
    with pytest.raises(TargetError, match=message) as caught:
        solved(*targets())
    assert "\n" not in str(caught.value) and len(str(caught.value)) > 15


@pytest.mark.parametrize(
    "options",
    [{"unknowns": Unknowns(locked=("tail",))}, {"robust": 0.0}, {"robust": np.nan}, {"rate": 0.0}, {"rate": -3.0},
     {"rate": np.nan}, {"like": np.zeros(1, int)}, {"like": [0.0]}, {"like": np.zeros(1, complex)}],
)  # fmt: skip
def test_unusable_options_are_told_in_a_line(options: dict[str, Any]) -> None:
    with pytest.raises(TargetError, match=r"[Ee]xpected") as caught:
        solved(effectors(), **options)
    assert "\n" not in str(caught.value)


def test_a_start_of_other_frames_or_joints_is_refused(start: Solution) -> None:
    with pytest.raises(TargetError, match="start"):
        solved(effectors(slice(2)), start=Solution(start.state.take(np.array([0, 1, 2])), start.misses, start.status))
    with pytest.raises(TargetError, match="start"):
        solved(effectors(), start=start, fingers=True)
