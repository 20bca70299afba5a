# SPDX-License-Identifier: Apache-2.0
"""The linear algebra that the array API standard leaves out, with one body for NumPy and one for torch."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, wraps
from threading import Lock
from typing import ParamSpec, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from .arrays import Array, namespace

_P = ParamSpec("_P")
_R = TypeVar("_R")


def one_blas_thread(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorator: BLAS does not split the function's many small products among threads, which would only slow them."""

    @wraps(function)
    def limited(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with _one_thread:
            return function(*args, **kwargs)

    return limited


class _OneThread:
    """Holds BLAS to one thread while anyone is inside: the first to enter limits it, the last to leave restores it."""

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limits = _thread_pools().limit(limits=1, user_api="blas")
            self._inside += 1

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limits.restore_original_limits()


_one_thread = _OneThread()


@cache
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()  # looks through every loaded library: once is enough


def matvec(A: Array, x: Array) -> Array:
    """Products (..., m) of matrices (..., m, n) and vectors (..., n). NumPy 1 and 2 read `A @ x` differently."""
    if type(A) is np.ndarray:
        return (A @ x[..., None])[..., 0]
    return (x[..., None, :] @ A.mT)[..., 0, :]  # as rows: torch is far slower over stacks of columns


@cache
def has_blas() -> bool:
    """Whether this NumPy was built with a BLAS; Blender's own is not."""
    try:
        config = np.show_config(mode="dicts") or {}
        return config["Build Dependencies"]["blas"]["name"] not in ("", "none")
    except (TypeError, KeyError):  # NumPy before 1.25 tells it in another way
        return bool(getattr(np.__config__, "get_info", lambda _name: True)("blas_opt"))


def blas_name() -> str:
    """The BLAS that this NumPy uses, as its makers write it; "BLAS" for one unknown, empty where there is none."""
    if not has_blas():
        return ""
    known = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS", "flexiblas": "FlexiBLAS"}
    loaded = [str(found["internal_api"]) for found in _thread_pools().info() if found["user_api"] == "blas"]
    return next((known[name] for name in loaded if name in known), "BLAS")


def gemm(A: Array, B: Array) -> Array:
    """Products (..., m, n) of (..., m, k) and (..., k, n), k large: 2 to 4 times `A @ B` where BLAS is missing."""
    if type(A) is not np.ndarray or has_blas():
        return A @ B
    # Without BLAS only sums over contiguous rows use the processor's vector units.
    return np.einsum("...mk,...nk->...mn", np.ascontiguousarray(A), np.ascontiguousarray(np.swapaxes(B, -1, -2)))


def linear(x: Array, W: Array) -> Array:
    """Products x W^T (..., n) of vectors x (..., k) and a matrix W (n, k): 2 to 5 times `x @ W.T` without BLAS."""
    if type(x) is not np.ndarray or has_blas():
        return x @ W.T
    return np.einsum("...k,nk->...n", x, W)


def solve_spd(A: Array, b: Array) -> tuple[Array, Array]:
    """Solve symmetric positive definite systems A x = b, item by item, never raising.

    An indefinite A fails in torch (Cholesky) and is solved by NumPy (LU); damping keeps the solver's definite.

    Args:
        A: (..., n, n).
        b: (..., n, k).

    Returns:
        x (..., n, k), zero where an item failed, and a flag (...) that is true where it succeeded.
    """
    if type(A) is np.ndarray:
        x = _solve_numpy(A, b)
        if np.isfinite(x).all():
            return x, np.ones(x.shape[:-2], bool)
    else:
        x = _solve_torch(A, b)
    xp = namespace(x)
    ok = xp.all(xp.all(xp.isfinite(x), axis=-1), axis=-1)
    return xp.where(ok[..., None, None], x, xp.zeros_like(x)), ok


def eigh(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (n,), ascending, and eigenvectors (n, n) of a symmetric matrix. NumPy only; safe in threads."""
    with _lapack:
        return np.linalg.eigh(A)


_lapack = nullcontext() if has_blas() else Lock()
"""Held during calls of LAPACK: the small one that NumPy without BLAS brings is not safe in threads."""


def _solve_numpy(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    with _lapack:
        return _solve_each(A, b)


def _solve_each(A: np.ndarray, b: np.ndarray) -> np.ndarray:
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
