# SPDX-License-Identifier: Apache-2.0
"""The linear algebra that the array API standard leaves out, with one body for NumPy and one for torch."""

import numpy as np
from array_api_compat import is_torch_namespace

from .arrays import Array, namespace


def matvec(A: Array, x: Array) -> Array:
    """Products (..., m) of matrices (..., m, n) and vectors (..., n). NumPy 1 and 2 read `A @ x` differently."""
    return (A @ x[..., None])[..., 0]


def solve_spd(A: Array, b: Array) -> tuple[Array, Array]:
    """Solve symmetric positive definite systems A x = b, item by item, never raising.

    Args:
        A: (..., n, n).
        b: (..., n, k).

    Returns:
        x (..., n, k), zero where an item failed, and a flag (...) that is true where it succeeded.
    """
    xp = namespace(A, b)
    x = _solve_torch(A, b) if is_torch_namespace(xp) else _solve_numpy(A, b)
    ok = xp.all(xp.all(xp.isfinite(x), axis=-1), axis=-1)
    return xp.where(ok[..., None, None], x, xp.zeros_like(x)), ok


def _solve_numpy(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.solve(A, b)
    except np.linalg.LinAlgError:  # one singular item refuses the whole batch: go through it item by item
        flat_A, flat_b = A.reshape(-1, *A.shape[-2:]), b.reshape(-1, *b.shape[-2:])
        x = np.full_like(flat_b, np.nan)
        for i in range(len(flat_A)):
            try:
                x[i] = np.linalg.solve(flat_A[i], flat_b[i])
            except np.linalg.LinAlgError:
                continue
        return x.reshape(b.shape)


def _solve_torch(A: Array, b: Array) -> Array:
    import torch

    L, info = torch.linalg.cholesky_ex(A)  # no synchronisation with the host, unlike torch.linalg.solve
    x = torch.cholesky_solve(b, L)
    return torch.where((info == 0)[..., None, None], x, torch.full_like(x, torch.nan))
