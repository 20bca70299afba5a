# SPDX-License-Identifier: Apache-2.0
"""The reference engine: frames apart, fresh stages, stop tests that fire, and objectives of the user's own."""

from collections.abc import Mapping

import numpy as np
import pytest

from vendor_core.body import BodyModel, default_body
from vendor_core.errors import TargetError
from vendor_core.ik.reference import Objective, ReferenceResult, ReferenceStage, Status, minimise
from vendor_core.ik.reference_objectives import USUAL_STAGE, USUAL_WEIGHTS, PixelsPerJoint, PointsOnPrior
from vendor_core.ik.state import explained
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import N_BODY

torch = pytest.importorskip("torch")
Tensors = Mapping[str, "torch.Tensor"]

OPTIMISERS = ("lbfgs", "adam")
JOINTS_17 = (15, 12, 22, 23, 24, 16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8)


def valley(parameters: Tensors, frames: "torch.Tensor") -> Tensors:
    """Rosenbrock's valley, its floor elsewhere for each frame; term `far` pulls to the origin."""
    x, y = parameters["x"][:, 0], parameters["y"]
    place = 0.2 * frames.to(x.dtype)
    return {"valley": (1 + place - x) ** 2 + 10 * (y - x * x) ** 2 + 1, "far": x * x + y * y}


def valley_start(n: int) -> dict[str, "torch.Tensor"]:
    rng = np.random.default_rng(0)
    return {"x": torch.tensor(rng.normal(size=(n, 1))), "y": torch.tensor(rng.normal(size=n))}


def valley_stage(optimiser: str, **changes: object) -> ReferenceStage:
    settings = {"iterations": 1000, "optimiser": optimiser, "window": 20, "tolerance": 1e-6}
    settings |= {"learning_rate": 0.1} if optimiser == "adam" else {}
    settings |= changes
    return ReferenceStage({"valley": 1.0}, **settings)  # type: ignore[arg-type]


def poisoned(objective: Objective, frame: int, after: int) -> Objective:
    """The objective, but NaN for one frame from some evaluation of it on."""
    seen = [0]

    def spoilt(parameters: Tensors, frames: "torch.Tensor") -> Tensors:
        seen[0] += int((frames == frame).any())
        factor = torch.where((frames == frame) & torch.tensor(seen[0] > after), torch.nan, 1.0)
        return {name: term * factor for name, term in objective(parameters, frames).items()}

    return spoilt


def same(a: ReferenceResult, b: ReferenceResult, rows: list[int]) -> bool:
    return all(torch.equal(a.parameters[name][rows], b.parameters[name][rows]) for name in a.parameters)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_the_floor_is_found_and_the_stop_test_fires(optimiser: str) -> None:
    stage = valley_stage(optimiser)
    result = minimise(valley, valley_start(5), [stage])
    floor = 1 + 0.2 * torch.arange(5)
    assert (result.status == Status.CONVERGED).all()
    assert (result.evaluations < stage.iterations).all() and (result.evaluations > 0).all()
    assert torch.allclose(result.cost, torch.ones(5, dtype=torch.float64), atol=1e-5)
    assert torch.allclose(result.parameters["x"][:, 0], floor.double(), atol=1e-2)
    assert torch.allclose(result.parameters["y"], floor.double() ** 2, atol=5e-2)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_too_few_iterations_are_told(optimiser: str) -> None:
    result = minimise(valley, valley_start(2), [valley_stage(optimiser, iterations=3, window=2)])
    assert (result.status == Status.STOPPED).all()


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_frames_of_a_batch_stop_by_themselves(optimiser: str) -> None:
    start = valley_start(3)
    start["x"][1], start["y"][1] = 1.2, 1.44  # on its floor already
    evaluations = minimise(valley, start, [valley_stage(optimiser)]).evaluations
    assert evaluations[1] < 0.5 * min(evaluations[0], evaluations[2])


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_frame_alone_ends_where_it_ends_among_others(optimiser: str) -> None:
    start, stage = valley_start(4), valley_stage(optimiser)

    def of_frame_2(parameters: Tensors, frames: "torch.Tensor") -> Tensors:
        return valley(parameters, frames + 2)

    together = minimise(valley, start, [stage])
    alone = minimise(of_frame_2, {name: x[2:3] for name, x in start.items()}, [stage])
    assert alone.evaluations[0] == together.evaluations[2]
    for name in start:
        assert torch.allclose(alone.parameters[name][0], together.parameters[name][2], atol=1e-9)


