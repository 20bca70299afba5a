# SPDX-License-Identifier: Apache-2.0
"""Radial lens distortion taken out of pixels: the polynomial model of Brown and Conrady, as Blender's tracker has it.

`x_d = x (1 + k1 r^2 + k2 r^4 + k3 r^6)`, x from the principal point in focal lengths, r its length.
"""

import numpy as np

_ROUNDS = 30
_ENOUGH = 1e-10  # focal lengths


def undistorted(pixels: np.ndarray, focal: float, centre: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Where a pinhole would see what a lens shows at pixels: the model's inverse along each ray, by Newton's method.

    Args:
        pixels: (..., 2), any origin; NaN stays NaN.
        focal: pixels.
        centre: (2,) the principal point, pixels.
        k: (3,) coefficients.

    Returns:
        (..., 2) pixels; where the model has no inverse, as far out a point as it reaches.
    """
    x = (np.asarray(pixels, np.float64) - centre) / focal
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    r = length.copy()
    for _ in range(_ROUNDS):
        r2 = r * r
        value = r * (1 + r2 * (k[0] + r2 * (k[1] + r2 * k[2])))
        slope = 1 + r2 * (3 * k[0] + r2 * (5 * k[1] + r2 * 7 * k[2]))
        step = np.where(slope > 0.05, (length - value) / np.maximum(slope, 0.05), 0.0)
        r = r + step
        if not np.nanmax(np.abs(step), initial=0.0) > _ENOUGH:
            break
    return x * np.where(length > 0, r / np.where(length > 0, length, 1.0), 1.0) * focal + centre
