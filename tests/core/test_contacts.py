# SPDX-License-Identifier: Apache-2.0
"""Feet that rest: when they are found to, where they are held, and that denoising leaves them there."""

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.ik.contacts import resting
from vendor_core.ik.denoise import denoise
from vendor_core.prior import load_prior
from vendor_core.prior.plausibility import load_plausibility
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import BODY_JOINTS

RATE = 30.0
FEET = [BODY_JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("ankle", "foot")]
LEGS = [BODY_JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("hip", "knee", "ankle", "foot")]


def _steps(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A foot (150, 1, 3) that stands for a second, goes on by 0.7 m in half a second, and so on; and when it stands."""
    phase = np.arange(150) % 45
    stands = phase < 30
    s = np.clip((phase - 29) / 16, 0, 1)
    along = 0.7 * (np.arange(150) // 45 + s * s * (3 - 2 * s))
    p = np.stack([along, 0 * along, 0.15 * np.sin(np.pi * s)], axis=-1)
    return (p + 0.01 * rng.normal(size=p.shape))[:, None], stands


def test_a_foot_that_steps_rests_in_between_at_one_place(rng: np.random.Generator) -> None:
    p, stands = _steps(rng)
    rests, places = resting(p, RATE)
    assert (rests[:, 0] == stands).mean() > 0.85
    inner = stands & np.roll(stands, 4) & np.roll(stands, -4)
    assert rests[inner, 0].all()
    for first in (0, 45, 90):
        run = places[first + 4 : first + 26, 0]
        assert np.ptp(run, axis=0).max() == 0 and np.linalg.norm(run[0] - [0.7 * first / 45, 0, 0]) < 0.02
    np.testing.assert_array_equal(places[~rests], p[~rests])


def test_a_foot_that_creeps_is_held_where_it_goes() -> None:
    t = np.arange(120) / RATE
    p = np.stack([0.1 * t, 0 * t, 0 * t], axis=-1)[:, None]
    rests, places = resting(p, RATE)
    assert rests.all() and np.abs(places - p)[20:-20].max() < 0.01


@pytest.mark.parametrize("n", [1, 2, 5])
def test_moments_are_no_rest(n: int) -> None:
    rests, places = resting(np.ones((n, 2, 3)), 60.0)
    assert not rests.any() and places.shape == (n, 2, 3)


def test_a_swinging_foot_does_not_rest() -> None:
    t = np.arange(90) / RATE
    rests, _ = resting(np.stack([0.5 * np.sin(6 * t), 0 * t, 0 * t], axis=-1)[:, None], RATE)
    assert rests.mean() < 0.25


def test_feet_stay_where_they_stand(rng: np.random.Generator) -> None:
    """A person who stands and waves, with jitter of 2 degrees in every joint, which moves the feet by centimetres."""
    prior, t = load_prior(), np.linspace(0, 2 * np.pi, 90)[:, None]
    a, b = prior.sample(2, seed=6)
    R = np.concatenate([np.broadcast_to(np.eye(3), (90, 1, 3, 3)), prior.decode(0.3 * a + 0.5 * np.sin(t) * b)], axis=1)
    R[:, LEGS] = R[0, LEGS]
    noisy = R @ exp_so3(np.radians(2) * rng.normal(size=(90, 22, 3)))
    trans = np.array([0, 1.0, 0]) + 0.005 * rng.normal(size=(90, 3))
    body = default_body()

    def feet(R: np.ndarray, trans: np.ndarray) -> np.ndarray:
        return body.pose(R, trans).joints[:, FEET]

    truth, before = feet(R, np.tile([0, 1.0, 0], (90, 1))), feet(noisy, trans)
    after = feet(*denoise(body, prior, load_plausibility(), noisy, trans, RATE))
    slides = [np.linalg.norm(np.diff(p, axis=0), axis=-1).mean() * RATE for p in (before, after)]
    assert slides[1] < 0.05 * slides[0] and slides[1] < 0.1
    assert np.linalg.norm(after - truth, axis=-1).max() < 0.04