@pytest.mark.parametrize("after", [0, 7])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_nan_in_a_frame_fails_that_frame_alone(optimiser: str, after: int) -> None:
    start, stage = valley_start(3), valley_stage(optimiser)
    clean = minimise(valley, start, [stage])
    result = minimise(poisoned(valley, 1, after), start, [stage, stage])
    assert result.status.tolist() == [Status.CONVERGED, Status.FAILED, Status.CONVERGED]
    assert all(x.isfinite().all() for x in result.parameters.values())
    assert same(minimise(valley, start, [stage, stage]), result, [0, 2])
    began = minimise(valley, start, [valley_stage(optimiser, iterations=1, window=1)]).cost[1]
    assert result.cost[1] <= began if after else result.cost[1].isinf()
    assert result.evaluations[1] == after + 1 and clean.evaluations[1] > after


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_gradient_that_is_not_finite_fails_the_frame(optimiser: str) -> None:
    def root(parameters: Tensors, frames: "torch.Tensor") -> Tensors:
        x = parameters["x"]
        return {"root": (x - 3).square() + 0.1 * x.abs().sqrt()}

    result = minimise(root, {"x": torch.tensor([0.0, 4.0])}, [ReferenceStage({"root": 1.0}, 1, optimiser)])  # type: ignore[arg-type]
    assert result.status.tolist() == [Status.FAILED, Status.STOPPED]
    assert result.parameters["x"][0] == 0 and result.cost[0].isinf() and result.cost[1] <= 1.2


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_second_stage_begins_like_a_call_of_its_own(optimiser: str) -> None:
    first = valley_stage(optimiser, iterations=15)
    second = ReferenceStage({"valley": 0.5, "far": 2.0}, 30, optimiser)  # type: ignore[arg-type]
    at_once = minimise(valley, valley_start(3), [first, second])
    halfway = minimise(valley, valley_start(3), [first])
    apart = minimise(valley, halfway.parameters, [second])
    assert same(at_once, apart, [0, 1, 2]) and torch.equal(at_once.cost, apart.cost)
    assert torch.equal(at_once.evaluations, halfway.evaluations + apart.evaluations)


def test_the_windows_of_lbfgs_change_nothing_but_when_it_stops() -> None:
    results = [
        minimise(valley, valley_start(3), [valley_stage("lbfgs", iterations=12, window=window, tolerance=0)])
        for window in (1, 12)
    ]
    assert same(*results, [0, 1, 2])
    assert (results[0].evaluations - results[1].evaluations <= 3).all()


@pytest.mark.parametrize(
    ("weights", "said"),
    [({"vale": 1.0}, 'no term "vale"'), ({"pair": 1.0}, r"shape \(2, 2\)"), ({"still": 1.0}, "depends on none")],
)
def test_a_wrong_objective_is_told(weights: dict[str, float], said: str) -> None:
    def objective(parameters: Tensors, frames: "torch.Tensor") -> Tensors:
        return {"pair": parameters["x"], "still": torch.zeros(len(frames))}

    with pytest.raises(TargetError, match=said):
        minimise(objective, {"x": torch.zeros(2, 2)}, [ReferenceStage(weights, optimiser="adam")])


@pytest.mark.parametrize(
    "start",
    [
        {},
        {"x": torch.zeros(2, 1), "y": torch.zeros(3, 1)},
        {"x": torch.zeros(2, dtype=torch.int64)},
        {"x": torch.tensor([np.nan])},
        {"x": torch.tensor(1.0)},
    ],
)
def test_a_wrong_start_is_told(start: dict[str, "torch.Tensor"]) -> None:
    with pytest.raises(TargetError, match="Start parameter"):
        minimise(valley, start, [valley_stage("lbfgs")])


