# SPDX-License-Identifier: Apache-2.0
"""What users hand to a prior: refused in one line where it is no use, made an array of floats where it can be.

NaN is let through: the maps answer it with NaN in the same row, and on a GPU nothing waits to look for it.
"""

import operator
from typing import Any

import numpy as np
from array_api_compat import is_torch_array

from ..arrays import Array
from ..errors import MotionError, PoiseError, PriorError
from ..skeleton import N_BODY, N_POSE

_POSE = (N_POSE, 3, 3)
_MOST = 10_000_000  # latents in one draw: gigabytes


def checked_poses(R: Array) -> Array:
    """Poses (..., 21, 3, 3), floats.

    Raises:
        MotionError: another shape, or no numbers.
    """
    if type(R) is not np.ndarray or R.dtype.kind != "f":
        R = _floats(R, "poses", MotionError)
    if tuple(R.shape[-3:]) != _POSE:
        raise MotionError(
            f"poses of shape {tuple(R.shape)}; expected rotation matrices (..., {N_POSE}, 3, 3), "
            "which rotations.exp_so3 makes of rotation vectors"
        )
    return R


def checked_latents(z: Array, n: int, name: str) -> Array:
    """Latents (..., n), floats.

    Raises:
        PriorError: another shape, or no numbers.
    """
    if type(z) is not np.ndarray or z.dtype.kind != "f":
        z = _floats(z, "latents", PriorError)
    if not z.ndim or z.shape[-1] != n:
        raise PriorError(f"latents of shape {tuple(z.shape)}; expected (..., {n}) for {name}")
    return z


def checked_joints(joints: Array, seen: Array) -> tuple[Array, Array]:
    """Joints (..., 22, 3), floats, and which of them are seen, (..., 22).

    Raises:
        MotionError: other shapes, or no numbers.
    """
    if type(joints) is not np.ndarray or joints.dtype.kind != "f":
        joints = _floats(joints, "joints", MotionError)
    seen = seen if is_torch_array(seen) else np.asarray(seen)
    if tuple(joints.shape[-2:]) != (N_BODY, 3) or tuple(seen.shape) != tuple(joints.shape[:-1]):
        raise MotionError(
            f"joints of shape {tuple(joints.shape)}, and which are seen of {tuple(seen.shape)}; "
            f"expected (..., {N_BODY}, 3) and (..., {N_BODY})"
        )
    return joints, seen


def checked_draw(n: int, seed: int) -> tuple[int, int]:
    """How many, and the seed.

    Raises:
        PriorError: they are not whole, negative, or more than memory holds.
    """
    try:
        n, seed = operator.index(n), operator.index(seed)
    except TypeError:
        raise PriorError(f"{n!r} samples of the seed {seed!r}; expected whole numbers") from None
    if not 0 <= n <= _MOST or seed < 0:
        raise PriorError(f"{n} samples of the seed {seed}; expected 0 to {_MOST:,}, and a seed of at least 0")
    return n, seed


def checked_amount(amount: float, what: str) -> float:
    """An amount from 0 to 1 to do something by.

    Raises:
        MotionError: it is none.
    """
    if not isinstance(amount, int | float | np.number) or not 0 <= amount <= 1:
        raise MotionError(f"an amount of {amount} to {what} by; expected a number from 0 to 1")
    return float(amount)


def checked_kept(kept: np.ndarray | None) -> np.ndarray:
    """Which of the 21 joints stay, (21,) bool; none where None.

    Raises:
        MotionError: another shape, or neither true nor false.
    """
    array = np.zeros(N_POSE, dtype=bool) if kept is None else np.asarray(kept)
    if array.shape != (N_POSE,) or array.dtype.kind not in "biu":
        raise MotionError(f"joints to keep of shape {array.shape} of {array.dtype}; expected ({N_POSE},) true or false")
    return array.astype(bool)


def _floats(values: Any, what: str, error: type[PoiseError]) -> Array:
    if is_torch_array(values):
        if values.is_floating_point():
            return values
        raise error(f"{what} are a tensor of {values.dtype}; expected floats")
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        array = np.asarray(None)
    if array.dtype.kind not in "fiu":
        kind = type(values).__name__ if array.dtype.kind == "O" else array.dtype
        raise error(f"{what} are of {kind}; expected an array of numbers")
    return array.astype(np.float64)
