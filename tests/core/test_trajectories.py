# SPDX-License-Identifier: Apache-2.0
"""Nameless trajectories: repeated ones are found, parts of one marker never overlap, and all are looked at."""

import numpy as np

from vendor_core.mocap.trajectories import first_of_each, frames_to_look_at, gathered, handed_out


def test_a_trajectory_that_is_written_twice_is_one(rng: np.random.Generator) -> None:
    p, seen = rng.normal(size=(40, 6, 3)), np.ones((40, 6), dtype=bool)
    p[:, 4] = p[:, 1]
    p[:20, 5], p[20:, 5] = p[:20, 1], p[20:, 0]  # in places only
    assert first_of_each(p, seen).tolist() == [0, 1, 2, 3, 1, 5]
    seen[:, 4] = False
    assert first_of_each(p, seen).tolist() == [0, 1, 2, 3, 4, 5]


def test_parts_of_a_marker_are_put_together_and_never_seen_at_once() -> None:
    seen = np.zeros((30, 4), dtype=bool)
    seen[:10, 0], seen[10:, 1], seen[5:20, 2], seen[:, 3] = True, True, True, True
    votes = np.array([[3.0, 0.0], [5.0, 0.0], [4.0, 1.0], [0.2, 6.0]])
    found = handed_out(votes, np.ones(4), seen)
    assert found.tolist() == [0, 0, -1, 1]  # the third is seen together with parts of both
    labelled, there = gathered(np.tile(np.arange(4.0)[None, :, None], (30, 1, 3)), seen, found, 2)
    assert (
        there.all() and (labelled[:10, 0] == 0).all() and (labelled[10:, 0] == 1).all() and (labelled[:, 1] == 3).all()
    )


def test_what_too_little_speaks_for_is_none() -> None:
    seen = np.ones((5, 2), dtype=bool)
    assert handed_out(np.array([[2.0, 0.9], [0.9, 0.9]]), np.ones(2), seen).tolist() == [0, -1]


def test_every_trajectory_is_looked_at(rng: np.random.Generator) -> None:
    seen = np.zeros((5000, 60), dtype=bool)
    seen[:, 0] = True
    for column, first in enumerate(rng.integers(0, 4900, 59), start=1):
        seen[first : first + 30, column] = True
    frames = frames_to_look_at(seen, 50)
    assert seen[frames].any(0).all() and len(frames) < 50 + 59
    seen[100:4000] = False
    assert not set(range(100, 4000)) & set(frames_to_look_at(seen, 50).tolist())
