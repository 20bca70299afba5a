# SPDX-License-Identifier: Apache-2.0
"""Fewer keys: never further off than is allowed, keys where they must be, slopes that hardly jump elsewhere."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vendor_core.motion.reduce import Errors, FewerKeys, cubic, reduce_keys


def within(x: np.ndarray, allowed: float) -> Errors:
    """No number off by more than is allowed."""
    return lambda first, found: np.abs(found - x[first : first + len(found)]).max(axis=1) / allowed


def curve(times: np.ndarray, x: np.ndarray, keys: FewerKeys) -> np.ndarray:
    """The motion that keys make, at all times."""
    found = x.copy()
    for k, (i, j) in enumerate(pairwise(keys.samples.tolist())):
        found[i : j + 1] = cubic(times[i : j + 1], x[i], x[j], keys.after[k], keys.before[k + 1])
    return found


def reduced(times: np.ndarray, x: np.ndarray, allowed: float, must: tuple[int, ...] = ()) -> FewerKeys:
    needed = np.zeros(len(times), dtype=bool)
    needed[list(must)] = True
    return reduce_keys(times, x, needed, within(x, allowed))


@settings(max_examples=80)
@given(
    st.integers(0, 1000), st.integers(2, 60), st.floats(1e-3, 3), st.booleans(), st.sets(st.integers(0, 59), max_size=5)
)
def test_nothing_is_further_off_than_is_allowed(
    seed: int, n: int, allowed: float, uneven: bool, must: set[int]
) -> None:
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.2, 2, n)) if uneven else np.arange(float(n))
    x = np.cumsum(rng.standard_normal((n, 3)), axis=0)
    needed = tuple(i for i in must if i < n)
    keys = reduced(times, x, allowed, needed)
    assert np.abs(curve(times, x, keys) - x).max() <= allowed * (1 + 1e-9)
    assert {0, n - 1, *needed} <= set(keys.samples.tolist())
    assert np.all(np.diff(keys.samples) > 0)
    assert keys.before.shape == keys.after.shape == (len(keys.samples), 3)


def test_a_cubic_needs_its_ends_alone() -> None:
    times = np.array([0.0, 1.0, 2.5, 3.0, 4.0, 7.0])
    x = np.stack([2 * times - 0.5 * times**2 + 0.1 * times**3, 3 - times], axis=1)
    keys = reduced(times, x, 0.02)
    np.testing.assert_array_equal(keys.samples, [0, 5])
    np.testing.assert_allclose(keys.after[0], [2, -1], atol=0.02)


def test_slopes_do_not_jump_where_they_need_not() -> None:
    times = np.arange(100.0)
    x = np.stack([np.sin(times / 8), np.cos(times / 11)], axis=1)
    keys = reduced(times, x, 0.02)
    assert len(keys.samples) < 15
    slope = np.stack([np.cos(times / 8) / 8, -np.sin(times / 11) / 11], axis=1)[keys.samples]
    assert np.abs(keys.after - keys.before).max() < 0.02
    assert np.abs(keys.after - slope).max() < 0.05


def test_slopes_jump_at_a_key_where_the_motion_does() -> None:
    times = np.arange(41.0)
    x = np.abs(times - 20)[:, None]
    keys = reduced(times, x, 1e-3, must=(20,))
    np.testing.assert_array_equal(keys.samples, [0, 20, 40])
    np.testing.assert_allclose([keys.before[1, 0], keys.after[1, 0]], [-1, 1], atol=1e-3)


@pytest.mark.parametrize("n", [2, 3])
def test_a_motion_of_hardly_any_samples(n: int) -> None:
    times, x = np.arange(float(n)), np.eye(n)
    keys = reduced(times, x, 1e-9)
    np.testing.assert_allclose(curve(times, x, keys), x, atol=1e-9)


def test_a_larger_error_allowed_never_takes_many_more_keys(rng: np.random.Generator) -> None:
    times, x = np.arange(200.0), np.cumsum(rng.standard_normal((200, 4)), axis=0)
    counts = [len(reduced(times, x, allowed).samples) for allowed in (0.5, 1, 2, 4, 8, 1e3)]
    assert counts[-1] == 2 and counts[0] > 3 * counts[3]
    assert all(b <= a for a, b in pairwise(counts))
