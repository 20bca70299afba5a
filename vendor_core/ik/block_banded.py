# SPDX-License-Identifier: Apache-2.0
"""The normal equations of a smoothed sequence: a dense block for each frame, second differences between them.

Conjugate gradients (Hestenes and Stiefel 1952), all frames at once. The preconditioner puts the mean block in the place
of each frame's own: `mean H x I + W x D^T D` is solved exactly by diagonalising its two factors (Lynch, Rice, Thomas
1964), which takes four small products. It knows how strongly frames are coupled, where a frame's own block does not.
"""

from functools import lru_cache

import numpy as np

from ..arrays import Array, Constant, as_float64, as_kind, namespace, zeros
from ..linalg import eigh, gemm, matvec
from .smoothness import Smoothness

_ITERATIONS = 120
_TOLERANCE = 1.0  # of b, in square roots of the arithmetic's precision: 1 in 3,000 in single precision
_USUAL = 4.0  # times the median stiffness of a frame, which counts in full
_FLEXIBLE = 1e-6  # of the stiffest unknown: the least weight on acceleration that the preconditioner divides by


def solve_block_banded(H: Array, smoothness: Smoothness, b: Array) -> Array:
    """x (F, T) with `H_f x_f + (smoothness.curvature x)_f = b_f`, nearly.

    Args:
        H: (F, T, T) symmetric positive definite blocks.
        smoothness: couples the frames.
        b: (F, T).
    """
    xp, precondition = namespace(b), _Preconditioner(H, smoothness)
    x, r = zeros(b.shape, b), b
    p = y = precondition(r)
    rho = xp.sum(r * y)
    enough = _TOLERANCE**2 * float(xp.finfo(b.dtype).eps) * rho
    for _ in range(_ITERATIONS):
        A_p = matvec(H, p) + smoothness.curvature(p)
        alpha = rho / xp.sum(p * A_p)
        x, r = x + alpha * p, r - alpha * A_p
        y = precondition(r)
        rho, last = xp.sum(r * y), rho
        if bool(rho <= enough):
            break
        p = y + (rho / last) * p
    return x


class _Preconditioner:
    """Exact where all frames have the same block."""

    def __init__(self, H: Array, smoothness: Smoothness):
        xp = namespace(H)
        stiff = as_float64(xp.sum(xp.linalg.diagonal(H), axis=-1))
        # One frame is not to speak for all.
        share = np.minimum(1.0, _USUAL * np.median(stiff) / np.maximum(stiff, 1e-30))
        mean, weight = as_float64(xp.mean(as_kind(share, H)[:, None, None] * H, axis=0)), as_float64(smoothness.weight)
        scale = 1 / np.sqrt(np.maximum(weight, _FLEXIBLE * np.diag(mean).max()))
        stiffness, V = eigh(scale[:, None] * mean * scale)
        bending, Q = _second_differences(H.shape[0])
        # Where weight is below its floor the product is not exact, which a preconditioner need not be.
        inverse = 1 / (np.maximum(stiffness, 1e-12 * stiffness[-1]) + bending[:, None])
        self._T, self._inverse = as_kind(scale[:, None] * V, H), as_kind(inverse, H)
        self._Q = Q.like(H)

    def __call__(self, r: Array) -> Array:
        xp, T, Q = namespace(r), self._T, self._Q
        y = gemm(xp.matrix_transpose(Q), gemm(r, T)) * self._inverse
        return gemm(gemm(Q, y), xp.matrix_transpose(T))


@lru_cache(maxsize=16)
def _second_differences(n: int) -> tuple[np.ndarray, Constant]:
    """Eigenvalues (n,) and eigenvectors (n, n) of D^T D for second differences D of n frames."""
    D = np.diff(np.eye(n), n=2, axis=0)
    values, vectors = eigh(D.T @ D)
    return np.maximum(values, 0.0), Constant(vectors)
