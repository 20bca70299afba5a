# SPDX-License-Identifier: Apache-2.0
"""The solver's quadratic model against central differences in float64, for every kind of point and unknown."""

import numpy as np
import pytest

from tests.core.synthetic_bodies import body_arrays
from tests.core.synthetic_prior import random_prior
from vendor_core.body import BodyModel, default_body
from vendor_core.body.formats import body_from_arrays
from vendor_core.ik.bones import bones_of
from vendor_core.ik.points import BodyPoints, joint_points, surface_points
from vendor_core.ik.problem import Problem, Stage, Weights
from vendor_core.ik.residuals import Hearing, Position
from vendor_core.ik.state import PoseState, Unknowns, explained
from vendor_core.ik.step import Stepper
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3

STEP = 1e-6


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return body_from_arrays(body_arrays("smplx"), "random")


def _points(body: BodyModel, kind: str, n_joints: int = 22) -> BodyPoints:
    rng, bones = np.random.default_rng(3), bones_of(body, n_joints)
    if kind == "joints":
        return joint_points(body, [0, 7, 15, 20, 24, 31], bones)
    vertices, barycentric = rng.integers(1000, size=(7, 3)), rng.dirichlet((1, 1, 1), size=7)
    bound = np.full((7, n_joints), np.nan)
    bound[2] = np.eye(n_joints)[13]
    names = [str(i) for i in range(7)]
    return surface_points(body, names, vertices, barycentric, rng.normal(size=(7, 3)) * 0.02, bound, bones)


def _state(rng: np.random.Generator, n: int, n_betas: int, n_joints: int = 22) -> PoseState:
    return PoseState(
        exp_so3(rng.normal(size=(n, n_joints, 3)) * 0.7), rng.normal(size=(n, 3)), rng.normal(size=(n, 32)),
        rng.normal(size=(n, n_betas)),
    )  # fmt: skip


def _problem(points: BodyPoints, rng: np.random.Generator, n: int, fingers: bool = False) -> Problem:
    position = Position(rng.random((n, len(points))), 0.4, points, rng.normal(size=(n, len(points), 3)))
    at_rest = exp_so3(rng.normal(size=(len(points.bones) - 22, 3)) * 0.3) if fingers else None
    return Problem(points.bones, random_prior(), (position,), rng.normal(size=(n, 32)), at_rest)


@pytest.mark.parametrize("robust", [None, 0.7])
@pytest.mark.parametrize(("kind", "n_joints"), [("surface", 22), ("joints", 22), ("surface", 55)])
def test_gradient_of_the_cost(
    body: BodyModel, rng: np.random.Generator, kind: str, n_joints: int, robust: float | None
) -> None:
    points = _points(body, kind, n_joints)
    problem = _problem(points, rng, 2, fingers=n_joints > 22)
    stage = Stage(Unknowns(betas=True), Weights(1.0, 4.0, 2.0, 2.0), Hearing(1.3, robust))
    state = _state(rng, 2, points.bones.n_betas, n_joints)
    at = problem.evaluate(state, stage)
    model = problem.model(at, stage)
    by_body = model.normal.g.copy()
    by_body[:, 3:66] += stage.weights.residual * model.pull.s
    B_t = np.swapaxes(model.pull.B, 1, 2)
    by_latent = (
        stage.weights.latent * model.pull.z_error - stage.weights.residual * (B_t @ model.pull.s[..., None])[..., 0]
    )
    g = np.concatenate([by_body, by_latent], axis=1)
    for column in rng.choice(g.shape[1], size=30, replace=False):
        step = np.zeros_like(g)
        step[:, column] = STEP
        n = by_body.shape[1]
        ahead, behind = (
            problem.evaluate(state.moved(s[:, :n], s[:, n:], at.pose), stage).cost for s in (step, -step)
        )  # fmt: skip
        np.testing.assert_allclose(2 * g[:, column], (ahead - behind) / (2 * STEP), rtol=1e-5, atol=1e-5)


UNKNOWNS = [
    Unknowns(), Unknowns(residual=False), Unknowns(latent=False), Unknowns(betas=True), Unknowns(orientation=False),
    Unknowns(locked=("left_elbow", "neck")), Unknowns(residual=False, locked=("left_elbow",)),
    Unknowns(translation=False),
]  # fmt: skip


