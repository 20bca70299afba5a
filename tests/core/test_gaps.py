# SPDX-License-Identifier: Apache-2.0
"""Gaps of a sequence: short ones are bridged, long ones held, and every frame says which."""

import numpy as np

from tests.core.moving_person import ONE_BY_ONE, N, off, problem_of, smoothing_of, true_markers, true_motion
from vendor_core.ik.gaps import nearest_of, smoothed_with_gaps
from vendor_core.ik.sequence import between
from vendor_core.ik.solver import minimise_in_chunks
from vendor_core.ik.state import PoseState
from vendor_core.motion import BRIDGED, HELD, SOLVED
from vendor_core.rotations import rotation_angle


def _with_gaps(missing: np.ndarray) -> tuple[PoseState, np.ndarray]:
    markers = true_markers(0.001)
    markers[missing] = np.nan
    problem, solved = problem_of(markers), np.setdiff1d(np.arange(N), missing)
    state = minimise_in_chunks(problem.take(solved), true_motion().take(solved), ONE_BY_ONE)[0]
    return smoothed_with_gaps(problem, state, solved, ONE_BY_ONE, smoothing_of(0.001))


def test_short_gaps_are_bridged_near_the_truth() -> None:
    state, status = _with_gaps(np.r_[40:50, 100, 120:140])
    bridged = np.r_[40:50, 100, 120:140]
    assert np.flatnonzero(status == BRIDGED).tolist() == bridged.tolist()
    assert (np.delete(status, bridged) == SOLVED).all()
    assert off(state)[40:50].max() < 0.022 and off(state)[100].max() < 0.01
    assert off(state)[120:140].mean() < 0.03
    turn = rotation_angle(np.swapaxes(state.R_local[:-1], -1, -2) @ state.R_local[1:])
    assert turn.max() < 0.2  # no jump at the edges


def test_long_gaps_and_ends_hold_the_nearest_pose() -> None:
    state, status = _with_gaps(np.r_[0:5, 50:125, 170:181])
    held = np.r_[0:5, 50:125, 170:181]
    assert np.flatnonzero(status == HELD).tolist() == held.tolist()
    for rows, at in ((slice(0, 5), 5), (slice(50, 87), 49), (slice(88, 125), 125), (slice(170, 181), 169)):
        np.testing.assert_array_equal(
            state.R_local[rows], np.broadcast_to(state.R_local[at], state.R_local[rows].shape)
        )
        np.testing.assert_array_equal(state.trans[rows], np.broadcast_to(state.trans[at], state.trans[rows].shape))


def test_a_gap_of_a_second_is_the_longest_that_is_bridged() -> None:
    for length, wanted in ((60, BRIDGED), (61, HELD)):
        missing = np.arange(50, 50 + length)
        assert set(_with_gaps(missing)[1][missing].tolist()) == {wanted}
    assert nearest_of(np.array([2, 7]), 9).tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1]


def test_a_single_solved_frame_is_held_throughout() -> None:
    state, status = _with_gaps(np.setdiff1d(np.arange(N), [90]))
    assert status[90] == SOLVED and (np.delete(status, 90) == HELD).all()
    np.testing.assert_array_equal(state.trans, np.broadcast_to(state.trans[90], state.trans.shape))


def test_between_is_exact_at_its_ends_and_turns_evenly() -> None:
    at = np.array([0, 30, 90])
    ends = true_motion().take(at)
    middle = between(ends, at, np.arange(120))
    np.testing.assert_allclose(middle.R_local[at], ends.R_local, atol=1e-12)
    np.testing.assert_allclose(middle.trans[at], ends.trans, atol=1e-12)
    np.testing.assert_array_equal(middle.trans[90:], np.broadcast_to(middle.trans[90], (30, 3)))
    turn = rotation_angle(np.swapaxes(middle.R_local[:-1], -1, -2) @ middle.R_local[1:])
    np.testing.assert_allclose(turn[:30], np.broadcast_to(turn[0], (30, 22)), atol=1e-6)