@pytest.mark.parametrize("wrong", [{"optimiser": "newton"}, {"iterations": 0}, {"window": 0}, {"weights": {}}])
def test_a_wrong_stage_is_told(wrong: dict[str, object]) -> None:
    with pytest.raises(TargetError, match=r"[Ee]xpected"):
        ReferenceStage(**({"weights": {"valley": 1.0}} | wrong))  # type: ignore[arg-type]


def test_a_caller_without_gradients_gets_the_same() -> None:
    with torch.no_grad():
        without = minimise(valley, valley_start(2), [valley_stage("adam")])
    assert same(without, minimise(valley, valley_start(2), [valley_stage("adam")]), [0, 1])


def test_no_frames_are_no_fault() -> None:
    for optimiser in OPTIMISERS:
        assert len(minimise(valley, valley_start(0), [valley_stage(optimiser)]).cost) == 0


# ---------------------------------------------------------------- objectives on the body


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return default_body()


def prior_targets(body: BodyModel, n: int, betas: np.ndarray | None = None) -> "torch.Tensor":
    """Joints (n, 22, 3) of poses that the prior can make."""
    prior, rng = load_prior(), np.random.default_rng(3)
    state = explained(prior, prior.sample(n, 3), exp_so3(0.3 * rng.normal(size=(n, 3))))
    return torch.tensor(body.pose(state.R_local, rng.normal(size=(n, 3)), betas).joints[:, :N_BODY])


def distance(objective: PointsOnPrior, result: ReferenceResult, targets: "torch.Tensor") -> "torch.Tensor":
    """Mean distance (n,) of the points that are seen, metres."""
    return (objective.points(result.parameters) - targets).norm(dim=-1).nanmean(-1).detach()


def gradient_norm(objective: Objective, parameters: Tensors, weights: Mapping[str, float]) -> float:
    x = {name: p.clone().requires_grad_() for name, p in parameters.items()}
    terms = objective(x, torch.arange(len(next(iter(x.values())))))
    cost = torch.stack([weight * terms[name] for name, weight in weights.items()]).sum()
    return float(torch.cat([g.flatten() for g in torch.autograd.grad(cost, list(x.values()))]).norm())


def test_joints_are_reached_and_the_gradient_vanishes(body: BodyModel) -> None:
    targets = prior_targets(body, 2)
    objective = PointsOnPrior(body, load_prior(), targets, whole_mesh=False)
    start = objective.rest_start()
    result = minimise(objective, start, [ReferenceStage(USUAL_WEIGHTS, tolerance=1e-9)])
    began = minimise(objective, start, [ReferenceStage(USUAL_WEIGHTS, iterations=1)])
    assert (result.status == Status.CONVERGED).all() and (result.cost < 0.1 * began.cost).all()
    ratio = gradient_norm(objective, result.parameters, USUAL_WEIGHTS) / gradient_norm(objective, start, USUAL_WEIGHTS)
    assert ratio < 1e-4
    assert (distance(objective, result, targets) < 0.03).all()


def test_a_nan_joint_is_unseen_and_batches_may_change_size(body: BodyModel) -> None:
    targets, stage = prior_targets(body, 3), ReferenceStage(USUAL_WEIGHTS, iterations=15)
    holed = targets.clone()
    holed[1, 20] = torch.nan
    objective = PointsOnPrior(body, load_prior(), holed, whole_mesh=False)
    result = minimise(objective, objective.rest_start(), [stage])
    assert (result.status != Status.FAILED).all() and result.cost.isfinite().all()
    pair = PointsOnPrior(body, load_prior(), targets[:2], whole_mesh=False)
    again = minimise(pair, pair.rest_start(), [stage])
    for name, x in result.parameters.items():
        assert torch.allclose(x[0], again.parameters[name][0], atol=1e-9)
        assert not torch.allclose(x[1], again.parameters[name][1], atol=1e-6)


