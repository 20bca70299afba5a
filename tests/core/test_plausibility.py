# SPDX-License-Identifier: Apache-2.0
"""The critic: what its numbers mean, who is blamed, NumPy against torch, its training, faults."""

from pathlib import Path

import numpy as np
import pytest

from tests.core.conftest import REPO
from tests.core.known_critic import critic_arrays
from vendor_core.errors import PriorError
from vendor_core.npz import read_npz, write_npz
from vendor_core.prior import load_prior
from vendor_core.prior.plausibility import Plausibility, load_plausibility
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import N_POSE

SHIPPED = REPO / "vendor_core" / "prior" / "weights" / "vae.npz"


@pytest.fixture(scope="module")
def plausible() -> np.ndarray:
    """Poses (300, 21, 3, 3) that the prior draws."""
    prior = load_prior()
    return prior.decode(prior.sample(300, seed=4))


def one_joint_turned(R: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The poses with one joint of each turned by 45 to 90 degrees, and which it is."""
    rng = np.random.default_rng(5)
    axis, which = rng.normal(size=(len(R), 3)), rng.integers(N_POSE, size=len(R))
    axis *= np.radians(rng.uniform(45, 90, (len(R), 1))) / np.linalg.norm(axis, axis=-1, keepdims=True)
    broken = R.copy()
    broken[np.arange(len(R)), which] = broken[np.arange(len(R)), which] @ exp_so3(axis)
    return broken, which


def test_a_turned_joint_lowers_the_pose_and_is_the_one_to_blame(plausible: np.ndarray) -> None:
    plausibility = load_plausibility()
    broken, which = one_joint_turned(plausible)
    assert np.mean(plausibility.score(broken)[:, None] < plausibility.score(plausible)) > 0.95
    assert np.mean(plausibility.log_odds(broken)[:, :N_POSE].argmax(-1) == which) > 0.85
    assert np.median(plausibility.joint_scores(broken)[np.arange(300), which]) < 0.01


def test_scores_are_shares_at_the_knots_and_fall_between_and_beyond_them() -> None:
    plausibility, shares = Plausibility(critic_arrays(), "small"), critic_arrays()["critic_shares"]
    knots = critic_arrays()["critic_odds"]
    for k, share in enumerate(shares):
        np.testing.assert_allclose(plausibility.shares(knots[:, k]), share, atol=1e-6)
    lines = plausibility.shares(np.linspace(-100, 100, 2000)[:, None] + np.zeros(N_POSE + 1))
    assert (np.diff(lines, axis=0) <= 0).all() and lines.min() == 0 and lines.max() == 1
    assert (np.diff(lines, axis=0)[(lines[1:] > 1e-6) & (lines[1:] < 1 - 1e-6)] < 0).all()


@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (0,)])
def test_any_batch_shape(plausible: np.ndarray, shape: tuple[int, ...]) -> None:
    R = plausible[: int(np.prod(shape))].reshape(*shape, N_POSE, 3, 3)
    poses, joints = load_plausibility().scores(R)
    assert poses.shape == shape and joints.shape == (*shape, N_POSE)
    assert ((poses >= 0) & (poses <= 1)).all()


def test_torch_agrees_and_its_gradients_are_finite(plausible: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    plausibility = load_plausibility()
    R = np.concatenate([plausible[:20], one_joint_turned(plausible)[0][:20], np.broadcast_to(np.eye(3), (1, 21, 3, 3))])
    tensor = torch.as_tensor(R).requires_grad_()
    for ours, theirs in zip(plausibility.scores(R), plausibility.scores(tensor), strict=True):
        np.testing.assert_allclose(theirs.detach().numpy(), ours, atol=1e-9)
    (plausibility.score(tensor).sum() + plausibility.log_odds(tensor)[:, N_POSE].sum()).backward()
    assert bool(torch.isfinite(tensor.grad).all()) and float(tensor.grad.abs().min(0).values.max()) > 0


def test_the_gradient_leads_to_more_plausible_poses(plausible: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    plausibility = load_plausibility()
    broken = torch.as_tensor(one_joint_turned(plausible)[0])
    w = torch.zeros((len(broken), N_POSE, 3), dtype=broken.dtype, requires_grad=True)
    before = plausibility.log_odds(broken)[:, N_POSE]
    plausibility.log_odds(broken @ exp_so3(w))[:, N_POSE].sum().backward()
    assert w.grad is not None
    after = plausibility.log_odds(broken @ exp_so3(-0.05 * w.grad / w.grad.norm(dim=(1, 2), keepdim=True)))[:, N_POSE]
    assert float((after < before).double().mean()) > 0.95


def test_a_prior_without_a_critic_borrows_the_shipped_one(tmp_path: Path) -> None:
    arrays = read_npz(SHIPPED, None, PriorError)
    bare, own = tmp_path / "bare.npz", tmp_path / "own.npz"
    without = {key: array for key, array in arrays.items() if not key.startswith("critic_")}
    write_npz(bare, without)
    write_npz(own, without | critic_arrays())
    assert load_plausibility(bare) is load_plausibility("vae") is load_plausibility(tmp_path)
    with pytest.raises(PriorError, match="no such prior"):
        load_plausibility("no such prior")
    assert load_plausibility(own) is not load_plausibility()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"critic_W0": np.zeros((4, 7))}, "expected"),
        ({"critic_b1": np.full(N_POSE + 1, np.nan)}, "not finite"),
        ({"critic_odds": np.zeros((3, 4))}, "table"),
        ({"critic_odds": np.zeros((N_POSE + 1, 4))}, "do not rise"),
        ({"critic_shares": np.array([0.1, 0.5, 0.6, 0.9])}, "do not rise"),
        ({"critic_shares": np.array([1.0, 0.5, 0.1, 0.0])}, "do not rise"),
    ],
)
def test_a_damaged_critic_is_one_clear_line(changes: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(PriorError, match=message) as error:
        Plausibility(critic_arrays() | changes, "file")
    assert "\n" not in str(error.value)


def test_real_poses_of_unseen_subjects_are_told_from_broken_ones(shared_data: Path) -> None:
    from vendor_core.evaluation.data import read_evaluation_data
    from vendor_core.evaluation.implausible import areas

    data, plausibility = read_evaluation_data(shared_data / "motion", "val"), load_plausibility()
    found = areas(data, {"critic": lambda R: plausibility.log_odds(R)[:, N_POSE]})
    for damage, least in (("one_joint", 0.96), ("all_joints", 0.99), ("hyper_extended", 0.99), ("swapped", 0.7)):
        assert found[damage]["critic"] > least, damage
    weight, score = data.held_out.weight, plausibility.score(data.held_out.R)
    assert np.sum(weight * (score < 0.05)) == pytest.approx(0.05, abs=0.02)
    assert np.sum(weight * (score < 0.5)) == pytest.approx(0.5, abs=0.05)
