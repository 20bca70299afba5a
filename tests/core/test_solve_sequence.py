# SPDX-License-Identifier: Apache-2.0
"""Sequences through `solve`: what is locked stays, one person has one shape, pictures are smoothed like places."""

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.errors import TargetError
from vendor_core.ik import Camera, ImageTargets, JointTargets, Solution, Unknowns, solve
from vendor_core.ik.state import explained
from vendor_core.prior import load_prior
from vendor_core.skeleton import BODY_JOINTS


def _joints_of_motion() -> np.ndarray:
    """(40, 22, 3) joints of a motion with 5 mm noise."""
    prior, t = load_prior(), np.linspace(0, 1, 40)[:, None]
    z = prior.sample(2, seed=6)
    state = explained(prior, z[0] + t * (z[1] - z[0]), np.broadcast_to(np.eye(3), (40, 3, 3)))
    joints = default_body().pose(state.R_local).joints[:, :22]
    return joints + np.random.default_rng(2).normal(size=joints.shape) * 0.005


def test_what_is_locked_stays_in_a_sequence() -> None:
    joints, first = _joints_of_motion(), None
    first = solve(default_body(), load_prior(), [JointTargets(BODY_JOINTS, joints[:1])])
    locked = Unknowns(translation=False, locked=("left_elbow", "spine2"))
    found = solve(default_body(), load_prior(), [JointTargets(BODY_JOINTS, joints)], locked, start=first, rate=60.0)
    held = [BODY_JOINTS.index("left_elbow"), BODY_JOINTS.index("spine2")]
    np.testing.assert_allclose(found.R_local[:, held], np.repeat(first.R_local[:, held], 40, axis=0), atol=1e-9)
    np.testing.assert_allclose(found.trans, np.repeat(first.trans, 40, axis=0), atol=1e-12)
    with pytest.raises(TargetError, match="expected both free"):
        solve(default_body(), load_prior(), [JointTargets(BODY_JOINTS, joints)], Unknowns(residual=False), rate=60.0)


def test_what_is_locked_stays_where_nothing_is_seen() -> None:
    joints = _joints_of_motion()
    first = solve(default_body(), load_prior(), [JointTargets(BODY_JOINTS, joints)])
    joints[10:20] = np.nan  # frames
    joints[25:32, [BODY_JOINTS.index("left_elbow"), BODY_JOINTS.index("left_wrist")]] = np.nan
    targets, locked = [JointTargets(BODY_JOINTS, joints)], Unknowns(locked=("left_elbow",))
    found = solve(default_body(), load_prior(), targets, locked, start=first, rate=60.0)
    elbow, seen = BODY_JOINTS.index("left_elbow"), np.r_[0:10, 20:40]
    np.testing.assert_allclose(found.R_local[seen, elbow], first.R_local[seen, elbow], atol=1e-9)


def test_a_great_weight_leaves_the_others_smooth() -> None:
    joints, weights = _joints_of_motion(), np.ones((40, 22))
    weights[20, 3] = 1e9
    usual, heavy = (
        solve(default_body(), load_prior(), [JointTargets(BODY_JOINTS, joints, w)], rate=60.0) for w in (None, weights)
    )
    assert _shake(heavy) < 2 * _shake(usual)


def test_a_sequence_has_one_shape() -> None:
    targets = [JointTargets(BODY_JOINTS, _joints_of_motion())]
    found = solve(default_body(), load_prior(), targets, Unknowns(betas=True), rate=60.0)
    assert found.betas.shape == (40, 10) and np.ptp(found.betas, axis=0).max() == 0


def test_a_sequence_of_pictures_is_smoothed_too() -> None:
    """Noise is told in sigmas, whatever the kind of target."""
    camera = Camera(np.full(2, 1000.0), np.full(2, 500.0), np.diag([1.0, -1.0, -1.0]), np.array([0, 0, 4.0]))
    pixels = camera.project(_joints_of_motion()) + np.random.default_rng(3).normal(size=(40, 22, 2)) * 5
    targets = [ImageTargets(BODY_JOINTS, pixels, camera)]
    each, together = (solve(default_body(), load_prior(), targets, rate=rate) for rate in (None, 60.0))
    assert _shake(together) < 0.3 * _shake(each)


@pytest.mark.parametrize("rate", [None, 60.0])
@pytest.mark.parametrize("robust", [None, 5.0])
def test_progress_only_grows_and_ends_at_one(rate: float | None, robust: float | None) -> None:
    joints = np.tile(_joints_of_motion(), (4, 1, 1))
    joints[-5:] = np.nan
    fractions: list[float] = []
    targets = [JointTargets(BODY_JOINTS, joints)]
    solve(default_body(), load_prior(), targets, robust=robust, rate=rate, report=fractions.append)
    assert len(fractions) > 2 and fractions[-1] == 1.0
    assert np.all(np.diff(fractions) >= 0) and fractions[0] > 0


def _shake(solution: Solution) -> float:
    """Mean acceleration of the joints, metres per frame squared."""
    joints = default_body().pose(solution.R_local, solution.trans).joints[:, :22]
    return float(np.linalg.norm(np.diff(joints, n=2, axis=0), axis=-1).mean())
