# SPDX-License-Identifier: Apache-2.0
"""Lens distortion: the model's inverse, and what has none."""

import numpy as np
import pytest

from vendor_core.ik.lens import undistorted

FOCAL, CENTRE = 900.0, np.array([480.0, 270.0])


def distorted(pixels: np.ndarray, k: np.ndarray) -> np.ndarray:
    x = (pixels - CENTRE) / FOCAL
    r2 = np.sum(x * x, axis=-1, keepdims=True)
    return x * (1 + k[0] * r2 + k[1] * r2**2 + k[2] * r2**3) * FOCAL + CENTRE


@pytest.mark.parametrize("k", [[0, 0, 0], [-0.2, 0.05, 0], [0.3, 0, 0], [-0.1, 0.02, 0.3]])
def test_what_was_distorted_comes_back(rng: np.random.Generator, k: list[float]) -> None:
    pixels = rng.uniform([0, 0], 2 * CENTRE, size=(4, 50, 2))
    pixels[0, 0] = CENTRE
    found = undistorted(distorted(pixels, np.array(k)), FOCAL, CENTRE, np.array(k))
    np.testing.assert_allclose(found, pixels, atol=1e-6)


def test_what_is_not_seen_stays_so_and_what_has_no_inverse_stays_finite() -> None:
    pixels = np.array([[np.nan, np.nan], [1e5, 1e5], [500.0, 300.0]])
    found = undistorted(pixels, FOCAL, CENTRE, np.array([-0.5, 0, 0]))
    assert np.isnan(found[0]).all() and np.isfinite(found[1:]).all()
