# SPDX-License-Identifier: Apache-2.0
"""The guess of the time that a job still takes; it belongs to the add-on, but knows no bpy."""

from itertools import pairwise

import pytest

from tests.core.addon_modules import addon_module

TimeLeft = addon_module("worker.time_left").TimeLeft


def test_a_steady_job_is_foretold_and_counts_down() -> None:
    guess, shown = TimeLeft(100.0), []
    for tick in range(1, 200):
        guess.note(tick / 200, 100.0 + 0.1 * tick)
        shown.append(guess.seconds(100.0 + 0.1 * tick))
    assert shown[0] is None  # a guess after a tenth of a second would be none
    told = [left for left in shown if left is not None]
    assert told[0] == 20 and told == sorted(told, reverse=True) and told[-1] == 1


def test_it_counts_down_without_news() -> None:
    guess = TimeLeft(0.0)
    guess.note(0.5, 8.0)
    assert [guess.seconds(8.0 + t) for t in (0, 3, 7.5, 60)] == [8, 5, 1, 1]


def test_a_change_of_speed_does_not_make_it_leap() -> None:
    """A tenth is done in 2 s; then the job goes at a fifth of that speed."""
    guess, shown = TimeLeft(0.0), []
    for tick in range(1, 21):
        guess.note(tick / 200, 0.1 * tick)
    for tick in range(1, 201):
        guess.note(0.1 + tick / 1000, 2.0 + 0.1 * tick)
        shown.append(guess.seconds(2.0 + 0.1 * tick))
    assert max(b - a for a, b in pairwise(shown)) <= 5
    assert shown[-1] == pytest.approx(22 * 0.7 / 0.3, abs=10)


def test_long_times_are_told_in_steps() -> None:
    guess = TimeLeft(0.0)
    guess.note(0.1, 10.0)
    assert guess.seconds(10.0) == 90 and guess.seconds(17.0) == 85
    guess = TimeLeft(0.0)
    guess.note(0.1, 100.0)
    assert guess.seconds(103.0) == 900
