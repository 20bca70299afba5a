# SPDX-License-Identifier: Apache-2.0
"""Solving from keypoints of every kind: each is reached, alone and mixed; what is locked stays; no input does harm."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.known_poses import (
    BODY,
    EFFECTORS,
    JOINTS,
    PLACES,
    POSED,
    R_TRUE,
    UP,
    E,
    N,
    camera_before,
    effectors,
    solved,
    truth,
)
from tests.core.synthetic_bodies import body_arrays
from vendor_core.body import load_body
from vendor_core.errors import TargetError
from vendor_core.ik import (
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
    solve,
)
from vendor_core.ik.targets import Target
from vendor_core.motion import SOLVED
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3, rotation_angle
from vendor_core.skeleton import BODY_JOINTS


def _posed(solution: Solution, vertices: bool = False) -> Any:
    return BODY.pose(solution.R_local, solution.trans, vertices=vertices)


@pytest.fixture(scope="module")
def start() -> Solution:
    return solved(effectors())


@pytest.fixture(scope="module")
def vertices() -> np.ndarray:
    """(N, V, 3) of the true poses."""
    return np.asarray(BODY.pose(R_TRUE, PLACES, vertices=True).vertices)


# Each kind of keypoint


def test_joints_are_reached(start: Solution) -> None:
    assert start.residual.shape == (N, len(EFFECTORS))
    assert start.residual.max() < 0.003
    np.testing.assert_allclose(
        np.linalg.norm(_posed(start).joints[:, E] - JOINTS[:, E], axis=-1), start.residual, atol=1e-5
    )
    assert start.status.tolist() == [SOLVED] * N


def test_vertices_are_reached(vertices: np.ndarray) -> None:
    chosen = np.random.default_rng(0).choice(len(BODY.v_template), 40, replace=False)
    found = solved(SurfaceTargets(chosen, vertices[:, chosen]))
    assert found.residual.mean() < 0.003
    assert np.linalg.norm(_posed(found, True).vertices[:, chosen] - vertices[:, chosen], axis=-1).mean() < 0.004


def test_points_in_triangles_and_above_them_are_reached(vertices: np.ndarray) -> None:
    """Markers stand off the skin: the point that is solved for is that far from it."""
    rng = np.random.default_rng(1)
    corners = BODY.faces[rng.choice(len(BODY.faces), 40, replace=False)]
    mix = rng.dirichlet((1, 1, 1), size=40)
    a, b, c = (vertices[:, corners[:, k]] for k in range(3))
    on_skin = np.sum(mix[None, :, :, None] * vertices[:, corners], axis=2)
    normal = np.cross(b - a, c - a)
    above = on_skin + 0.01 * normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    found = solved(SurfaceTargets(corners, above, mix, heights=0.01))
    assert found.residual.mean() < 0.004
    posed = np.sum(mix[None, :, :, None] * _posed(found, True).vertices[:, corners], axis=2)
    assert np.linalg.norm(posed - on_skin, axis=-1).mean() < 0.005


def test_triangles_alone_are_reached_at_their_centres(vertices: np.ndarray) -> None:
    corners = BODY.faces[np.random.default_rng(3).choice(len(BODY.faces), 40, replace=False)]
    centres = vertices[:, corners].mean(2)
    mix = np.full((40, 3), 1 / 3)
    found, same = solved(SurfaceTargets(corners, centres)), solved(SurfaceTargets(corners, centres, mix))
    np.testing.assert_array_equal(found.R_local, same.R_local)


def test_rigid_points_are_reached() -> None:
    joints = ("left_wrist", "left_wrist", "right_wrist", "head", "pelvis", "pelvis", "left_foot", "right_foot")
    offsets = np.random.default_rng(2).normal(size=(8, 3)) * 0.1
    columns = [BODY.joint_names.index(name) for name in joints]
    places = POSED.joints[:, columns] + (POSED.G[:, columns] @ offsets[..., None])[..., 0]
    found = solved(RigidTargets(joints, offsets, places))
    assert found.residual.max() < 0.01 and found.residual.mean() < 0.003
    again = _posed(found)
    there = again.joints[:, columns] + (again.G[:, columns] @ offsets[..., None])[..., 0]
    np.testing.assert_allclose(np.linalg.norm(there - places, axis=-1), found.residual, atol=1e-5)


def test_orientations_are_reached() -> None:
    names = ("pelvis", "head", "left_wrist")
    columns = [BODY.joint_names.index(name) for name in names]
    found = solved(effectors(), OrientationTargets(names, POSED.G[:, columns]))
    off = rotation_angle(np.swapaxes(_posed(found).G[:, columns], -1, -2) @ POSED.G[:, columns])
    assert off.max() < 0.05
    assert found.misses[0].max() < 0.003 and found.misses[1].max() < 0.05


def test_an_orientation_alone_is_enough() -> None:
    wanted = exp_so3(np.random.default_rng(3).normal(size=(N, 1, 3)) * 2)
    found = solved(OrientationTargets(["pelvis"], wanted))
    assert rotation_angle(np.swapaxes(found.R_local[:, :1], -1, -2) @ wanted).max() < 0.01


def test_the_head_looks_where_it_should(start: Solution) -> None:
    eye = _posed(start).joints[:, 15]
    ahead = _posed(start).G[:, 15] @ exp_so3(np.array([0.3, 0.4, 0])) @ [0, 0, 1]
    goal = eye + 2 * ahead
    found = solved(effectors(), LookTargets(["head"], goal[:, None]))
    posed = _posed(found)
    v = goal - posed.joints[:, 15]
    looking = np.sum((posed.G[:, 15] @ [0, 0, 1]) * v, axis=1) / np.linalg.norm(v, axis=1)
    assert (looking > np.cos(0.05)).all()
    assert found.misses[0].max() < 0.01


def test_a_direction_is_faced() -> None:
    wanted = R_TRUE[:, 0] @ exp_so3(np.array([0.1, 0.3, 0.0])) @ [0, 0, 1]
    found = solved(effectors(), DirectionTargets(["head"], 5 * wanted[:, None]))
    faced = _posed(found).G[:, 15] @ [0, 0, 1]
    assert (np.sum(faced * wanted, axis=1) > np.cos(0.05)).all()


@pytest.mark.parametrize("may_leave", [False, True])
def test_feet_stand_on_the_ground(may_leave: bool) -> None:
    feet, ground = ("left_foot", "right_foot"), JOINTS[0, [10, 11], 1].max() + 0.03
    contact = np.array([[1.0, 1.0], [1.0, 0.0]])
    torso = JointTargets(("head", "left_wrist", "right_wrist"), JOINTS[[0, 0]][:, [15, 20, 21]])
    found = solved(torso, GroundTargets(feet, contact, up=UP, height=ground, may_leave=may_leave))
    heights = (_posed(found).joints[:, [10, 11], 1] - ground)[contact > 0]
    assert (heights > -0.005).all()
    assert may_leave or (heights < 0.005).all()
    assert np.isnan(found.misses[1][1, 1])


def test_what_may_leave_the_ground_is_left_alone_above_it() -> None:
    feet = GroundTargets(("left_foot", "right_foot"), np.ones((N, 2)), UP, float(JOINTS[..., 1].min() - 0.5), True)
    on_it = GroundTargets(("left_foot", "right_foot"), np.ones((N, 2)), UP, float(JOINTS[..., 1].min() - 0.02))
    free, above, bound = solved(effectors()), solved(effectors(), feet), solved(effectors(), on_it)
    np.testing.assert_allclose(above.R_local, free.R_local, atol=1e-6)
    assert above.misses[1].max() == 0 < bound.misses[1].max()


def test_an_image_places_and_poses_the_body() -> None:
    camera = camera_before()
    pixels = camera.project(JOINTS)
    found = solved(ImageTargets(BODY_JOINTS, pixels, camera))
    assert np.median(found.residual) < 3 and found.residual.max() < 30  # pixels
    distance = camera.in_camera(_posed(found).joints[:, :22])[..., 2].mean(1)
    np.testing.assert_allclose(distance, camera.in_camera(JOINTS)[..., 2].mean(1), rtol=0.1)


def test_a_start_behind_the_camera_is_drawn_before_it(start: Solution) -> None:
    camera = camera_before()
    behind = Solution(start.state.changed(trans=start.trans + np.array([0, 0, 8.0])), start.misses, start.status)
    assert (camera.in_camera(_posed(behind).joints)[..., 2] < 0).all()
    found = solved(ImageTargets(BODY_JOINTS, camera.project(JOINTS), camera), start=behind)
    assert (camera.in_camera(_posed(found).joints[:, :22])[..., 2] > 0.1).all()
    assert np.isfinite(found.residual).all()


def test_all_kinds_mix(vertices: np.ndarray) -> None:
    camera, chosen = camera_before(), np.array([10, 500, 2000])
    found = solved(
        JointTargets(("left_wrist", "head"), JOINTS[:, [20, 15]]), SurfaceTargets(chosen, vertices[:, chosen]),
        RigidTargets(["right_foot"], np.zeros((1, 3)), JOINTS[:, [11]]), OrientationTargets(["pelvis"], R_TRUE[:, :1]),
        LookTargets(["head"], (JOINTS[:, 15] + POSED.G[:, 15] @ [0, 0, 3.0])[:, None]),
        DirectionTargets(["spine3"], (POSED.G[:, 9] @ [0, 0, 1.0])[:, None]),
        GroundTargets(["left_foot"], np.eye(N)[:, :1], UP, float(JOINTS[0, 10, 1])),
        ImageTargets(BODY_JOINTS, camera.project(JOINTS), camera),
    )  # fmt: skip
    assert len(found.misses) == 8
    limits = (0.01, 0.01, 0.01, 0.05, 0.05, 0.05, 0.01, 10.0)
    for miss, limit in zip(found.misses, limits, strict=True):
        assert np.nanmedian(miss) < limit
    assert np.linalg.norm(_posed(found).joints[:, :22] - JOINTS, axis=-1).mean() < 0.02


def test_fingers_that_are_seen_are_solved_and_the_others_stay_relaxed() -> None:
    R, posed = truth(fingers=True)
    index = [BODY.joint_names.index(f"left_index{k}") for k in (1, 2, 3)]
    R[:, index] = exp_so3(np.array([0, 0, -0.9])) @ R[:, index]
    posed = BODY.pose(R, PLACES)
    names = [*BODY_JOINTS, *(f"left_index{k}" for k in (1, 2, 3))]
    columns = [BODY.joint_names.index(name) for name in names]
    found = solved(JointTargets(names, posed.joints[:, columns]), fingers=True)
    assert found.R_local.shape[1] == len(BODY.parents)
    assert found.residual[:, 22:].max() < 0.004
    others = [j for j in range(22, len(BODY.parents)) if j not in index]
    assert rotation_angle(np.swapaxes(found.R_local[:, others], -1, -2) @ R[:, others]).max() < 1e-6
    assert rotation_angle(np.swapaxes(found.R_local[:, index[:2]], -1, -2) @ R[:, index[:2]]).mean() < 0.4


def test_without_fingers_theirs_are_no_unknowns() -> None:
    assert solved(effectors()).R_local.shape[1] == 22
    with pytest.raises(TargetError, match="fingers"):
        solved(OrientationTargets(["left_index1"], np.tile(np.eye(3), (1, 1, 1, 1))))


# What may change, and how much is believed


@pytest.mark.parametrize("name", ["orientation", "translation", "latent", "betas"])
def test_what_is_locked_stays(start: Solution, name: str) -> None:
    moved = JointTargets(EFFECTORS, JOINTS[:, E] + [0.05, 0.02, -0.03])
    free = solved(moved, start=start, unknowns=Unknowns(betas=True))
    found = solved(moved, start=start, unknowns=replace(Unknowns(betas=True), **{name: False}))
    part = {
        "orientation": lambda s: s.R_local[:, 0], "translation": lambda s: s.trans, "latent": lambda s: s.z,
        "betas": lambda s: s.betas,
    }[name]  # fmt: skip
    if name == "betas":
        assert free.betas.shape[1] > 0 and found.betas.shape == (N, 0)
    else:
        np.testing.assert_allclose(part(found), part(start), atol=1e-12)
        assert np.abs(part(free) - part(start)).max() > 1e-4


def test_without_residuals_the_pose_is_the_priors_own(start: Solution) -> None:
    found = solved(effectors(), unknowns=Unknowns(residual=False))
    np.testing.assert_allclose(found.R_local[:, 1:], load_prior().decode(found.z), atol=1e-7)
    assert start.residual.mean() < found.residual.mean() < 0.05


@pytest.mark.parametrize("residual", [True, False])
def test_locked_joints_stay(start: Solution, residual: bool) -> None:
    moved = JointTargets(EFFECTORS, JOINTS[:, E] + np.random.default_rng(4).normal(size=(N, 6, 3)) * 0.05)
    found = solved(moved, start=start, unknowns=Unknowns(residual=residual, locked=("left_elbow", "neck", "pelvis")))
    np.testing.assert_allclose(found.R_local[:, [18, 12, 0]], start.R_local[:, [18, 12, 0]], atol=1e-9)
    assert rotation_angle(np.swapaxes(found.R_local, -1, -2) @ start.R_local).max() > 0.01


def test_weights_of_a_frame_are_its_own() -> None:
    up = np.array([0, 0.1, 0])
    x = JOINTS[:, 20]
    weights = np.array([[50, 1], [1, 50], [1, 1], [50, 0]], float)
    found = solved(
        effectors(), JointTargets(["left_wrist"] * 2, np.stack([x + up, x - up], axis=1), weights * 10)
    ).misses[1]  # fmt: skip
    assert found[0, 0] < 0.02 < 0.15 < found[0, 1]
    assert found[1, 1] < 0.02 < 0.15 < found[1, 0]
    np.testing.assert_allclose(found[2], 0.1, atol=0.03)
    assert found[3, 0] < 0.01 and np.isnan(found[3, 1])


def test_a_robust_solve_rejects_an_outlier() -> None:
    targets = JOINTS.copy()
    targets[[0, 1, 2], [18, 4, 12]] += [
        0.3,
        0.4,
        -0.2,
    ]  # an elbow, a knee, the neck: those around them tell where they are
    off = [
        np.linalg.norm(
            _posed(solved(JointTargets(BODY_JOINTS, targets), robust=robust)).joints[:, :22] - JOINTS, axis=-1
        )
        for robust in (None, 3.0)
    ]
    assert off[1].mean() < 0.006 < off[0].mean()
    assert off[1].max() < 0.06


def test_a_rate_makes_a_sequence_even() -> None:
    rng, n = np.random.default_rng(5), 40
    still = np.repeat(JOINTS[:1], n, axis=0) + rng.normal(size=(n, 22, 3)) * 0.005
    still[10:13] = np.nan
    shake = []
    for rate in (None, 60.0):
        found = solved(JointTargets(BODY_JOINTS, still), rate=rate)
        joints = _posed(found).joints[:, :22]
        shake.append(np.linalg.norm(np.diff(joints, n=2, axis=0), axis=-1)[15:].mean())
        assert (found.status[10:13] != SOLVED).all() and (np.delete(found.status, [10, 11, 12]) == SOLVED).all()
    assert shake[1] < 0.1 * shake[0]


def test_a_start_is_where_the_solve_begins(start: Solution) -> None:
    """What no target speaks of stays as the start has it."""
    bent = start.state.R_local.copy()
    bent[:, 12] = bent[:, 12] @ exp_so3(np.array([0, 0.5, 0]))
    from_bent = Solution(start.state.changed(R_local=bent), start.misses, start.status)
    only = JointTargets(["left_wrist"], JOINTS[:, [20]])
    kept = solved(only, start=from_bent, unknowns=Unknowns(locked=("neck",)))
    np.testing.assert_allclose(kept.R_local[:, 12], bent[:, 12], atol=1e-9)
    one = Solution(start.state.take(np.array([0])), start.misses, start.status)
    assert solved(effectors(), start=one).residual.max() < 0.05


def test_frames_are_on_their_own(vertices: np.ndarray) -> None:
    chosen = np.array([10, 500, 2000])

    def targets(rows: list[int]) -> list[Target]:
        return [
            JointTargets(EFFECTORS, JOINTS[rows][:, E]), SurfaceTargets(chosen, vertices[rows][:, chosen]),
            DirectionTargets(["head"], np.tile([1.0, 0, 1], (len(rows), 1, 1))),
        ]  # fmt: skip

    together = solved(*targets([0, 1, 2, 3]), robust=5.0)
    for row in range(N):
        alone = solved(*targets([row]), robust=5.0)
        np.testing.assert_allclose(_posed(alone).joints[0], _posed(together).joints[row], atol=1e-6)


@pytest.mark.parametrize("kind", ["smplh", "smplx"])
def test_the_finger_that_is_locked_stays_on_bodies_with_and_without_a_face(
    kind: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    np.savez(tmp_path / "body.npz", **body_arrays(kind))
    body, names = load_body(tmp_path / "body.npz"), ["left_index3", "left_middle3", "left_thumb3", "left_wrist"]
    first, then = (JointTargets(names, rng.normal(size=(1, 4, 3)) * 0.3) for _ in range(2))
    start = solve(body, load_prior(), [first], fingers=True)
    locked = ("left_index1", "left_index2")
    found = solve(body, load_prior(), [then], Unknowns(locked=locked), start, fingers=True)
    moved = np.abs(found.R_local - start.R_local).max((0, 2, 3))
    fingers = [f"left_{finger}{i}" for finger in ("index", "middle") for i in (1, 2)]
    assert [moved[body.joint_names.index(name)] < 1e-12 for name in fingers] == [True, True, False, False]
