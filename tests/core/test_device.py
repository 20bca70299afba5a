# SPDX-License-Identifier: Apache-2.0
"""Solving on an accelerator: what can be shown without one."""

from typing import Any

import numpy as np
import pytest

from vendor_core import devices
from vendor_core.body import default_body
from vendor_core.errors import PoiseError
from vendor_core.ik import JointTargets, fit_joints, solve, solver
from vendor_core.ik.points import joint_points
from vendor_core.ik.problem import Problem, Stage
from vendor_core.ik.residuals import Position
from vendor_core.ik.state import PoseState, explained
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import BODY_JOINTS

torch = pytest.importorskip("torch")
STAGE = Stage(damping=1e-2, tolerance=1e-3)
SEEN = [0, 1, 2, 4, 5, 7, 8, 15, 16, 17, 20, 21]  # 12 of 22 joints


@pytest.fixture(scope="module")
def problem() -> tuple[Problem, PoseState]:
    """24 poses of the prior by 12 of their joints, starting some way off."""
    prior, rng = load_prior(), np.random.default_rng(4)
    points = joint_points(default_body(), SEEN)
    z, turn = prior.sample(24, seed=2), exp_so3(rng.normal(size=(24, 3)))
    truth = default_body().pose(np.concatenate([turn[:, None], prior.decode(z)], axis=1)).joints
    position = Position(np.ones((24, 12)), 0.003, points, truth[:, SEEN])
    start = explained(prior, z + 0.3 * rng.normal(size=z.shape), turn @ exp_so3(rng.normal(size=(24, 3)) * 0.1))
    return Problem(points.bones, prior, (position,)), start


def test_the_loop_for_devices_finds_what_the_other_finds(problem: tuple[Problem, PoseState]) -> None:
    like = torch.zeros(1, dtype=torch.float64)
    there = problem[0].like(like), problem[1].like(like), STAGE
    (state, cost), (_, cost_usual) = solver.minimise_on_device(*there), solver.minimise(*problem, STAGE)
    assert np.median(cost.numpy() / cost_usual) < 1.02
    reached = problem[0].residuals[0].error(state.like(np.zeros(1)).on(problem[0].bones))
    assert np.linalg.norm(reached, axis=-1).mean() < 0.001


def test_torch_agrees_with_numpy(problem: tuple[Problem, PoseState]) -> None:
    ours, theirs = (_joints_and_cost(problem, like) for like in (np.zeros(1), torch.zeros(1, dtype=torch.float64)))
    assert np.abs(ours[0] - theirs[0]).max() < 1e-6


@pytest.mark.parametrize("like", [np.zeros(1, np.float32), torch.zeros(1)], ids=["numpy", "torch"])
def test_single_precision_reaches_what_is_seen_and_costs_no_more(problem: tuple[Problem, PoseState], like: Any) -> None:
    """What is not seen may lie anywhere along a valley whose floor single precision cannot tell from level."""
    (p, cost), (p_single, cost_single) = (_joints_and_cost(problem, kind) for kind in (np.zeros(1), like))
    apart = np.abs(p - p_single)
    assert apart[:, SEEN].max() < 1e-4 and apart.max() < 1e-3
    np.testing.assert_allclose(cost_single, cost, rtol=1e-4)


def _joints_and_cost(problem: tuple[Problem, PoseState], like: Any) -> tuple[np.ndarray, np.ndarray]:
    state, cost = solver.minimise(problem[0].like(like), problem[1].like(like), STAGE)
    return state.like(np.zeros(1)).on(problem[0].bones).p, np.asarray(cost, dtype=np.float64)


def test_the_loop_never_waits_for_the_device(problem: tuple[Problem, PoseState]) -> None:
    """Tensors without data stand for those of a GPU: whoever asks for a value fails."""
    like = torch.zeros(1, device="meta")
    state, cost = solver.minimise_on_device(problem[0].like(like), problem[1].like(like), STAGE)
    assert state.R_local.shape == (24, 22, 3, 3) and cost.device.type == "meta"
    with pytest.raises((RuntimeError, NotImplementedError)):
        bool(cost.sum() > 0)


def test_chunks_shrink_when_memory_runs_out(
    problem: tuple[Problem, PoseState], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sizes, whole = [], solver.minimise_on_device

    def small_device(part: Problem, state: PoseState, stage: Stage) -> tuple[PoseState, Any]:
        sizes.append(len(state))
        if len(state) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(part, state, stage)

    for name, value in (("minimise_on_device", small_device), ("_DEVICE_CHUNK", 16), ("_CHUNK", 2)):
        monkeypatch.setattr(solver, name, value)
    monkeypatch.setattr(solver, "is_accelerated", lambda x: True)
    like = torch.zeros(1, dtype=torch.float64)
    state, cost = solver.minimise_in_chunks(problem[0].like(like), problem[1].like(like), STAGE)
    assert sizes == [16, 8, 8, 8] and len(state) == len(cost) == 24
    assert "too little memory for 16 frames" in caplog.text


def test_a_device_without_memory_is_said_in_one_line(
    problem: tuple[Problem, PoseState], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_device(part: Problem, state: PoseState, stage: Stage) -> tuple[PoseState, Any]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(solver, "minimise_on_device", full_device)
    monkeypatch.setattr(solver, "is_accelerated", lambda x: True)
    like = torch.zeros(1, dtype=torch.float64)
    with pytest.raises(PoiseError, match="too little free memory for 64 frames"):
        solver.minimise_in_chunks(problem[0].like(like), problem[1].like(like), STAGE)


def test_a_solve_may_run_in_torch() -> None:
    joints = default_body().pose(exp_so3(np.zeros((2, 22, 3)))).joints[:, :22]
    ours = fit_joints(default_body(), load_prior(), BODY_JOINTS, joints)
    theirs = solve(default_body(), load_prior(), [JointTargets(BODY_JOINTS, joints)], like=torch.zeros(1))
    np.testing.assert_allclose(theirs.R_local, ours.R_local, atol=0.02)
    assert theirs.R_local.dtype == np.float64 and theirs.residual.max() < 0.001


def test_a_device_that_is_not_there_is_refused_and_auto_says_why() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(PoiseError, match=r"no (NVIDIA driver|cuda device)"):
        devices.chosen_device("cuda")
    with pytest.raises(PoiseError, match="expected one of"):
        devices.chosen_device("tpu")
    chosen = devices.chosen_device("auto")
    assert type(chosen.like) is np.ndarray and ("driver" in chosen.why or "no cuda device" in chosen.why)
    assert "as asked for" in devices.chosen_device("cpu").why
