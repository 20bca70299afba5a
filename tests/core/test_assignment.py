# SPDX-License-Identifier: Apache-2.0
"""The least cost of an assignment, against all permutations and against disturbed answers."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vendor_core.mocap.assignment import assigned


@given(st.integers(1, 5), st.integers(0, 2), st.integers(0, 10**6), st.booleans())
def test_no_permutation_costs_less(n: int, more: int, seed: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    cost = rng.normal(size=(n, n + more))
    if ties:
        cost = np.round(cost)
    columns = assigned(cost)
    assert len(set(columns.tolist())) == n
    least = min(cost[np.arange(n), list(p)].sum() for p in permutations(range(n + more), n))
    assert np.isclose(cost[np.arange(n), columns].sum(), least)


def test_shuffled_points_find_their_way_back() -> None:
    rng = np.random.default_rng(0)
    p, order = rng.normal(size=(60, 3)), rng.permutation(60)
    cost = np.linalg.norm(p[order][:, None] - (p + 0.01 * rng.normal(size=p.shape))[None], axis=-1)
    assert (assigned(cost) == order).all()
