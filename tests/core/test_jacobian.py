# SPDX-License-Identifier: Apache-2.0
"""The solver's gradient and Jacobian against central differences in float64, for every kind of point and unknown."""

from pathlib import Path

import numpy as np
import pytest

from tests.core.synthetic_bodies import body_arrays
from tests.core.synthetic_prior import random_prior
from vendor_core.body import BodyModel
from vendor_core.body.formats import body_from_arrays
from vendor_core.ik.kinematic_jacobian import point_jacobian, point_positions, pose_joints
from vendor_core.ik.objective import Objective, Stage, Weights
from vendor_core.ik.points import BodyPoints, joint_points, surface_points
from vendor_core.ik.state import PoseState, Unknowns, rotations_with_jacobian, tangent_map
from vendor_core.rotations import exp_so3

STEP = 1e-6
UNKNOWNS = [Unknowns(residual, betas) for residual in (False, True) for betas in (False, True)]


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return body_from_arrays(body_arrays("smplx"), "random")


def _points(body: BodyModel, kind: str) -> BodyPoints:
    rng = np.random.default_rng(3)
    if kind == "joints":
        return joint_points(body, [0, 7, 15, 20, 24, 31])
    vertices, barycentric = rng.integers(1000, size=(7, 3)), rng.dirichlet((1, 1, 1), size=7)
    bound = np.full((7, 22), np.nan)
    bound[2] = np.eye(22)[13]
    return surface_points(
        body, [str(i) for i in range(7)], vertices, barycentric, rng.normal(size=(7, 3)) * 0.02, bound
    )


def _state(rng: np.random.Generator, n: int, n_betas: int) -> PoseState:
    return PoseState(
        z=rng.normal(size=(n, 32)), delta=rng.normal(size=(n, 21, 3)) * 0.5, R_root=exp_so3(rng.normal(size=(n, 3))),
        trans=rng.normal(size=(n, 3)), betas=rng.normal(size=(n, n_betas)),
    )  # fmt: skip


@pytest.mark.parametrize("unknowns", UNKNOWNS, ids=str)
@pytest.mark.parametrize("kind", ["joints", "surface"])
def test_jacobian_of_points(body: BodyModel, rng: np.random.Generator, kind: str, unknowns: Unknowns) -> None:
    points, prior = _points(body, kind), random_prior()
    state = _state(rng, 2, points.shape_dirs.shape[2])
    objective = Objective(points, prior, np.zeros((2, len(points), 3)), np.ones((2, len(points))))
    R, W, delta_jacobian = rotations_with_jacobian(state, prior)
    pose = pose_joints(points, R, state.trans, state.betas)
    _, y = point_positions(points, pose, state.betas)
    n_betas = state.betas.shape[1] if unknowns.betas else 0
    M = tangent_map(W, delta_jacobian, pose.G, unknowns, n_betas)
    J = point_jacobian(points, pose, y, n_betas > 0) @ M[:, None]
    for column in range(M.shape[-1]):
        step = np.zeros((2, M.shape[-1]))
        step[:, column] = STEP
        ahead, behind = (objective.place(state.moved(s, unknowns)) for s in (step, -step))
        np.testing.assert_allclose(J[..., column], (ahead - behind) / (2 * STEP), atol=1e-6)


@pytest.mark.parametrize("scale", [None, 0.3])
def test_gradient_of_the_cost(body: BodyModel, rng: np.random.Generator, scale: float | None) -> None:
    points = _points(body, "surface")
    stage = Stage(Unknowns(True, True), Weights(0.5, 1.0, 40.0, 2.0), scale)
    state = _state(rng, 2, points.shape_dirs.shape[2])
    confidence = rng.random((2, len(points)))
    objective = Objective(points, random_prior(), rng.normal(size=(2, len(points), 3)), confidence)
    g = objective.quadratic(state, stage).g
    for column in rng.choice(g.shape[1], size=25, replace=False):
        step = np.zeros_like(g)
        step[:, column] = STEP
        ahead, behind = (objective.quadratic(state.moved(s, stage.unknowns), stage).cost for s in (step, -step))
        np.testing.assert_allclose(2 * g[:, column], (ahead - behind) / (2 * STEP), rtol=1e-5, atol=1e-4)


def test_torch_gives_the_same_model(body: BodyModel, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    points, stage = _points(body, "surface"), Stage(Unknowns(True, True))
    state, targets = _state(rng, 3, points.shape_dirs.shape[2]), rng.normal(size=(3, len(points), 3))
    confidence = rng.random((3, len(points)))
    mine = Objective(points, random_prior(), targets, confidence).quadratic(state, stage)
    like = torch.zeros(1, dtype=torch.float64)
    tensors = PoseState(*(torch.tensor(x) for x in vars(state).values()))
    theirs = Objective(
        points.like(like), random_prior(), torch.tensor(targets), torch.tensor(confidence)
    ).quadratic(tensors, stage)  # fmt: skip
    for name in ("cost", "g", "H"):
        np.testing.assert_allclose(getattr(theirs, name), getattr(mine, name), rtol=1e-9, atol=1e-6)


def test_the_real_body_and_prior_too(shared_data: Path, rng: np.random.Generator) -> None:
    from vendor_core.body import load_body
    from vendor_core.prior import load_prior

    body, prior = load_body(shared_data / "body_cc0.npz"), load_prior()
    points = joint_points(body, range(22))
    state = _state(rng, 2, 10)
    objective, stage = Objective(points, prior, np.zeros((2, 22, 3)), np.ones((2, 22))), Stage(Unknowns(True, True))
    g = objective.quadratic(state, stage).g
    for column in range(0, g.shape[1], 9):
        step = np.zeros_like(g)
        step[:, column] = STEP
        ahead, behind = (objective.quadratic(state.moved(s, stage.unknowns), stage).cost for s in (step, -step))
        np.testing.assert_allclose(2 * g[:, column], (ahead - behind) / (2 * STEP), rtol=1e-4, atol=1)
