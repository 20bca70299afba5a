# SPDX-License-Identifier: Apache-2.0
"""The measures of the evaluation: what they must not see, and what they must."""

import numpy as np
import pytest

from vendor_core.evaluation.metrics import acceleration_error, auc, joint_error, mean_angle, p_mpjpe
from vendor_core.evaluation.timing import Stopwatch, milliseconds
from vendor_core.rotations import exp_so3


def test_distances_of_joints_are_millimetres(rng: np.random.Generator) -> None:
    truth = rng.normal(size=(6, 22, 3))
    drift = np.arange(6.0)[:, None, None] * 0.01
    assert joint_error(truth + np.array([0.003, 0, 0.004]), truth) == pytest.approx(5)
    assert acceleration_error(truth + drift, truth) == pytest.approx(0, abs=1e-9)
    assert acceleration_error(truth + drift**2, truth) == pytest.approx(0.2 * np.sqrt(3), rel=1e-6)


def test_aligned_error_sees_no_similarity_but_sees_all_else(rng: np.random.Generator) -> None:
    truth = rng.normal(size=(6, 22, 3))
    turned = 1.3 * truth @ exp_so3(rng.normal(size=(6, 3))) + rng.normal(size=(6, 1, 3))
    assert p_mpjpe(turned, truth) == pytest.approx(0, abs=1e-6)
    assert p_mpjpe(truth + rng.normal(size=truth.shape) * 0.01, truth) > 5
    assert p_mpjpe(truth * [-1, 1, 1], truth) > 100  # a mirror image is no turn


def test_angles_are_degrees(rng: np.random.Generator) -> None:
    R = exp_so3(rng.normal(size=(4, 21, 3)))
    assert mean_angle(R, R) == pytest.approx(0, abs=1e-5)
    assert mean_angle(R @ exp_so3(np.array([0, np.radians(30), 0])), R) == pytest.approx(30)


def test_auc_is_the_share_of_pairs_in_the_right_order(rng: np.random.Generator) -> None:
    good, bad = rng.normal(size=300), rng.normal(size=200) + 0.7
    pairs = (good[:, None] < bad).mean()
    assert auc(good, bad) == pytest.approx(pairs)
    assert auc(bad, good) == pytest.approx(1 - pairs)
    assert auc(good, good) == 0.5 and auc(np.zeros(3), np.zeros(5)) == 0.5
    assert auc(good, bad + 100) == 1.0
    assert auc(3 * good - 1, 3 * bad - 1) == auc(good, bad)


def test_durations_are_milliseconds() -> None:
    assert milliseconds([0.001] * 3 + [0.002]) == {"ms_p50": 1.0, "ms_p95": pytest.approx(1.85)}
    watch = Stopwatch()
    for _ in range(2):
        with watch:
            pass
    assert len(watch.seconds) == 2 and min(watch.seconds) >= 0
