# SPDX-License-Identifier: Apache-2.0
"""Solving from keypoints of every kind: each is reached, alone and mixed; what is locked stays; no input does harm."""

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
    posed_by,
    solved,
    true_vertices,
    truth,
)
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
)
from vendor_core.motion import SOLVED
from vendor_core.rotations import exp_so3, rotation_angle
from vendor_core.skeleton import BODY_JOINTS


@pytest.fixture(scope="module")
def start() -> Solution:
    return solved(effectors())


# Each kind of keypoint


def test_joints_are_reached(start: Solution) -> None:
    assert start.residual.shape == (N, len(EFFECTORS))
    assert start.residual.max() < 0.003
    np.testing.assert_allclose(
        np.linalg.norm(posed_by(start).joints[:, E] - JOINTS[:, E], axis=-1), start.residual, atol=1e-5
    )
    assert start.status.tolist() == [SOLVED] * N


def test_vertices_are_reached() -> None:
    vertices = true_vertices()
    chosen = np.random.default_rng(0).choice(len(BODY.v_template), 40, replace=False)
    found = solved(SurfaceTargets(chosen, vertices[:, chosen]))
    assert found.residual.mean() < 0.003
    assert np.linalg.norm(posed_by(found, True).vertices[:, chosen] - vertices[:, chosen], axis=-1).mean() < 0.004


def test_points_in_triangles_and_above_them_are_reached() -> None:
    vertices = true_vertices()
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
    posed = np.sum(mix[None, :, :, None] * posed_by(found, True).vertices[:, corners], axis=2)
    assert np.linalg.norm(posed - on_skin, axis=-1).mean() < 0.005


def test_triangles_alone_are_reached_at_their_centres() -> None:
    vertices = true_vertices()
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
    again = posed_by(found)
    there = again.joints[:, columns] + (again.G[:, columns] @ offsets[..., None])[..., 0]
    np.testing.assert_allclose(np.linalg.norm(there - places, axis=-1), found.residual, atol=1e-5)


def test_orientations_are_reached() -> None:
    names = ("pelvis", "head", "left_wrist")
    columns = [BODY.joint_names.index(name) for name in names]
    found = solved(effectors(), OrientationTargets(names, POSED.G[:, columns]))
    off = rotation_angle(np.swapaxes(posed_by(found).G[:, columns], -1, -2) @ POSED.G[:, columns])
    assert off.max() < 0.05
    assert found.misses[0].max() < 0.003 and found.misses[1].max() < 0.05


def test_an_orientation_alone_is_enough() -> None:
    wanted = exp_so3(np.random.default_rng(3).normal(size=(N, 1, 3)) * 2)
    found = solved(OrientationTargets(["pelvis"], wanted))
    assert rotation_angle(np.swapaxes(found.R_local[:, :1], -1, -2) @ wanted).max() < 0.01


def test_the_head_looks_where_it_should(start: Solution) -> None:
    eye = posed_by(start).joints[:, 15]
    ahead = posed_by(start).G[:, 15] @ exp_so3(np.array([0.3, 0.4, 0])) @ [0, 0, 1]
    goal = eye + 2 * ahead
    found = solved(effectors(), LookTargets(["head"], goal[:, None]))
    posed = posed_by(found)
    v = goal - posed.joints[:, 15]
    looking = np.sum((posed.G[:, 15] @ [0, 0, 1]) * v, axis=1) / np.linalg.norm(v, axis=1)
    assert (looking > np.cos(0.05)).all()
    assert found.misses[0].max() < 0.01


def test_a_direction_is_faced() -> None:
    wanted = R_TRUE[:, 0] @ exp_so3(np.array([0.1, 0.3, 0.0])) @ [0, 0, 1]
    found = solved(effectors(), DirectionTargets(["head"], 5 * wanted[:, None]))
    faced = posed_by(found).G[:, 15] @ [0, 0, 1]
    assert (np.sum(faced * wanted, axis=1) > np.cos(0.05)).all()


@pytest.mark.parametrize("may_leave", [False, True])
def test_feet_stand_on_the_ground(may_leave: bool) -> None:
    feet, ground = ("left_foot", "right_foot"), JOINTS[0, [10, 11], 1].max() + 0.03
    contact = np.array([[1.0, 1.0], [1.0, 0.0]])
    torso = JointTargets(("head", "left_wrist", "right_wrist"), JOINTS[[0, 0]][:, [15, 20, 21]])
    found = solved(torso, GroundTargets(feet, contact, up=UP, height=ground, may_leave=may_leave))
    heights = (posed_by(found).joints[:, [10, 11], 1] - ground)[contact > 0]
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
    distance = camera.in_camera(posed_by(found).joints[:, :22])[..., 2].mean(1)
    np.testing.assert_allclose(distance, camera.in_camera(JOINTS)[..., 2].mean(1), rtol=0.1)


def test_a_start_behind_the_camera_is_drawn_before_it(start: Solution) -> None:
    camera = camera_before()
    behind = Solution(start.state.changed(trans=start.trans + np.array([0, 0, 8.0])), start.misses, start.status)
    assert (camera.in_camera(posed_by(behind).joints)[..., 2] < 0).all()
    found = solved(ImageTargets(BODY_JOINTS, camera.project(JOINTS), camera), start=behind)
    assert (camera.in_camera(posed_by(found).joints[:, :22])[..., 2] > 0.1).all()
    assert np.isfinite(found.residual).all()


def test_all_kinds_mix() -> None:
    vertices = true_vertices()
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
    assert np.linalg.norm(posed_by(found).joints[:, :22] - JOINTS, axis=-1).mean() < 0.02


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
