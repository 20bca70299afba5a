# SPDX-License-Identifier: Apache-2.0
"""Solving from keypoints of every kind: each is reached, alone and mixed; what is locked stays; no input does harm."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.body.hands import relaxed_hands
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
    solve,
)
from vendor_core.ik.targets import Target
from vendor_core.motion import HELD, SOLVED
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3, rotation_angle
from vendor_core.skeleton import BODY_JOINTS

BODY = default_body()
N = 4  # frames
UP = np.array([0.0, 1, 0])
PLACES = np.array([[0.4, 0.1, -0.3], [2.0, 1.0, 0.5], [-1.0, 0.0, 0.2], [0.0, 0.9, 3.0]])
EFFECTORS = ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
E = [BODY.joint_names.index(name) for name in EFFECTORS]
LOOKING = exp_so3(np.array([np.pi, 0, 0]))  # a camera that looks along -Z of a world with Y up


def _truth(fingers: bool = False) -> Any:
    """N posed bodies that the prior finds usual, turned about the vertical."""
    prior = load_prior()
    turn = exp_so3(np.outer([0.0, 1.0, -2.0, 3.0], [0, 1, 0]))
    R = np.concatenate([turn[:, None], prior.decode(prior.sample(N, seed=3))], axis=1)
    if fingers:
        w = np.zeros((len(BODY.parents) - 22, 3))
        w[-30:] = relaxed_hands()
        R = np.concatenate([R, np.broadcast_to(exp_so3(w), (N, *w.shape, 3))], axis=1)
    return R, BODY.pose(R, PLACES)


R_TRUE, POSED = _truth()
JOINTS = POSED.joints[:, :22]


def _solve(*targets: Target, **options: Any) -> Solution:
    return solve(BODY, load_prior(), targets, **options)


def _posed(solution: Solution, vertices: bool = False) -> Any:
    return BODY.pose(solution.R_local, solution.trans, vertices=vertices)


def _effectors(frames: slice = slice(None), **options: Any) -> JointTargets:
    return JointTargets(EFFECTORS, JOINTS[frames][:, E], **options)


def _camera(depth: float = 4.0) -> Camera:
    """Sees the bodies, each moved to the origin, from before them."""
    t = np.array([0, 0, depth]) - (LOOKING @ PLACES[..., None])[..., 0]
    return Camera(np.array([1000.0, 1000.0]), np.array([512.0, 512.0]), np.broadcast_to(LOOKING, (N, 3, 3)).copy(), t)


@pytest.fixture(scope="module")
def start() -> Solution:
    return _solve(_effectors())


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
    found = _solve(SurfaceTargets(chosen, vertices[:, chosen]))
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
    found = _solve(SurfaceTargets(corners, above, mix, heights=0.01))
    assert found.residual.mean() < 0.004
    posed = np.sum(mix[None, :, :, None] * _posed(found, True).vertices[:, corners], axis=2)
    assert np.linalg.norm(posed - on_skin, axis=-1).mean() < 0.005


def test_rigid_points_are_reached() -> None:
    joints = ("left_wrist", "left_wrist", "right_wrist", "head", "pelvis", "pelvis", "left_foot", "right_foot")
    offsets = np.random.default_rng(2).normal(size=(8, 3)) * 0.1
    columns = [BODY.joint_names.index(name) for name in joints]
    places = POSED.joints[:, columns] + (POSED.G[:, columns] @ offsets[..., None])[..., 0]
    found = _solve(RigidTargets(joints, offsets, places))
    assert found.residual.max() < 0.01 and found.residual.mean() < 0.003
    again = _posed(found)
    there = again.joints[:, columns] + (again.G[:, columns] @ offsets[..., None])[..., 0]
    np.testing.assert_allclose(np.linalg.norm(there - places, axis=-1), found.residual, atol=1e-5)


def test_orientations_are_reached() -> None:
    names = ("pelvis", "head", "left_wrist")
    columns = [BODY.joint_names.index(name) for name in names]
    found = _solve(_effectors(), OrientationTargets(names, POSED.G[:, columns]))
    off = rotation_angle(np.swapaxes(_posed(found).G[:, columns], -1, -2) @ POSED.G[:, columns])
    assert off.max() < 0.05
    assert found.misses[0].max() < 0.003 and found.misses[1].max() < 0.05


def test_an_orientation_alone_is_enough() -> None:
    wanted = exp_so3(np.random.default_rng(3).normal(size=(N, 1, 3)) * 2)
    found = _solve(OrientationTargets(["pelvis"], wanted))
    assert rotation_angle(np.swapaxes(found.R_local[:, :1], -1, -2) @ wanted).max() < 0.01


def test_the_head_looks_where_it_should(start: Solution) -> None:
    eye = _posed(start).joints[:, 15]
    ahead = _posed(start).G[:, 15] @ exp_so3(np.array([0.3, 0.4, 0])) @ [0, 0, 1]
    goal = eye + 2 * ahead
    found = _solve(_effectors(), LookTargets(["head"], goal[:, None]))
    posed = _posed(found)
    v = goal - posed.joints[:, 15]
    looking = np.sum((posed.G[:, 15] @ [0, 0, 1]) * v, axis=1) / np.linalg.norm(v, axis=1)
    assert (looking > np.cos(0.05)).all()
    assert found.misses[0].max() < 0.01


def test_a_direction_is_faced() -> None:
    wanted = R_TRUE[:, 0] @ exp_so3(np.array([0.1, 0.3, 0.0])) @ [0, 0, 1]
    found = _solve(_effectors(), DirectionTargets(["head"], 5 * wanted[:, None]))
    faced = _posed(found).G[:, 15] @ [0, 0, 1]
    assert (np.sum(faced * wanted, axis=1) > np.cos(0.05)).all()


@pytest.mark.parametrize("may_leave", [False, True])
def test_feet_stand_on_the_ground(may_leave: bool) -> None:
    feet, ground = ("left_foot", "right_foot"), JOINTS[0, [10, 11], 1].max() + 0.03
    contact = np.array([[1.0, 1.0], [1.0, 0.0]])
    torso = JointTargets(("head", "left_wrist", "right_wrist"), JOINTS[[0, 0]][:, [15, 20, 21]])
    found = _solve(torso, GroundTargets(feet, contact, up=UP, height=ground, may_leave=may_leave))
    heights = (_posed(found).joints[:, [10, 11], 1] - ground)[contact > 0]
    assert (heights > -0.005).all()
    assert may_leave or (heights < 0.005).all()
    assert np.isnan(found.misses[1][1, 1])


def test_what_may_leave_the_ground_is_left_alone_above_it() -> None:
    feet = GroundTargets(("left_foot", "right_foot"), np.ones((N, 2)), UP, float(JOINTS[..., 1].min() - 0.5), True)
    on_it = GroundTargets(("left_foot", "right_foot"), np.ones((N, 2)), UP, float(JOINTS[..., 1].min() - 0.02))
    free, above, bound = _solve(_effectors()), _solve(_effectors(), feet), _solve(_effectors(), on_it)
    np.testing.assert_allclose(above.R_local, free.R_local, atol=1e-6)
    assert above.misses[1].max() == 0 < bound.misses[1].max()


def test_an_image_places_and_poses_the_body() -> None:
    camera = _camera()
    pixels = camera.project(JOINTS)
    found = _solve(ImageTargets(BODY_JOINTS, pixels, camera))
    assert np.median(found.residual) < 3 and found.residual.max() < 30  # pixels
    distance = camera.in_camera(_posed(found).joints[:, :22])[..., 2].mean(1)
    np.testing.assert_allclose(distance, camera.in_camera(JOINTS)[..., 2].mean(1), rtol=0.1)


def test_a_start_behind_the_camera_is_drawn_before_it(start: Solution) -> None:
    camera = _camera()
    behind = Solution(start.state.changed(trans=start.trans + np.array([0, 0, 8.0])), start.misses, start.status)
    assert (camera.in_camera(_posed(behind).joints)[..., 2] < 0).all()
    found = _solve(ImageTargets(BODY_JOINTS, camera.project(JOINTS), camera), start=behind)
    assert (camera.in_camera(_posed(found).joints[:, :22])[..., 2] > 0.1).all()
    assert np.isfinite(found.residual).all()


def test_all_kinds_mix(vertices: np.ndarray) -> None:
    camera, chosen = _camera(), np.array([10, 500, 2000])
    found = _solve(
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
    R, posed = _truth(fingers=True)
    index = [BODY.joint_names.index(f"left_index{k}") for k in (1, 2, 3)]
    R[:, index] = exp_so3(np.array([0, 0, -0.9])) @ R[:, index]
    posed = BODY.pose(R, PLACES)
    names = [*BODY_JOINTS, *(f"left_index{k}" for k in (1, 2, 3))]
    columns = [BODY.joint_names.index(name) for name in names]
    found = _solve(JointTargets(names, posed.joints[:, columns]), fingers=True)
    assert found.R_local.shape[1] == len(BODY.parents)
    assert found.residual[:, 22:].max() < 0.004
    others = [j for j in range(22, len(BODY.parents)) if j not in index]
    assert rotation_angle(np.swapaxes(found.R_local[:, others], -1, -2) @ R[:, others]).max() < 1e-6
    assert rotation_angle(np.swapaxes(found.R_local[:, index[:2]], -1, -2) @ R[:, index[:2]]).mean() < 0.4


def test_without_fingers_theirs_are_no_unknowns() -> None:
    assert _solve(_effectors()).R_local.shape[1] == 22
    with pytest.raises(TargetError, match="fingers"):
        _solve(OrientationTargets(["left_index1"], np.tile(np.eye(3), (1, 1, 1, 1))))


# What may change, and how much is believed


@pytest.mark.parametrize("name", ["orientation", "translation", "latent", "betas"])
def test_what_is_locked_stays(start: Solution, name: str) -> None:
    moved = JointTargets(EFFECTORS, JOINTS[:, E] + [0.05, 0.02, -0.03])
    free = _solve(moved, start=start, unknowns=Unknowns(betas=True))
    found = _solve(moved, start=start, unknowns=replace(Unknowns(betas=True), **{name: False}))
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
    found = _solve(_effectors(), unknowns=Unknowns(residual=False))
    np.testing.assert_allclose(found.R_local[:, 1:], load_prior().decode(found.z), atol=1e-7)
    assert start.residual.mean() < found.residual.mean() < 0.05


@pytest.mark.parametrize("residual", [True, False])
def test_locked_joints_stay(start: Solution, residual: bool) -> None:
    moved = JointTargets(EFFECTORS, JOINTS[:, E] + np.random.default_rng(4).normal(size=(N, 6, 3)) * 0.05)
    found = _solve(moved, start=start, unknowns=Unknowns(residual=residual, locked=("left_elbow", "neck", "pelvis")))
    np.testing.assert_allclose(found.R_local[:, [18, 12, 0]], start.R_local[:, [18, 12, 0]], atol=1e-9)
    assert rotation_angle(np.swapaxes(found.R_local, -1, -2) @ start.R_local).max() > 0.01


def test_weights_of_a_frame_are_its_own() -> None:
    up = np.array([0, 0.1, 0])
    x = JOINTS[:, 20]
    weights = np.array([[50, 1], [1, 50], [1, 1], [50, 0]], float)
    found = _solve(
        _effectors(), JointTargets(["left_wrist"] * 2, np.stack([x + up, x - up], axis=1), weights * 10)
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
            _posed(_solve(JointTargets(BODY_JOINTS, targets), robust=robust)).joints[:, :22] - JOINTS, axis=-1
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
        found = _solve(JointTargets(BODY_JOINTS, still), rate=rate)
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
    kept = _solve(only, start=from_bent, unknowns=Unknowns(locked=("neck",)))
    np.testing.assert_allclose(kept.R_local[:, 12], bent[:, 12], atol=1e-9)
    one = Solution(start.state.take(np.array([0])), start.misses, start.status)
    assert _solve(_effectors(), start=one).residual.max() < 0.05


def test_frames_are_on_their_own(vertices: np.ndarray) -> None:
    chosen = np.array([10, 500, 2000])

    def targets(rows: list[int]) -> list[Target]:
        return [
            JointTargets(EFFECTORS, JOINTS[rows][:, E]), SurfaceTargets(chosen, vertices[rows][:, chosen]),
            DirectionTargets(["head"], np.tile([1.0, 0, 1], (len(rows), 1, 1))),
        ]  # fmt: skip

    together = _solve(*targets([0, 1, 2, 3]), robust=5.0)
    for row in range(N):
        alone = _solve(*targets([row]), robust=5.0)
        np.testing.assert_allclose(_posed(alone).joints[0], _posed(together).joints[row], atol=1e-6)


# What may come in


def _finite(found: Solution) -> bool:
    return all(np.isfinite(a).all() for a in (found.R_local, found.trans, found.z, found.betas))


@pytest.mark.parametrize(
    "targets",
    [
        lambda: [JointTargets(["head"], JOINTS[:, [15]])],  # 3 numbers for 69 unknowns
        lambda: [GroundTargets(["left_foot"], np.ones((N, 1)))],
        lambda: [DirectionTargets(["head"], np.ones((N, 1, 3)))],
        lambda: [LookTargets(["head"], np.zeros((N, 1, 3)))],  # on the eye, or nearly
        lambda: [ImageTargets(["head"], np.full((N, 1, 2), 300.0), _camera())],
        lambda: [JointTargets(BODY_JOINTS, np.repeat(JOINTS[:, :1], 22, axis=1))],  # all in one place
        lambda: [JointTargets(BODY_JOINTS, np.full((N, 22, 3), 9e4))],
        lambda: [JointTargets(["head"] * 3, JOINTS[:, [15, 0, 10]])],  # contradictory
        lambda: [_effectors(), _effectors()],  # twice the same
        lambda: [_effectors(weights=np.array([1e12, 1, 1, 0, 0, 1e-12]))],
        lambda: [ImageTargets(BODY_JOINTS, np.full((N, 22, 2), 9e4), _camera())],
        lambda: [_effectors(), ImageTargets(["head"], np.zeros((N, 1, 2)), _camera(-4.0))],  # behind the camera
        lambda: [OrientationTargets(["head", "pelvis"], np.tile(np.diag([-1.0, 1, -1]), (N, 2, 1, 1)))],
    ],
)  # fmt: skip
def test_too_little_or_too_much_ends_in_a_finite_pose(targets: Any) -> None:
    found = _solve(*targets(), unknowns=Unknowns(betas=True))
    assert _finite(found) and found.status.tolist() == [SOLVED] * N
    R = found.R_local
    np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), R.shape), atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, 1e300])
def test_a_damaged_frame_harms_no_other(bad: float) -> None:
    positions = JOINTS[:, E].copy()
    positions[1] = bad
    positions[2, 3] = bad
    found, clean = _solve(JointTargets(EFFECTORS, positions)), _solve(_effectors())
    assert _finite(found) and found.status.tolist() == [SOLVED, HELD, SOLVED, SOLVED]
    np.testing.assert_allclose(found.R_local[[0, 3]], clean.R_local[[0, 3]], atol=1e-9)
    assert np.isnan(found.residual[1]).all() and np.isnan(found.residual[2, 3])


def test_directions_of_no_length_and_images_of_nothing_are_unseen() -> None:
    nowhere = DirectionTargets(["head"], np.zeros((N, 1, 3)))
    dark = ImageTargets(["head"], np.full((N, 1, 2), np.nan), _camera())
    found, clean = _solve(_effectors(), nowhere, dark), _solve(_effectors())
    np.testing.assert_allclose(found.R_local, clean.R_local, atol=1e-6)
    assert np.isnan(found.misses[1]).all() and np.isnan(found.misses[2]).all()


@pytest.mark.parametrize("betas", [np.nan, np.inf, 1e30])
def test_a_start_that_is_no_pose_is_refused(start: Solution, betas: float) -> None:
    broken = Solution(start.state.changed(betas=np.full((N, 10), betas)), start.misses, start.status)
    try:
        found = _solve(_effectors(), start=broken, unknowns=Unknowns(betas=True))
    except TargetError as error:
        assert "\n" not in str(error)
    else:
        assert _finite(found)
    with pytest.raises(TargetError):
        _solve(
            _effectors(), start=Solution(start.state.changed(trans=np.full((N, 3), np.nan)), start.misses, start.status)
        )


EYE = np.eye(3)
GOOD_CAMERA = {"focal": np.full(2, 900.0), "centre": np.zeros(2), "R_camera_world": EYE, "t_camera_world": np.zeros(3)}


def _image(**camera: Any) -> list[Target]:
    return [ImageTargets(["head"], np.zeros((1, 1, 2)), Camera(**GOOD_CAMERA | camera))]


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
    "frames": (lambda: [_effectors(), _effectors(slice(2))], "frames"),
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
    "no up": (lambda: [GroundTargets(["head"], np.ones((1, 1)), up=np.zeros(3))], "directions"),
    "NaN ground": (lambda: [GroundTargets(["head"], np.ones((1, 1)), height=np.nan)], "plane"),
    "contact": (lambda: [GroundTargets(["head"], np.ones(1))], "contact"),
    "contact of words": (lambda: [GroundTargets(["head"], np.array([["yes"]]))], "contact"),
    "singular camera": (lambda: _image(R_camera_world=np.zeros((3, 3))), "rotation"),
    "blind camera": (lambda: _image(focal=np.zeros(2)), "focal"),
    "cameras": (lambda: _image(t_camera_world=np.zeros((3, 3))), "camera"),
    "zero sigma": (lambda: [_effectors(sigma=0.0)], "sigma"),
    "NaN sigma": (lambda: [_effectors(sigma=np.nan)], "sigma"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNUSABLE)
def test_unusable_targets_are_told_in_a_line(what: str) -> None:
    targets, message = UNUSABLE[what]
    with pytest.raises(TargetError, match=message) as caught:
        _solve(*targets())
    assert "\n" not in str(caught.value) and len(str(caught.value)) > 15


@pytest.mark.parametrize(
    "options",
    [{"unknowns": Unknowns(locked=("tail",))}, {"robust": 0.0}, {"robust": np.nan}, {"rate": 0.0}, {"rate": -3.0},
     {"rate": np.nan}],
)  # fmt: skip
def test_unusable_options_are_told_in_a_line(options: dict[str, Any]) -> None:
    with pytest.raises(TargetError, match=r"[Ee]xpected") as caught:
        _solve(_effectors(), **options)
    assert "\n" not in str(caught.value)


def test_a_start_of_other_frames_or_joints_is_refused(start: Solution) -> None:
    with pytest.raises(TargetError, match="start"):
        _solve(_effectors(slice(2)), start=Solution(start.state.take(np.array([0, 1, 2])), start.misses, start.status))
    with pytest.raises(TargetError, match="start"):
        _solve(_effectors(), start=start, fingers=True)
