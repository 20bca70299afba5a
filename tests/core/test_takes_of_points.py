# SPDX-License-Identifier: Apache-2.0
"""Takes made of arrays: unseen and damaged points are unseen; what is no take is refused in a line."""

from pathlib import Path

import numpy as np
import pytest

from tests.core.c3d_writer import c3d_bytes
from vendor_core.errors import C3DError
from vendor_core.mocap import read_take, take_of_points


def test_it_is_the_take_that_a_file_of_the_same_points_gives(tmp_path: Path, rng: np.random.Generator) -> None:
    points = rng.normal(size=(7, 3, 3))
    points[2, 1] = np.nan
    path = tmp_path / "take.c3d"
    path.write_bytes(c3d_bytes(1e3 * points, ["A", "B", "C"], rate=50.0))
    read, made = read_take(path), take_of_points(points, ["A", "B", "C"], 50.0)
    np.testing.assert_allclose(made.points, read.points, atol=1e-6)
    np.testing.assert_array_equal(made.visible, read.visible)
    assert (made.labels, made.rate, made.up_axis) == (read.labels, read.rate, read.up_axis)
    np.testing.assert_array_equal(made.markers(), read.markers())


def test_what_is_nowhere_is_unseen_and_the_users_array_stays(rng: np.random.Generator) -> None:
    points = rng.normal(size=(4, 2, 3))
    points[0, 0, 0], points[1, 1, 2] = np.inf, 1e9
    given = points.copy()
    take = take_of_points(points, ["A", "B"], 30)
    np.testing.assert_array_equal(take.visible, [[False, True], [True, False], [True, True], [True, True]])
    assert np.isnan(take.points[0, 0]).all() and np.isnan(take.points[1, 1]).all()
    np.testing.assert_array_equal(points, given)


@pytest.mark.parametrize(
    ("points", "labels", "rate", "up", "said"),
    [
        (np.zeros((4, 2, 3)), ["A"], 30.0, "Z", r"expected \(frames, 1, 3\)"),
        (np.zeros((4, 6)), ["A", "B"], 30.0, "Z", r"\(4, 6\)"),
        (np.zeros((0, 2, 3)), ["A", "B"], 30.0, "Z", "points of shape"),
        (np.zeros((4, 2, 3)), ["A", "A"], 30.0, "Z", 'called "A"'),
        (np.zeros((4, 2, 3)), ["A", "B"], 0.0, "Z", "positive rate"),
        (np.zeros((4, 2, 3)), ["A", "B"], np.nan, "Z", "positive rate"),
        (np.zeros((4, 2, 3)), ["A", "B"], 30.0, "up", "X, Y or Z"),
        ([[[0, 0, 0]], [[0, 0]]], ["A"], 30.0, "Z", "no array of numbers"),
        ([[["a", "b", "c"]]], ["A"], 30.0, "Z", "no array of numbers"),
    ],
)
def test_what_is_no_take_is_refused(points: object, labels: list[str], rate: float, up: str, said: str) -> None:
    with pytest.raises(C3DError, match=said) as problem:
        take_of_points(points, labels, rate, up)  # type: ignore[arg-type]
    assert "\n" not in str(problem.value)
