# SPDX-License-Identifier: Apache-2.0
"""What users hand to the solver, as arrays: refused in one line where it is no use."""

import numpy as np

from ..arrays import FARTHEST
from ..errors import TargetError


def array_of(values: object, what: str) -> np.ndarray:
    """Values as an array.

    Raises:
        TargetError: a list whose rows differ in length.
    """
    try:
        return np.asarray(values)
    except ValueError:
        raise TargetError(f"{what} are a list of rows that differ in length; expected an array of numbers") from None


def checked_targets(
    values: np.ndarray, weights: np.ndarray | None, n_points: int, n: int = 3, what: str = "positions"
) -> tuple[np.ndarray, np.ndarray]:
    """Finite values (F, P, n) and confidences (F, P), zero where a value is NaN or nowhere near.

    Raises:
        TargetError: wrong shapes, no numbers, or negative weights.
    """
    values = array_of(values, what)
    if values.dtype.kind not in "fiu" or values.ndim != 3 or values.shape[1:] != (n_points, n):
        raise TargetError(
            f"{what} have shape {values.shape} of {values.dtype}; expected (frames, {n_points}, {n}) numbers"
        )
    confidence = np.ones(values.shape[:2]) if weights is None else array_of(weights, "weights")
    fits = confidence.dtype.kind in "fiub" and confidence.shape in ((n_points,), values.shape[:2])
    if not fits or (confidence < 0).any():
        raise TargetError(
            f"weights have shape {confidence.shape} of {confidence.dtype}; expected one number of at least 0 a point"
        )
    confidence = np.broadcast_to(confidence.astype(np.float64), values.shape[:2])
    with np.errstate(invalid="ignore"):
        finite = (np.abs(values) <= FARTHEST).all(-1) & np.isfinite(confidence)
    return np.where(finite[..., None], values, 0.0).astype(np.float64), np.where(finite, confidence, 0.0)


def directions(v: np.ndarray, n: int) -> np.ndarray:
    """Unit vectors (n, 3) of one (3,) or n (n, 3) of any length but zero.

    Raises:
        TargetError: they are no numbers, not finite, of length zero, or of another shape.
    """
    v = array_of(v, "directions")
    length = np.linalg.norm(v, axis=-1, keepdims=True) if v.dtype.kind in "fiu" and v.ndim else np.zeros(1)
    if v.shape not in ((3,), (n, 3)) or not (np.isfinite(length) & (length > 1e-9)).all():
        raise TargetError(f"directions have shape {v.shape}; expected (3,) or ({n}, 3), finite, none of length zero")
    return np.broadcast_to(v / length, (n, 3)).copy()


def numbers(values: np.ndarray, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Finite numbers (*shape), float64.

    Raises:
        TargetError: they are none, or of another shape.
    """
    array = array_of(values, what)
    if array.dtype.kind not in "fiu" or array.shape != shape or not np.isfinite(array).all():
        raise TargetError(f"{what} have shape {array.shape} of {array.dtype}; expected {shape} finite numbers")
    return array.astype(np.float64)
