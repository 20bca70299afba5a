# SPDX-License-Identifier: Apache-2.0
"""Poses drawn around a pose: seeds decide, kept joints and an amount of 0 change nothing, what comes is plausible."""

import numpy as np
import pytest

from vendor_core.errors import MotionError
from vendor_core.prior import load_prior
from vendor_core.prior.draw import drawn_pose, variations
from vendor_core.prior.plausibility import load_plausibility
from vendor_core.rotations import exp_so3, log_so3
from vendor_core.skeleton import BODY_JOINTS, JOINT_GROUPS

PRIOR, PLAUSIBILITY = load_prior(), load_plausibility()
ARM = np.array([name in JOINT_GROUPS["left_arm"] for name in BODY_JOINTS[1:]])


@pytest.fixture
def pose() -> np.ndarray:
    """A pose that the prior cannot decode exactly."""
    rng = np.random.default_rng(0)
    return PRIOR.decode(PRIOR.sample(1, 5))[0] @ exp_so3(0.05 * rng.normal(size=(21, 3)))


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """Mean angle between the joints of two poses, degrees."""
    return float(np.degrees(np.linalg.norm(log_so3(np.swapaxes(a, -1, -2) @ b), axis=-1)).mean())


def test_a_drawn_pose_is_the_priors(pose) -> None:
    assert np.array_equal(drawn_pose(PRIOR, PLAUSIBILITY, pose, 7), PRIOR.decode(PRIOR.sample(1, 7))[0])


def test_kept_joints_stay_to_the_bit_and_the_rest_fits_them(pose) -> None:
    drawn = np.array([drawn_pose(PRIOR, PLAUSIBILITY, pose, seed, ARM) for seed in range(12)])
    blind = PRIOR.decode(np.concatenate([PRIOR.sample(1, seed) for seed in range(12)]))
    blind[:, ARM] = pose[ARM]
    assert (drawn[:, ARM] == pose[ARM]).all()
    scores, of_blind = PLAUSIBILITY.score(drawn), PLAUSIBILITY.score(blind)
    assert scores.min() > 0.1 and np.median(scores) > np.median(of_blind)
    assert min(_apart(a, b) for i, a in enumerate(drawn) for b in drawn[:i]) > 5  # one for each seed


def test_an_amount_of_0_is_the_pose_and_more_leads_away(pose) -> None:
    assert (variations(PRIOR, PLAUSIBILITY, pose, 3, 1, 0.0) == pose).all()
    far = [
        np.mean([_apart(pose, v) for v in variations(PRIOR, PLAUSIBILITY, pose, 20, 1, a)]) for a in (1e-6, 0.2, 0.5, 1)
    ]
    assert far[0] < 1e-3 and 2 < far[1] < 0.6 * far[2] < far[3]


def test_a_variation_is_the_one_of_its_seed(pose) -> None:
    many = variations(PRIOR, PLAUSIBILITY, pose, 5, 40, 0.4)
    alone = [variations(PRIOR, PLAUSIBILITY, pose, 1, 40 + k, 0.4)[0] for k in range(5)]
    assert np.allclose(many, alone, atol=1e-12)
    assert min(_apart(a, b) for i, a in enumerate(many) for b in many[:i]) > 2


def test_variations_keep_joints_and_stay_plausible(pose) -> None:
    varied = variations(PRIOR, PLAUSIBILITY, pose, 20, 3, 0.5, ARM)
    assert (varied[:, ARM] == pose[ARM]).all()
    assert np.median(PLAUSIBILITY.score(varied)) > 0.5


@pytest.mark.parametrize(("R", "amount", "message"), [
    (np.full((21, 3, 3), np.nan), 0.5, "expected finite rotations"),
    (np.zeros((22, 3, 3)), 0.5, r"shape \(22, 3, 3\)"),
    (np.tile(np.eye(3), (21, 1, 1)), 1.5, "from 0 to 1"),
])  # fmt: skip
def test_faults_are_said(R, amount, message) -> None:
    with pytest.raises(MotionError, match=message):
        variations(PRIOR, PLAUSIBILITY, R, 2, 0, amount)
