# SPDX-License-Identifier: Apache-2.0
"""Limbs that nobody sees for a while move as they did when the rest of the body did alike."""

from pathlib import Path

import numpy as np
import pytest

from recipes.take_faults import without_limb
from vendor_core.body import default_body
from vendor_core.evaluation.metrics import joint_error
from vendor_core.ik.remembered import remembered
from vendor_core.mocap.c3d import read_c3d
from vendor_core.mocap.layouts import map_markers
from vendor_core.mocap.solve_take import TakeOptions, solve_take
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3, rotation_angle
from vendor_core.skeleton import BODY_JOINTS, JOINT_GROUPS, N_BODY

RATE = 60.0
LEG = [BODY_JOINTS.index(name) for name in JOINT_GROUPS["left_leg"]]
HIDDEN = slice(150, 210)


def walk(n: int = 360) -> np.ndarray:
    """(F, 22, 3, 3): arms and legs swing, left and right by turns, a little differently each time; straight on."""
    t = np.arange(n) / RATE
    phase = 2 * np.pi * (0.9 * t + 0.03 * np.sin(1.7 * t))
    w = np.zeros((n, N_BODY, 3))
    for name, angle, shift in (("hip", 0.5, 0.0), ("knee", 0.6, 1.0), ("ankle", 0.2, 2.0), ("shoulder", -0.4, 0.0)):
        for side, half in (("left", 0.0), ("right", np.pi)):
            w[:, BODY_JOINTS.index(f"{side}_{name}"), 0] = angle * np.sin(phase + shift + half)
    w[:, 0, 0] = np.pi / 2
    return exp_so3(w)


def told_but(run: slice, n: int = 360) -> np.ndarray:
    told = np.ones((n, N_BODY), dtype=bool)
    told[run, LEG] = False
    return told


def worst(found: np.ndarray, truth: np.ndarray) -> float:
    """Degrees."""
    return float(np.degrees(rotation_angle(np.swapaxes(found, -1, -2) @ truth).max()))


def test_a_leg_goes_on_walking() -> None:
    R = walk()
    turns = remembered(R, told_but(HIDDEN), RATE)
    assert turns is not None
    np.testing.assert_array_equal(turns.confidence > 0, ~told_but(HIDDEN))
    assert worst(turns.targets[HIDDEN, LEG], R[HIDDEN, LEG]) < 3
    at = np.linspace(0, 1, HIDDEN.stop - HIDDEN.start)[:, None, None, None]
    straight = (1 - at) * R[HIDDEN.start - 1, LEG] + at * R[HIDDEN.stop, LEG]
    assert worst(straight, R[HIDDEN, LEG]) > 20  # the test means something


def test_what_is_hidden_does_not_matter() -> None:
    R, spoilt = walk(), walk()
    spoilt[HIDDEN, LEG] = exp_so3(np.random.default_rng(0).normal(size=(60, 4, 3)))
    a, b = (remembered(x, told_but(HIDDEN), RATE) for x in (R, spoilt))
    assert a is not None and b is not None
    np.testing.assert_allclose(a.targets[HIDDEN, LEG], b.targets[HIDDEN, LEG], atol=1e-9)


def test_half_a_cycle_and_its_mirror_image_tell_of_all_others() -> None:
    R, run = walk(), slice(36, 360)
    turns = remembered(R, told_but(run), RATE)
    assert turns is not None
    assert worst(turns.targets[run, LEG], R[run, LEG]) < 6


def test_it_does_not_matter_which_way_a_body_goes() -> None:
    R = walk()
    turned = R.copy()
    turned[:, 0] = exp_so3(np.array([0.0, 0, 2.0])) @ turned[:, 0]
    a, b = (remembered(x, told_but(HIDDEN), RATE) for x in (R, turned))
    assert a is not None and b is not None
    np.testing.assert_allclose(a.targets[HIDDEN, LEG], b.targets[HIDDEN, LEG], atol=1e-9)


def test_a_limb_meets_what_is_seen_before_and_after() -> None:
    R = walk()
    R[HIDDEN.stop :, LEG[0]] = R[HIDDEN.stop :, LEG[0]] @ exp_so3(
        np.array([0.3, 0, 0])
    )  # something has changed meanwhile
    turns = remembered(R, told_but(HIDDEN), RATE)
    assert turns is not None
    usual = worst(R[1:, LEG], R[:-1, LEG])
    for frame in (HIDDEN.start, HIDDEN.stop):
        step = np.where(turns.confidence[..., None, None] > 0, turns.targets, R)[[frame - 1, frame]][:, LEG]
        assert worst(step[1], step[0]) < 2 * min(usual, 8)


@pytest.mark.parametrize(
    "told", [np.ones((40, N_BODY), bool), np.zeros((40, N_BODY), bool), told_but(slice(0, 40), 40)]
)
def test_nothing_is_remembered_where_nothing_is_hidden_or_never_seen(told: np.ndarray) -> None:
    assert remembered(walk(40), told, RATE) is None


def test_moments_are_left_to_the_evenness_of_motion() -> None:
    assert remembered(walk(), told_but(slice(100, 104)), RATE) is None


@pytest.mark.parametrize("limb", ["left leg", "right arm"])
def test_a_limb_of_a_real_take_unseen_for_a_second_is_near_where_it_was(shared_data: Path, limb: str) -> None:
    take, body, joints = read_c3d(shared_data / "c3d" / "cmu_02_01.c3d"), default_body(), {}
    rows, first = slice(28, 58), 112  # at 30 Hz, and the frame of the take
    hidden, _ = without_limb(take, map_markers(take), limb, first, 120)
    for name, given in (("whole", take), ("hidden", hidden)):
        motion = solve_take(given, body, load_prior(), TakeOptions(fps=30), lambda fraction, text: None).motion
        R, betas = exp_so3(motion.poses[:, :N_BODY]), np.broadcast_to(motion.betas, (len(motion), len(motion.betas)))
        joints[name] = body.pose(R, motion.trans, betas).joints[rows]
    ends = ("knee", "ankle") if "leg" in limb else ("elbow", "wrist")
    rows_of = [BODY_JOINTS.index(f"{limb.split()[0]}_{name}") for name in ends]
    assert joint_error(joints["hidden"][:, rows_of], joints["whole"][:, rows_of]) < 60
