# SPDX-License-Identifier: Apache-2.0
"""Repair: what is plausible stays to the bit, what is broken comes nearer to what it was."""

import numpy as np
import pytest

from vendor_core.errors import MotionError
from vendor_core.prior import VaePrior, load_prior
from vendor_core.prior.plausibility import Plausibility, load_plausibility
from vendor_core.prior.repair import blame, completed, repair, replaced
from vendor_core.rotations import exp_so3, rotation_angle
from vendor_core.skeleton import BODY_JOINTS, N_POSE

KNEE, WRIST = (BODY_JOINTS.index(name) - 1 for name in ("left_knee", "right_wrist"))


@pytest.fixture(scope="module")
def prior() -> VaePrior:
    return load_prior()


@pytest.fixture(scope="module")
def plausibility() -> Plausibility:
    return load_plausibility()


@pytest.fixture(scope="module")
def whole(prior: VaePrior, plausibility: Plausibility) -> np.ndarray:
    """Poses (40, 21, 3, 3) in which no joint is to blame."""
    R = prior.decode(prior.sample(80, seed=8))
    return R[~blame(plausibility, R).any(-1)][:40]


@pytest.fixture(scope="module")
def broken(whole: np.ndarray) -> np.ndarray:
    """The same with a knee bent backwards and a wrist twisted."""
    R = whole.copy()
    R[:, KNEE] = exp_so3(np.array([-0.9, 0.0, 0.4]))
    R[:, WRIST] = R[:, WRIST] @ exp_so3(np.array([1.2, 1.2, 0.0]))
    return R


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(rotation_angle(np.swapaxes(a, -1, -2) @ b))


def test_plausible_poses_stay_to_the_bit(prior: VaePrior, plausibility: Plausibility, whole: np.ndarray) -> None:
    np.testing.assert_array_equal(repair(prior, plausibility, whole), whole)


def test_broken_joints_come_back_and_the_others_hardly_move(
    prior: VaePrior, plausibility: Plausibility, whole: np.ndarray, broken: np.ndarray
) -> None:
    fixed = repair(prior, plausibility, broken)
    for joint in (KNEE, WRIST):
        assert np.median(apart(fixed, whole)[:, joint]) < 0.4 * np.median(apart(broken, whole)[:, joint])
    others = [joint for joint in range(N_POSE) if joint not in (KNEE, WRIST)]
    assert apart(fixed, whole)[:, others].mean() < 1
    assert np.median(plausibility.score(fixed)) > 0.1 > np.median(plausibility.score(broken))
    blameless = (blame(plausibility, broken) == 0) & (fixed == broken).all((-1, -2))
    assert blameless.mean() > 0.85


def test_kept_joints_stay_to_the_bit_and_the_others_fit_them(
    prior: VaePrior, plausibility: Plausibility, broken: np.ndarray
) -> None:
    kept = np.zeros(N_POSE, dtype=bool)
    kept[KNEE] = True
    fixed = repair(prior, plausibility, broken, kept=kept)
    np.testing.assert_array_equal(fixed[:, KNEE], broken[:, KNEE])
    assert (fixed[:, WRIST] != broken[:, WRIST]).any()
    np.testing.assert_array_equal(
        repair(prior, plausibility, broken, kept=np.zeros(N_POSE, bool)), repair(prior, plausibility, broken)
    )
    np.testing.assert_array_equal(repair(prior, plausibility, broken, kept=np.ones(N_POSE, bool)), broken)


def test_the_amount_is_a_share_of_each_turn(prior: VaePrior, plausibility: Plausibility, broken: np.ndarray) -> None:
    np.testing.assert_array_equal(repair(prior, plausibility, broken, 0), broken)
    half, full = (repair(prior, plausibility, broken, amount) for amount in (0.5, 1.0))
    np.testing.assert_allclose(apart(broken, half), 0.5 * apart(broken, full), atol=1e-4)
    np.testing.assert_allclose(apart(half, full), 0.5 * apart(broken, full), atol=1e-4)


def test_poses_do_not_depend_on_those_beside_them(
    prior: VaePrior, plausibility: Plausibility, broken: np.ndarray, whole: np.ndarray
) -> None:
    mixed = np.concatenate([whole[:3], broken[:3]]).reshape(2, 3, N_POSE, 3, 3)
    fixed = repair(prior, plausibility, mixed)
    for i in range(3):
        np.testing.assert_allclose(fixed[1, i], repair(prior, plausibility, broken[i]), atol=1e-8)
    assert repair(prior, plausibility, whole[:0]).shape == (0, N_POSE, 3, 3)


def test_what_nobody_trusts_is_made_up_and_what_all_trust_is_fitted(prior: VaePrior, whole: np.ndarray) -> None:
    fitted = completed(prior, whole, np.ones(whole.shape[:2]))
    assert apart(fitted, whole).mean() < 2
    made_up = completed(prior, whole, np.zeros(whole.shape[:2]))
    np.testing.assert_allclose(made_up, np.broadcast_to(made_up[0], made_up.shape), atol=1e-3)
    one = np.zeros(whole.shape[:2])
    one[:, KNEE] = 1
    kept = np.delete(np.arange(N_POSE), KNEE)
    np.testing.assert_array_equal(replaced(prior, whole, one)[:, kept], whole[:, kept])


def test_any_rotations_at_all_give_rotations(prior: VaePrior, plausibility: Plausibility) -> None:
    R = exp_so3(np.random.default_rng(0).normal(size=(30, N_POSE, 3)) * 2)
    fixed = repair(prior, plausibility, R)
    np.testing.assert_allclose(fixed @ np.swapaxes(fixed, -1, -2), np.broadcast_to(np.eye(3), fixed.shape), atol=1e-9)
    assert np.mean(plausibility.log_odds(fixed)[:, -1] < plausibility.log_odds(R)[:, -1]) > 0.9


@pytest.mark.parametrize(
    ("R", "amount"),
    [
        (np.full((N_POSE, 3, 3), np.nan), 1.0),
        (np.zeros((4, 22, 3, 3)), 1.0),
        (np.zeros((N_POSE, 3)), 1.0),
        (np.array("x"), 1.0),
        (np.tile(np.eye(3), (N_POSE, 1, 1)), 1.5),
        (np.tile(np.eye(3), (N_POSE, 1, 1)), np.nan),
    ],
)
def test_what_is_no_pose_is_refused_in_one_line(
    prior: VaePrior, plausibility: Plausibility, R: np.ndarray, amount: float
) -> None:
    with pytest.raises(MotionError, match="expected") as error:
        repair(prior, plausibility, R, amount)
    assert "\n" not in str(error.value)
