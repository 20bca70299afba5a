# SPDX-License-Identifier: Apache-2.0
"""What a solve may change, how much it believes, and where it starts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.core.known_poses import (
    EFFECTORS,
    JOINTS,
    E,
    N,
    effectors,
    posed_by,
    solved,
    true_vertices,
)
from tests.core.synthetic_bodies import body_arrays
from vendor_core.body import load_body
from vendor_core.ik import (
    DirectionTargets,
    JointTargets,
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


@pytest.fixture(scope="module")
def start() -> Solution:
    return solved(effectors())


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
            posed_by(solved(JointTargets(BODY_JOINTS, targets), robust=robust)).joints[:, :22] - JOINTS, axis=-1
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
        joints = posed_by(found).joints[:, :22]
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


def test_frames_are_on_their_own() -> None:
    vertices = true_vertices()
    chosen = np.array([10, 500, 2000])

    def targets(rows: list[int]) -> list[Target]:
        return [
            JointTargets(EFFECTORS, JOINTS[rows][:, E]), SurfaceTargets(chosen, vertices[rows][:, chosen]),
            DirectionTargets(["head"], np.tile([1.0, 0, 1], (len(rows), 1, 1))),
        ]  # fmt: skip

    together = solved(*targets([0, 1, 2, 3]), robust=5.0)
    for row in range(N):
        alone = solved(*targets([row]), robust=5.0)
        np.testing.assert_allclose(posed_by(alone).joints[0], posed_by(together).joints[row], atol=1e-6)


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
