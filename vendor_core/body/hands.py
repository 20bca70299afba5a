# SPDX-License-Identifier: Apache-2.0
"""Hands for poses whose fingers nobody saw: flat, as bodies rest, and relaxed."""

import numpy as np

_DEGREES = {  # bend of the three joints of each finger, from the palm outwards, as a hand hangs with no effort in it
    "index": (14, 22, 12), "middle": (18, 26, 14), "pinky": (24, 26, 14), "ring": (21, 28, 15),
}  # fmt: skip
_THUMB = np.radians([(8, 12, 4), (0, 8, 4), (0, 14, 6)])  # per joint, about SMPL's axes, left hand


def flat_hands() -> np.ndarray:
    """Rotation vectors (30, 3) of hands that rest flat: zeros."""
    return np.zeros((30, 3))


def relaxed_hands() -> np.ndarray:
    """Rotation vectors (30, 3), radians, of relaxed hands: left index, middle, pinky, ring, thumb, then the right.

    Left fingers rest along +X with the palm down, so they bend about -Z; the right hand is the mirror image in X, for
    which a rotation vector (x, y, z) becomes (x, -y, -z).
    """
    left = np.zeros((5, 3, 3))
    for finger, name in enumerate(("index", "middle", "pinky", "ring")):
        left[finger, :, 2] = -np.radians(_DEGREES[name])
    left[4] = _THUMB * (1, -1, -1)
    left = left.reshape(15, 3)
    return np.concatenate([left, left * (1, -1, -1)])
