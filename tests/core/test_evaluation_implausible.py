# SPDX-License-Identifier: Apache-2.0
"""Broken poses are broken as they say, and areas under the curve mean what they say."""

import numpy as np
import pytest

from tests.core.evaluation_data import made_data
from vendor_core.evaluation.implausible import areas, broken_poses, implausible, implausible_by_neighbours
from vendor_core.prior import load_prior
from vendor_core.prior.plausibility import Plausibility
from vendor_core.rotations import rotation_angle
from vendor_core.skeleton import BODY_JOINTS

KINDS = ["one_joint", "all_joints", "hyper_extended", "swapped"]


@pytest.fixture(scope="module")
def broken() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    data = made_data()
    R = np.tile(data.held_out.R.astype(np.float64), (5, 1, 1, 1))
    return R, broken_poses(R, data.train.R)


def test_poses_are_broken_by_as_much_as_said(broken: tuple[np.ndarray, dict[str, np.ndarray]]) -> None:
    R, damage = broken
    assert list(damage) == KINDS
    turned = {kind: np.degrees(rotation_angle(np.swapaxes(R, -1, -2) @ bad)) for kind, bad in damage.items()}
    one = turned["one_joint"]
    assert ((one > 1e-3).sum(1) == 1).all() and one.max(1).min() >= 45 and one.max() <= 90.001
    assert len(set(one.argmax(1).tolist())) > 15
    np.testing.assert_allclose(turned["all_joints"], 15, atol=1e-4)
    assert ((turned["hyper_extended"] > 1e-3).sum(1) <= 1).all()
    np.testing.assert_allclose(np.linalg.det(damage["one_joint"]), 1)


def test_knees_and_elbows_bend_the_wrong_way(broken: tuple[np.ndarray, dict[str, np.ndarray]]) -> None:
    """From the rest pose a shank bends forward and a forearm back: neither is possible."""
    R, damage = broken
    body, turned = made_data().body, rotation_angle(np.swapaxes(R, -1, -2) @ damage["hyper_extended"]) > 1e-6
    for side in ("left", "right"):
        for joint, end, ahead in (("knee", "ankle", 1), ("elbow", "wrist", -1)):
            number, tip = BODY_JOINTS.index(f"{side}_{joint}"), BODY_JOINTS.index(f"{side}_{end}")
            rows = np.flatnonzero(turned[:, number - 1])
            assert len(rows) > 10
            alone = np.tile(np.eye(3), (len(rows), 22, 1, 1))
            alone[:, number] = damage["hyper_extended"][rows, number - 1]
            np.testing.assert_array_less(19.9, np.degrees(rotation_angle(alone[:, number])))
            bent, straight = body.pose(alone).joints[:, tip, 2], body.joints_template[tip, 2]
            assert (ahead * (bent - straight) > 0.02).mean() > 0.95


def test_swapped_limbs_are_those_of_another_pose(broken: tuple[np.ndarray, dict[str, np.ndarray]]) -> None:
    R, damage = broken
    left = [j - 1 for j, name in enumerate(BODY_JOINTS) if name.startswith("left_")]
    others = np.setdiff1d(np.arange(21), left)
    np.testing.assert_array_equal(damage["swapped"][:, others], R[:, others])
    np.testing.assert_array_equal(damage["swapped"][1:, left], R[:-1, left])


def test_a_score_that_sees_nothing_has_half_the_area() -> None:
    blind = areas(made_data(), {"blind": lambda R: np.zeros(len(R))}, 20)
    assert blind == {kind: {"blind": 0.5} for kind in KINDS}


def test_a_prior_tells_broken_poses_from_its_own() -> None:
    found = implausible(load_prior(), made_data(), 40)
    assert list(found) == KINDS
    assert all(0.5 < area <= 1 for kind in ("one_joint", "all_joints") for area in found[kind].values())
    assert found["one_joint"]["reconstruction"] > 0.8
    near = implausible_by_neighbours(made_data(), 40)
    assert near["all_joints"]["nearest"] > 0.7


def test_a_critic_is_heard_beside_the_prior() -> None:
    """One that looks at a single number of the rotations, and therefore hardly sees a broken pose."""
    weights = np.zeros((22, 189))
    weights[:, 0] = 1.0
    arrays = {
        "critic_W0": weights, "critic_b0": np.zeros(22),
        "critic_odds": np.tile([-9.0, 0.0, 9.0], (22, 1)), "critic_shares": np.array([0.99, 0.5, 0.01]),
    }  # fmt: skip
    found = implausible(load_prior(), made_data(), 40, Plausibility(arrays, "blind"))
    assert list(found["one_joint"]) == ["plausibility", "density", "reconstruction"]
    assert abs(found["one_joint"]["plausibility"] - 0.5) < 0.2 < found["one_joint"]["reconstruction"] - 0.5
