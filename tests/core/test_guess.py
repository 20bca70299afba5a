# SPDX-License-Identifier: Apache-2.0
"""The learned initialiser: moves with the world, ignores what is unseen, lands near poses of unseen subjects."""

from pathlib import Path

import numpy as np
import pytest

from vendor_core.prior import VaePrior, load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import BODY_JOINTS, N_BODY
from vendor_core.training.data import load_poses
from vendor_core.training.measure import guess_error, joints_of
from vendor_core.training.train_guess import EFFECTORS

ALL = np.ones(N_BODY, dtype=bool)
FEW = np.array([name in EFFECTORS for name in BODY_JOINTS])


@pytest.fixture(scope="module")
def prior() -> VaePrior:
    return load_prior("vae")


@pytest.fixture
def joints(prior: VaePrior) -> np.ndarray:
    """World joints (5, 22, 3) of sampled poses."""
    return joints_of(prior.decode(prior.sample(5, seed=2)), prior.rest_joints) + np.array([1.0, 0.9, -2.0])


@pytest.mark.parametrize(("seen", "axis"), [(ALL, [0.3, -0.8, 1.1]), (FEW, [0, 1.7, 0])])
def test_the_guess_turns_with_the_world(
    prior: VaePrior, joints: np.ndarray, seen: np.ndarray, axis: list[float]
) -> None:
    """In any way where the torso is seen, about the vertical where it is not."""
    Q = exp_so3(np.array(axis))
    mask = np.broadcast_to(seen, joints.shape[:2])
    z, R_root = prior.guess(joints, mask)
    z_turned, R_turned = prior.guess(joints @ Q.T + [3.0, 2.0, 1.0], mask)
    np.testing.assert_allclose(z_turned, z, atol=1e-9)
    np.testing.assert_allclose(R_turned, Q @ R_root, atol=1e-9)


@pytest.mark.parametrize("filler", [np.nan, np.inf, 1e3])
def test_what_is_unseen_does_not_matter(prior: VaePrior, joints: np.ndarray, filler: float) -> None:
    mask = np.broadcast_to(FEW, joints.shape[:2])
    hidden = np.where(mask[..., None], joints, filler)
    for known, again in zip(prior.guess(joints, mask), prior.guess(hidden, mask), strict=True):
        np.testing.assert_array_equal(known, again)


@pytest.mark.parametrize("only", [[], ["head"], ["pelvis"], ["left_wrist", "right_wrist"]])
def test_next_to_nothing_seen_still_gives_a_pose(prior: VaePrior, joints: np.ndarray, only: list[str]) -> None:
    mask = np.broadcast_to([name in only for name in BODY_JOINTS], joints.shape[:2])
    z, R_root = prior.guess(joints, mask)
    assert np.isfinite(z).all()
    np.testing.assert_allclose(R_root @ np.swapaxes(R_root, -1, -2), np.broadcast_to(np.eye(3), (5, 3, 3)), atol=1e-9)


def test_torch_agrees_with_numpy(prior: VaePrior, joints: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    for seen in (ALL, FEW):
        mask = np.broadcast_to(seen, joints.shape[:2]).copy()
        numbers = zip(
            prior.guess(joints, mask), prior.guess(torch.as_tensor(joints), torch.as_tensor(mask)), strict=True
        )
        for ours, theirs in numbers:
            np.testing.assert_allclose(theirs, ours, atol=1e-9)


@pytest.mark.parametrize(("names", "mm", "degrees"), [(BODY_JOINTS, 20, 5), (EFFECTORS, 33, 12)])
def test_poses_of_unseen_subjects_are_guessed_nearby(
    prior: VaePrior, shared_data: Path, names: tuple[str, ...], mm: float, degrees: float
) -> None:
    measured = guess_error(prior, load_poses([shared_data / "motion" / "val.npz"], mirror=False), names)
    assert measured["mm"] < mm
    assert measured["deg"] < degrees
