# SPDX-License-Identifier: Apache-2.0
"""Soles that stand: on stairs, turning on the ball, not on a treadmill; and what a take's summary says of them."""

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.ik.contacts import grounded
from vendor_core.ik.points import place
from vendor_core.ik.state import PoseState
from vendor_core.mocap.layouts import LAYOUTS
from vendor_core.mocap.marker_points import place_markers
from vendor_core.mocap.soles import SOLES, feet_summary, held_soles, sole_points
from vendor_core.rotations import exp_so3

RATE = 60.0
LABELS = LAYOUTS["CMU41"].markers


def _stance_and_swing(n: int, rise: float, stride: float) -> tuple[np.ndarray, np.ndarray]:
    """A foot (60 n, 1, 3) that stands for 0.6 s, goes on and up in 0.4 s, and so on; and when it stands."""
    frame, step = np.arange(60 * n) % 60, np.arange(60 * n) // 60
    s = np.clip((frame - 35) / 24, 0, 1)
    eased = s * s * (3 - 2 * s)
    p = np.stack([stride * (step + eased), 0 * s, rise * (step + eased) + 0.1 * np.sin(np.pi * s)], axis=-1)
    return p[:, None], frame < 36


@pytest.mark.parametrize("rise", [0.0, 0.17, -0.17], ids=["level", "upstairs", "downstairs"])
def test_feet_stand_on_floors_and_stairs(rng: np.random.Generator, rise: float) -> None:
    p, stands = _stance_and_swing(4, rise, 0.5)
    sure, places = grounded(p + 0.0005 * rng.normal(size=p.shape), RATE)
    rests = sure > 0
    assert (rests[:, 0] == stands).mean() > 0.85
    inner = stands & np.roll(stands, 6) & np.roll(stands, -6)
    assert rests[inner, 0].all() and np.abs(places - p)[inner].max() < 0.003


def test_who_turns_on_the_ball_of_the_foot_stands_on_the_ball_alone() -> None:
    angle = np.concatenate([np.zeros(30), np.linspace(0, np.pi, 60), np.full(30, np.pi)])
    ball = np.zeros((120, 3))
    heel = 0.18 * np.stack([np.cos(angle), np.sin(angle), 0.15 * np.sin(angle)], axis=-1)
    sure, _ = grounded(np.stack([heel, ball], axis=1), RATE)
    rests = sure > 0
    assert rests[:, 1].all()
    assert rests[:25, 0].all() and rests[95:, 0].all() and not rests[35:85, 0].any()


@pytest.mark.parametrize("speed", [0.3, 0.6, 1.2], ids="{} m/s".format)
def test_nothing_stands_in_the_world_on_a_treadmill(speed: float) -> None:
    t = np.arange(300) / RATE
    phase = (t % 1.0) / 1.0
    back, forth = phase < 0.6, np.clip((phase - 0.6) / 0.4, 0, 1)
    x = np.where(back, -speed * phase, speed * (-0.6 + 0.6 * forth))
    p = np.stack([x, 0 * t, np.where(back, 0, 0.08 * np.sin(np.pi * forth))], axis=-1)
    assert not grounded(p[:, None], RATE)[0].any()


def test_a_foot_held_up_does_not_stand() -> None:
    t = np.arange(240) / RATE
    up = np.clip(np.minimum(t - 1, 3 - t), 0, 0.3) / 0.3
    sway = 0.02 * np.sin(2 * np.pi * 0.8 * t) * up
    p = np.stack([0.3 * up + sway, sway, 0.35 * up], axis=-1)[:, None]
    rests = grounded(p, RATE)[0][:, 0] > 0
    assert rests[:55].all() and rests[185:].all() and rests[80:160].mean() < 0.2


def test_what_is_not_seen_does_not_stand_and_hides_nothing_else() -> None:
    p = np.zeros((120, 2, 3))
    p[40:60, 0] = np.nan
    sure, places = grounded(p, RATE)
    rests = sure > 0
    assert not rests[40:60, 0].any() and rests[:38, 0].all() and rests[62:, 0].all() and rests[:, 1].all()
    assert np.isfinite(places[rests]).all()


