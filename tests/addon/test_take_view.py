# SPDX-License-Identifier: Apache-2.0
"""What is shown of a take at a moment: where its markers are between frames and in gaps, and in which colours."""

import bpy
import numpy as np
import pytest
from support import addon
from test_takes import LABELS, make


@pytest.fixture
def take(scene, tmp_path) -> bpy.types.Object:
    return make(tmp_path)


def test_markers_lie_between_frames_where_both_show_them(scene) -> None:
    at = addon("rig.takes.shown").markers_at
    points = np.arange(18, dtype=np.float32).reshape(3, 2, 3)
    points[1, 1] = np.nan
    assert np.allclose(at(points, 0.25)[0], points[0, 0] + 0.25 * (points[1, 0] - points[0, 0]))
    assert np.isnan(at(points, 0.25)[1]).all() and np.isnan(at(points, 1.0)[1]).all()
    for frame in (1.9996, 2.0, 2.0004):  # seconds times rates are never quite whole
        assert np.array_equal(at(points, frame), points[2])
    for outside in (-0.3, 2.2, 1e6, -1e6):
        assert np.isnan(at(points, outside)).all()


def test_colours_say_what_is_known_of_a_marker(take) -> None:
    shown = addon("rig.takes.shown")
    base = shown.base_colours(take)
    take.poise_take.labels[2].marker = ""
    expected = [shown.MAPPED] * len(LABELS)
    expected[2], expected[5] = shown.UNMAPPED, shown.NAMELESS
    assert np.allclose(shown.base_colours(take), expected) and not np.allclose(base[2], shown.UNMAPPED)
    residual = np.array([0.0, 0.02, 0.04, 0.4, np.nan, 0.001])
    colours = shown.marker_colours(base, residual)
    assert np.array_equal(colours[2], colours[3]) and np.array_equal(colours[4], base[4])
    assert not np.allclose(colours[0], base[0])


def test_residual_colours_darken_all_the_way(scene) -> None:
    ramp = addon("rig.takes.shown").ramp(np.linspace(0, 0.04, 30))[:, :3]
    linear = np.where(ramp <= 0.04045, ramp / 12.92, ((ramp + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert np.all(np.diff(luminance) < 0) and luminance[0] > 5 * luminance[-1]


def test_residuals_are_those_of_the_nearest_frame(scene) -> None:
    at = addon("rig.takes.shown").residuals_at
    residuals = np.array([[1.0, 2.0], [3.0, np.nan]], np.float32)
    assert np.array_equal(at(residuals, 0.4, 2), residuals[0])
    assert np.array_equal(at(residuals, 0.6, 2), residuals[1], equal_nan=True)
    for frame, array in ((-1.0, residuals), (2.0, residuals), (0.0, None)):
        assert np.isnan(at(array, frame, 2)).all()