def test_free_betas_reach_a_body_of_another_shape(body: BodyModel) -> None:
    targets = prior_targets(body, 1, np.array([2.0, -2, 2, 0, 2, 0, -2, 0, 0, 0]))
    objective = PointsOnPrior(body, load_prior(), targets, whole_mesh=False)
    free = ReferenceStage({"points": 1000.0, "latent": 0.01, "betas": 0.01}, iterations=100)
    held = ReferenceStage({"points": 1000.0, "latent": 0.01, "betas": 1e6}, iterations=100)
    off = {
        name: float(distance(objective, minimise(objective, objective.rest_start(), [USUAL_STAGE, stage]), targets))
        for name, stage in (("free", free), ("held", held))
    }
    assert off["free"] < 0.005 and off["free"] < 0.3 * off["held"]


def test_the_whole_mesh_and_the_points_alone_are_one_cost(body: BodyModel) -> None:
    targets = torch.cat([prior_targets(body, 2)[:, :4], torch.zeros(2, 2, 3, dtype=torch.float64)], dim=1)
    chosen = {"joints": (0, 1, 2, 3), "vertices": (17, 5000)}
    whole = PointsOnPrior(body, load_prior(), targets, **chosen)
    few = PointsOnPrior(body, load_prior(), targets, **chosen, whole_mesh=False)
    stage = ReferenceStage(USUAL_WEIGHTS, iterations=4)
    a, b = (minimise(objective, objective.rest_start(), [stage]) for objective in (whole, few))
    assert torch.allclose(a.cost, b.cost, rtol=1e-9)
    z, root, trans, betas = (a.parameters[name].numpy() for name in ("z", "root", "trans", "betas"))
    R_local = np.concatenate([exp_so3(root)[:, None], load_prior().decode(z)], axis=1)
    vertices = body.pose(R_local, trans, betas, vertices=[17, 5000]).vertices
    assert np.allclose(whole.points(a.parameters)[:, 4:].numpy(), vertices, atol=1e-9)


def test_a_solvers_state_is_a_start(body: BodyModel) -> None:
    prior = load_prior()
    z, R_root = prior.sample(2, 5), exp_so3(np.array([[0.1, 2.0, 0.3], [0, 0, 0.0]]))
    state = explained(prior, z, R_root)
    targets = torch.tensor(body.pose(state.R_local, state.trans).joints[:, :N_BODY])
    objective = PointsOnPrior(body, prior, targets, whole_mesh=False)
    assert torch.allclose(objective.points(objective.parameters_of(state)), targets, atol=1e-9)


def test_pixels_are_met_joint_by_joint(body: BodyModel) -> None:
    rng = np.random.default_rng(1)
    camera = {"joints": JOINTS_17, "focal": 1000.0, "centre": (500.0, 500.0)}
    blank = PixelsPerJoint(body, torch.zeros(2, 17, 2, dtype=torch.float64), **camera)
    truth = blank.facing_start(3.5)
    truth["rotations"] = truth["rotations"] + torch.tensor(0.2 * rng.normal(size=(2, 21, 3)))
    pixels = blank.pixels(truth)
    assert ((pixels > 0) & (pixels < 1000)).all() and (pixels[:, 0, 1] < pixels[:, -1, 1]).all()  # head above ankle
    pixels[1, 3] = torch.nan
    objective = PixelsPerJoint(body, pixels, **camera)
    stage = ReferenceStage({"pixels": 1 / 25, "rotations": 0.1}, tolerance=1e-3)
    result = minimise(objective, objective.facing_start(3.0), [stage])
    off = (objective.pixels(result.parameters) - pixels).norm(dim=-1).detach()
    assert result.status.tolist() == [Status.CONVERGED] * 2 and float(off.nanmean()) < 3
    assert all(x.isfinite().all() for x in result.parameters.values())


def test_targets_of_a_wrong_shape_are_told(body: BodyModel) -> None:
    with pytest.raises(TargetError, match=r"expected \(frames, 22, 3\)"):
        PointsOnPrior(body, load_prior(), torch.zeros(2, 21, 3))