@pytest.mark.parametrize("n", [1, 2, 6])
def test_moments_show_no_standing(n: int) -> None:
    assert not grounded(np.zeros((n, 1, 3)), RATE)[0].any()


def test_holds_begin_and_end_gently() -> None:
    p, _ = _stance_and_swing(3, 0.0, 0.5)
    sure = grounded(p, RATE)[0][:, 0]
    assert sure[0] == 1 and sure[66:90].min() > 0.99
    assert np.abs(np.diff(sure)).max() < 0.7 and np.abs(np.diff(sure)).max() > 0


def test_a_little_noise_changes_a_hold_little(rng: np.random.Generator) -> None:
    p, _ = _stance_and_swing(3, 0.0, 0.5)
    noisy = p + 2e-5 * rng.normal(size=p.shape)
    (sure, places), (sure_too, places_too) = (grounded(x, RATE) for x in (p, noisy))
    assert np.abs(sure - sure_too).max() < 0.02
    held = (sure > 0.01)[..., None] & (sure_too > 0.01)[..., None]
    assert np.abs(np.where(held, places - places_too, 0)).max() < 5e-4


def _standing(n: int, height: float) -> PoseState:
    """A body at rest, Z up, its lowest point so high."""
    upright = exp_so3(np.array([np.pi / 2, 0, 0]))
    R = np.broadcast_to(np.eye(3), (n, 22, 3, 3)).copy()
    R[:, 0] = upright
    lowest, pelvis = float(np.asarray(default_body().v_template)[:, 1].min()), default_body().joints_template[0]
    trans = upright @ np.array([0.0, height - lowest, 0.0]) + upright @ pelvis - pelvis
    return PoseState(R, np.tile(trans, (n, 1)), np.zeros((n, 32)), np.zeros((n, 0)))


def _recorded(state: PoseState) -> np.ndarray:
    points = place_markers(default_body(), LABELS).points
    return place(points, state.on(points.bones))[0]


def test_the_floor_is_where_the_soles_are() -> None:
    soles, state = sole_points(default_body()), _standing(90, 0.3)
    found = feet_summary(soles, state, LABELS, _recorded(state), RATE)
    assert found["foot_slip_mm"] == 0 and abs(found["floor_m"] - 0.3) < 0.005


def test_slip_is_what_the_solved_foot_does_while_its_recorded_markers_stand() -> None:
    soles, state = sole_points(default_body()), _standing(90, 0.0)
    slid = state.changed(trans=state.trans + np.arange(90)[:, None] * np.array([0.003, 0.004, 0]))
    assert feet_summary(soles, slid, LABELS, _recorded(state), RATE)["foot_slip_mm"] == pytest.approx(5, abs=1e-6)
    walked = feet_summary(soles, state, LABELS, _recorded(slid), RATE)  # at 0.3 m/s the markers do not stand
    assert walked == {"foot_slip_mm": None, "floor_m": None}


def test_without_a_foots_markers_nothing_is_said_of_feet() -> None:
    soles, state = sole_points(default_body()), _standing(90, 0.0)
    unseen = np.full((90, len(LABELS), 3), np.nan)
    assert feet_summary(soles, state, LABELS, unseen, RATE) == {"foot_slip_mm": None, "floor_m": None}
    labels = tuple("NONE" for _ in LABELS)
    assert feet_summary(soles, state, labels, _recorded(state), RATE)["floor_m"] is None


def test_soles_are_held_only_where_markers_tell_of_them() -> None:
    soles, state = sole_points(default_body()), _standing(80, 0.0)
    told, solved = np.ones((90, 22), bool), np.delete(np.arange(90), np.arange(30, 40))
    told[60:, [8, 11]] = False
    held = held_soles(soles, state, solved, told, RATE)
    assert np.isfinite(held.targets).all()
    left, right = (SOLES.index(f"{side}_heel") for side in ("left", "right"))
    assert held.confidence[45:, left].min() > 0 and held.confidence[45:60, right].min() > 0
    assert not held.confidence[60:, right].any() and not held.confidence[30:40].any()
