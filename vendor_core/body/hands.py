# SPDX-License-Identifier: Apache-2.0
"""Hands for poses whose fingers nobody saw: flat, as bodies rest, and relaxed."""

import numpy as np

_BEND = {  # degrees that each joint of a finger bends in a hand that hangs with no effort in it, from the palm outwards
    "index": (20, 28, 14), "middle": (25, 33, 16), "pinky": (31, 31, 16), "ring": (29, 35, 17),
}  # fmt: skip
_TOWARDS_MIDDLE = {"index": 4, "middle": 0, "pinky": -9, "ring": -4}  # degrees: fingers at rest are spread
_THUMB = np.array([(6.0, 16, 0), (0, 10, -6), (0, 14, -6)])  # degrees of each joint about SMPL's axes


def flat_hands() -> np.ndarray:
    """Rotation vectors (30, 3) of hands that rest flat: zeros."""
    return np.zeros((30, 3))


def relaxed_hands() -> np.ndarray:
    """Rotation vectors (30, 3), radians, of relaxed hands: left index, middle, pinky, ring, thumb, then the right.

    Left fingers rest along +X with the palm down and the thumb in front, so they bend about -Z and close up about Y.
    The right hand is the mirror image in X, for which a rotation vector (x, y, z) becomes (x, -y, -z).
    """
    left = np.zeros((5, 3, 3))
    for finger, name in enumerate(_BEND):
        left[finger, :, 2] = -np.array(_BEND[name])
        left[finger, 0, 1] = _TOWARDS_MIDDLE[name]
    left[4] = _THUMB
    left = np.radians(left.reshape(15, 3))
    return np.concatenate([left, left * (1, -1, -1)])
