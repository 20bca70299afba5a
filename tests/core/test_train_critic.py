# SPDX-License-Identifier: Apache-2.0
"""The critic's training: what is broken and how, equal runs, and that it learns."""

import numpy as np
import pytest

from vendor_core.prior import load_prior
from vendor_core.prior.plausibility import Plausibility
from vendor_core.rotations import rotation_angle
from vendor_core.skeleton import BODY_JOINTS, N_BODY, N_POSE
from vendor_core.training.corruption import Corruption
from vendor_core.training.data import PoseSet
from vendor_core.training.train_critic import SHARES, CriticTrainer, odds_at

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def poses() -> PoseSet:
    prior = load_prior()
    R = prior.decode(prior.sample(400, seed=1)).astype(np.float32)
    root = np.broadcast_to(np.eye(3, dtype=np.float32), (400, 3, 3))
    return PoseSet(root, R, np.full(400, 1 / 400), np.zeros((N_BODY, 3), np.float32))


def trainer(poses: PoseSet, seed: int = 0) -> CriticTrainer:
    torch.manual_seed(seed)
    R, cumulative = torch.as_tensor(poses.R), torch.as_tensor(np.cumsum(poses.weight))
    return CriticTrainer(R, cumulative, torch.Generator().manual_seed(seed))


def test_only_joints_that_are_named_are_broken_and_all_stay_rotations(poses: PoseSet) -> None:
    R = torch.as_tensor(poses.R)
    broken, joints = Corruption(torch.Generator().manual_seed(0), {"dtype": R.dtype, "device": R.device})(R)
    kept = (broken == R).all(-1).all(-1)
    assert bool(kept[~joints].all()) and bool(joints.any(1).all())
    assert float(kept[joints].float().mean()) < 0.02
    np.testing.assert_allclose(broken @ broken.mT, torch.eye(3).expand(broken.shape), atol=1e-5)
    np.testing.assert_allclose(torch.linalg.det(broken), 1, atol=1e-5)


def test_hinges_bend_backwards(poses: PoseSet) -> None:
    R = torch.as_tensor(poses.R)
    broken, joints = Corruption(torch.Generator().manual_seed(0), {"dtype": R.dtype, "device": R.device})._backwards(R)
    assert {BODY_JOINTS[j + 1].split("_")[-1] for j in torch.nonzero(joints)[:, 1].tolist()} == {"knee", "elbow"}
    straight = torch.eye(3).expand(R.shape)
    apart, bent = (rotation_angle(x.mT @ broken)[joints].numpy() for x in (R, straight))
    assert np.mean(apart > bent) > 0.95  # they were bent the other way, or are straight in a few poses


def test_equal_seeds_give_equal_arrays_and_others_do_not(poses: PoseSet) -> None:
    def arrays(seed: int) -> dict[str, np.ndarray]:
        critic = trainer(poses, seed)
        for i in range(3):
            critic.step(i / 3)
        return critic.arrays(poses)

    a, b, c = arrays(0), arrays(0), arrays(1)
    assert all(np.array_equal(a[key], b[key]) for key in a)
    assert not np.array_equal(a["critic_W0"], c["critic_W0"])


def test_it_learns_and_its_scores_spread_evenly_over_the_poses_it_is_set_by(poses: PoseSet) -> None:
    critic = trainer(poses)
    losses = [float(critic.step(i / 80)) for i in range(80)]
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:10])
    score = Plausibility(critic.arrays(poses), "new").score(poses.R.astype(np.float64))
    for share in (0.05, 0.2, 0.5, 0.8):
        assert np.mean(score < share) == pytest.approx(share, abs=0.03)


def test_the_table_of_odds_weighs_the_poses() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(size=(5000, N_POSE + 1))
    weight = np.where(odds[:, 0] > 0, 3.0, 1.0)  # the first joint: three of four poses have positive odds
    table = odds_at(SHARES, odds, weight)
    assert (np.diff(table, axis=1) > 0).all()
    assert odds_at((0.75, 0.5), odds, weight)[0, 0] == pytest.approx(0, abs=0.05)
    assert odds_at((0.9, 0.5), odds, np.ones(5000))[1, 1] == pytest.approx(0, abs=0.05)
