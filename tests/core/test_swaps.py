# SPDX-License-Identifier: Apache-2.0
"""Swapped labels find their markers again; noise, ghosts and gaps are left as they are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vendor_core.mocap.swaps import unswapped

FRAMES, MARKERS = 12, 30


def scene(seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    places = 0.2 * rng.permutation(np.stack(np.meshgrid(*[np.arange(4.0)] * 3), -1).reshape(-1, 3))[:MARKERS]
    places = places + 0.01 * rng.standard_normal((FRAMES, MARKERS, 3))
    return places, places + 0.005 * rng.standard_normal(places.shape), rng


@given(st.integers(0, 1000), st.integers(2, 8))
def test_shuffled_labels_are_undone(seed: int, n: int) -> None:
    places, points, rng = scene(seed)
    shuffled = np.tile(np.arange(MARKERS), (FRAMES, 1))
    for row in shuffled:
        some = rng.choice(MARKERS, n, replace=False)
        row[some] = row[rng.permutation(some)]
    given = np.take_along_axis(points, shuffled[..., None], 1)
    order = unswapped(places, given, np.ones((FRAMES, MARKERS), dtype=bool))
    assert np.array_equal(np.take_along_axis(given, order[..., None], 1), points)


def test_a_point_may_go_to_a_marker_that_is_unseen() -> None:
    places, points, _ = scene(0)
    seen = np.ones((FRAMES, MARKERS), dtype=bool)
    points[3, 7], seen[3, 9] = points[3, 9], False
    order = unswapped(places, points, seen)
    assert order[3, 9] == 7 and not seen[3, order[3, 7]]
    assert (np.delete(order, 3, 0) == np.arange(MARKERS)).all() and (np.delete(order[3], [7, 9]) >= 0).all()


def test_points_that_lost_their_label_find_it() -> None:
    places, points, _ = scene(2)
    stray = np.stack([points[:, 4], points[:, 8] + 1.0], axis=1)  # one is a marker's, one a ghost
    seen = np.ones((FRAMES, MARKERS + 2), dtype=bool)
    seen[5:, 4], seen[:5, MARKERS] = False, False
    points[5:, 4] = 0
    order = unswapped(places, np.concatenate([points, stray], axis=1), seen)
    assert (order[:5] == np.arange(MARKERS)).all() and (order[5:, 4] == MARKERS).all()
    assert (np.delete(order[5:], 4, 1) == np.delete(np.arange(MARKERS), 4)).all()


def test_ghosts_and_gaps_stay() -> None:
    places, points, _ = scene(1)
    seen = np.ones((FRAMES, MARKERS), dtype=bool)
    points[2, 5] += 10.0
    seen[4, 4], points[4, 4] = False, 0.0
    assert (unswapped(places, points, seen) == np.arange(MARKERS)).all()
