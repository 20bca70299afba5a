# SPDX-License-Identifier: Apache-2.0
"""Hands for poses whose fingers nobody saw: flat, as bodies rest, relaxed, a fist, or pointing.

Left fingers rest along +X with the palm down and the thumb in front, so they bend about -Z and close up about Y. The
right hand is the mirror image in X, for which a rotation vector (x, y, z) becomes (x, -y, -z).
"""

from typing import Literal

import numpy as np

from ..rotations import exp_so3, log_so3

HandPreset = Literal["flat", "relaxed", "fist", "point"]

_FINGERS = ("index", "middle", "pinky", "ring")  # SMPL-X's order; the thumb comes last


_BEND = {  # degrees that each joint of a finger bends in a hand that hangs with no effort in it, from the palm outwards
    "index": (20, 28, 14), "middle": (25, 33, 16), "pinky": (31, 31, 16), "ring": (29, 35, 17),
}  # fmt: skip
_TOWARDS_MIDDLE = {"index": 4, "middle": 0, "pinky": -9, "ring": -4}  # degrees: fingers at rest are spread
_THUMB = np.array([(6.0, 16, 0), (0, 10, -6), (0, 14, -6)])  # degrees of each joint about SMPL's axes

_SPREAD = {"index": 5.0, "middle": -5.0, "pinky": -16.5, "ring": -11.5}  # degrees from +X to +Z, of fingers at rest
_FIST_BEND = {"index": (72, 98, 55), "middle": (78, 100, 58), "pinky": (84, 92, 58), "ring": (82, 99, 58)}
_FIST_SPREAD = {"index": 0.0, "middle": -4.0, "pinky": -11.0, "ring": -8.0}
_POINTING = (4, 5, 3)
_FIST_THUMB = np.array([(13.0, 40, -6), (2, 3, 0), (33, 50, 6)])  # across the fingers


def preset_hands(preset: HandPreset) -> np.ndarray:
    """Rotation vectors (30, 3), radians, of both hands: left index, middle, pinky, ring, thumb, then the right."""
    if preset == "flat":
        return flat_hands()
    if preset == "relaxed":
        return relaxed_hands()
    return _fist(_FIST_BEND if preset == "fist" else _FIST_BEND | {"index": _POINTING})


def flat_hands() -> np.ndarray:
    """Rotation vectors (30, 3) of hands that rest flat: zeros."""
    return np.zeros((30, 3))


def relaxed_hands() -> np.ndarray:
    """Rotation vectors (30, 3), radians, of relaxed hands."""
    left = np.zeros((5, 3, 3))
    for finger, name in enumerate(_FINGERS):
        left[finger, :, 2] = -np.array(_BEND[name])
        left[finger, 0, 1] = _TOWARDS_MIDDLE[name]
    left[4] = _THUMB
    return _with_right(np.radians(left))


def _fist(bend: dict[str, tuple[int, int, int]]) -> np.ndarray:
    """Rotation vectors (30, 3), radians, of fingers that bend far: each in the plane of its own direction at rest."""
    left = np.zeros((5, 3, 3))
    for finger, name in enumerate(_FINGERS):
        spread = np.radians(_SPREAD[name])
        axis = np.array([np.sin(spread), 0, -np.cos(spread)])
        left[finger] = np.radians(bend[name])[:, None] * axis
        closing = np.array([0, spread - np.radians(_FIST_SPREAD[name]), 0])
        left[finger, 0] = log_so3(exp_so3(closing) @ exp_so3(left[finger, 0]))
    left[4] = np.radians(_FIST_THUMB)
    return _with_right(left)


def _with_right(left: np.ndarray) -> np.ndarray:
    left = left.reshape(15, 3)
    return np.concatenate([left, left * (1, -1, -1)])
