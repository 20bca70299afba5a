# SPDX-License-Identifier: Apache-2.0
"""Markers whose labels change hands are followed; those that move fast, cross or vanish keep their names."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.take_faults import with_swaps
from vendor_core.mocap.c3d import read_c3d
from vendor_core.mocap.continuity import continued
from vendor_core.mocap.layouts import gather_markers, map_markers

FRAMES, MARKERS = 120, 10


def dance(seed: int) -> np.ndarray:
    """Markers (F, M, 3) some decimetres apart that swing fast, at 100 Hz."""
    rng, t = np.random.default_rng(seed), np.arange(FRAMES)[:, None, None] / 100
    swing = 0.3 * np.sin(2 * np.pi * rng.uniform(0.2, 1.5, (MARKERS, 3)) * t + rng.uniform(0, 6, (MARKERS, 3)))
    return 0.3 * rng.normal(size=(MARKERS, 3)) + swing + 0.0005 * rng.normal(size=(FRAMES, MARKERS, 3))


@given(st.integers(0, 500), st.integers(1, 40), st.integers(2, 4))
def test_labels_in_circles_for_a_while_are_undone(seed: int, length: int, n: int) -> None:
    points, rng = dance(seed), np.random.default_rng(seed)
    first, some = rng.integers(0, 120 - length), rng.choice(MARKERS, n, replace=False)
    apart = np.linalg.norm(points[:, some][:, :, None] - points[:, some][:, None], axis=-1)
    if apart[:, ~np.eye(n, dtype=bool)].min() < 0.05:
        return
    given = points.copy()
    given[first : first + length, some] = points[first : first + length][:, np.roll(some, 1)]
    order = continued(given, np.ones((FRAMES, MARKERS), dtype=bool))
    assert np.array_equal(np.take_along_axis(given, order[..., None], 1), points)


def test_jumps_gaps_and_crossings_are_no_swaps() -> None:
    points, seen = dance(3), np.ones((FRAMES, MARKERS), dtype=bool)
    points[50, 2] += 10.0
    points[60:62, 3:5] += np.array([[0.5, 0, 0], [0, 0.5, 0]])
    seen[70:80, 5], points[70:80, 5] = False, 0
    t = np.linspace(-0.3, 0.3, FRAMES)
    points[:, 6] = np.stack([t, 0 * t, 0 * t + 0.005], -1)
    points[:, 7] = np.stack([-t, 0 * t, 0 * t], -1)
    assert (continued(points, seen) == np.arange(MARKERS)).all()


@pytest.mark.parametrize("name", ["cmu_02_01", "btk_pig_gait_FlatFoot-Full"])
def test_swaps_in_real_takes(shared_data: Path, name: str) -> None:
    take = read_c3d(shared_data / "c3d" / f"{name}.c3d")
    known = map_markers(take)
    whole = take, np.tile(np.arange(len(known.markers)), (len(take.points), 1))
    for spoilt, truth in (whole, with_swaps(take, known, 0.05, 3), with_swaps(take, known, 0.05, 3, 50)):
        points = gather_markers(spoilt, known)[1].astype(float)
        order = continued(np.nan_to_num(points), np.asarray(np.isfinite(points).all(-1)))
        assert (order != truth).sum() <= (2 if spoilt is not take else 0)  # what comes back swapped from a gap stays so