@pytest.mark.parametrize("unknowns", UNKNOWNS, ids=str)
def test_a_small_step_gains_what_the_model_predicts(
    body: BodyModel, rng: np.random.Generator, unknowns: Unknowns
) -> None:
    points = _points(body, "surface")
    problem, stage = _problem(points, rng, 3), Stage(unknowns, Weights(1.0, 4.0))
    stepper = Stepper(stage, points.bones, points.bones.n_betas)
    state = stepper.followed(_state(rng, 3, points.bones.n_betas), problem.prior)
    at = problem.evaluate(state, stage)
    damping = np.full(3, 1e7)
    step = stepper(problem.model(at, stage), damping)
    new = stepper.followed(state.moved(step.u, step.dz, at.pose), problem.prior)
    gained = at.cost - problem.evaluate(new, stage).cost
    np.testing.assert_allclose(gained, step.predicted, rtol=1e-3)
    locked = [13 + 5] if "left_elbow" in unknowns.locked else []
    np.testing.assert_array_equal(new.R_local[:, locked], state.R_local[:, locked])
    if not unknowns.translation:
        np.testing.assert_array_equal(new.trans, state.trans)
    if not unknowns.orientation:
        np.testing.assert_array_equal(new.R_local[:, 0], state.R_local[:, 0])
    if not unknowns.betas:
        np.testing.assert_array_equal(new.betas, state.betas)
    if not unknowns.latent:
        np.testing.assert_array_equal(new.z, state.z)


def test_eliminating_the_latent_changes_no_step(rng: np.random.Generator, body: BodyModel) -> None:
    """The step from the reduced system is that of the whole one, latents among the unknowns."""
    points = _points(body, "joints")
    problem, stage, damping = _problem(points, rng, 1), Stage(), 0.3
    state = _state(rng, 1, 0)
    at = problem.evaluate(state, stage)
    model = problem.model(at, stage)
    step = Stepper(stage, points.bones, 0)(model, np.array([damping]))
    w_z, w_d, B, n = stage.weights.latent, stage.weights.residual, model.pull.B[0], model.normal.g.shape[1]
    D = np.zeros((63, n + 32))  # eta = u - B dz
    D[:, 3:66], D[:, n:] = np.eye(63), -B
    H, g, ridge = w_d * D.T @ D, w_d * D.T @ model.pull.s[0], damping * w_d * D.T @ D
    H[:n, :n] += model.normal.H[0]
    g[:n] += model.normal.g[0]
    H[n:, n:] += w_z * np.eye(32)
    g[n:] += w_z * model.pull.z_error[0]
    stiffness = np.diag(model.normal.H[0]).reshape(-1, 3).mean(1).repeat(3) + 1e-3  # the same about all axes of a joint
    ridge[:n, :n] += damping * np.diag(stiffness)
    ridge[n:, n:] += damping * w_z * np.eye(32)
    x = -np.linalg.solve(H + ridge, g)
    np.testing.assert_allclose(step.u[0], x[:n], atol=1e-8)
    np.testing.assert_allclose(step.dz[0], x[n:], atol=1e-8)
    np.testing.assert_allclose(step.predicted[0], -2 * g @ x - x @ H @ x, rtol=1e-9)


def test_torch_gives_the_same_model(body: BodyModel, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    points, stage = _points(body, "surface"), Stage(Unknowns(betas=True))
    problem, state = _problem(points, rng, 3), _state(rng, 3, points.bones.n_betas)
    like = torch.zeros(1, dtype=torch.float64)
    mine, theirs = problem.evaluate(state, stage), problem.like(like).evaluate(state.like(like), stage)
    np.testing.assert_allclose(theirs.cost, mine.cost, rtol=1e-9)
    steps = []
    for p, at, one in ((problem, mine, np.ones(3)), (problem.like(like), theirs, torch.ones(3, dtype=torch.float64))):
        steps.append(Stepper(stage, points.bones, points.bones.n_betas)(p.model(at, stage), one))
    for name in ("u", "dz", "predicted"):
        np.testing.assert_allclose(getattr(steps[1], name), getattr(steps[0], name), rtol=1e-8, atol=1e-8)


def test_the_real_body_and_prior_too(rng: np.random.Generator) -> None:
    points, prior, stage = joint_points(default_body(), range(22)), load_prior(), Stage()
    position = Position(np.ones((2, 22)), 0.003, points, np.zeros((2, 22, 3)))
    problem = Problem(points.bones, prior, (position,))
    state = explained(prior, rng.normal(size=(2, 32)), exp_so3(rng.normal(size=(2, 3))))
    at = problem.evaluate(state, stage)
    step = Stepper(stage, points.bones, 0)(problem.model(at, stage), np.full(2, 1e6))
    gained = at.cost - problem.evaluate(state.moved(step.u, step.dz, at.pose), stage).cost
    np.testing.assert_allclose(gained, step.predicted, rtol=1e-3)
