# SPDX-License-Identifier: Apache-2.0
"""What of a part that is solved again is new, and what is said of it."""

import json
import warnings
from types import SimpleNamespace

import bpy
import numpy as np
from support import addon
from test_mocap import known  # noqa: F401
from test_take_mend import RATE, residuals, solved, solved_file  # noqa: F401


def test_most_of_a_short_part_is_new_and_long_ones_have_longer_seams(scene) -> None:
    part = addon("rig.takes.range_keys").Part
    for rate in (60.0, 120.0, 240.0):
        for seconds, least in ((0.3, 0.65), (0.6, 0.65), (1.5, 0.75)):
            n = round(seconds * rate)
            of = part(np.tile(np.eye(3), (n + 1, 55, 1, 1)), np.zeros((n + 1, 3)), 100, rate, False, False)
            weights = of.weights(100 + np.arange(n + 1))
            assert weights[0] == weights[-1] == 0 and np.all(np.diff(weights[: n // 2]) >= 0)
            assert (weights == 1).mean() >= least, (rate, seconds)
            assert (weights < 1).sum() <= 2 * 0.15 * rate + 2  # keys of the seams
    few = part(np.tile(np.eye(3), (3, 55, 1, 1)), np.zeros((3, 3)), 0, 120.0, False, False)
    assert few.weights(np.arange(3)).tolist() == [0, 1, 0]


def test_a_part_in_which_nothing_is_seen_says_so(solved) -> None:  # noqa: F811
    arrays, old = addon("rig.takes.arrays"), residuals(solved).copy()
    old[20:30] = np.nan
    arrays.put_residuals(solved, old)
    answer = {"labels": [], "rate": RATE, "calibration": json.loads(solved.poise_take.calibration)}
    message = SimpleNamespace(data=answer, arrays={"residual": np.empty((10, 0), np.float32)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = addon("rig.takes.mended").note_part(solved, bpy.context.scene, 20, 29, message)
    assert found == (None, None)
