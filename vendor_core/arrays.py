# SPDX-License-Identifier: Apache-2.0
"""Arrays of either kind, NumPy or torch, under one name."""

from typing import Any

import array_api_compat
import array_api_compat.numpy as numpy_namespace
import numpy as np
from numpy.typing import ArrayLike

Array = Any
"""A NumPy array or a torch tensor; functions answer in the kind, dtype and device of their input."""

FARTHEST = 1e5
"""Of a coordinate, metres or pixels: beyond, it is a damaged number, as good as unseen; its square might overflow."""

_FLOAT64 = np.zeros(0)


def namespace(*arrays: Array) -> Any:
    """The array API namespace of arrays of one kind.

    `array_api_compat.array_namespace` with a short cut for NumPy: it is asked hundreds of times in a live solve.
    """
    return numpy_namespace if type(arrays[0]) is np.ndarray else array_api_compat.array_namespace(*arrays)


def as_float64(x: Array) -> np.ndarray:
    """x as a NumPy array in double precision; copied only where it must be."""
    return as_kind(x, _FLOAT64)


def as_kind(x: Array, example: Array) -> Array:
    """x as an array of the kind, dtype and device of the example; copied only where it must be."""
    if type(example) is np.ndarray or not array_api_compat.is_torch_array(example):
        x = x.detach().cpu().numpy() if array_api_compat.is_torch_array(x) else x
        return np.asarray(x, dtype=example.dtype)
    import torch

    return torch.as_tensor(x, dtype=example.dtype, device=example.device)


def zeros(shape: tuple[int, ...], example: Array) -> Array:
    """Zeros of the kind, dtype and device of the example."""
    return np.zeros(shape, example.dtype) if type(example) is np.ndarray else example.new_zeros(shape)


_EYES: dict[Any, Array] = {}


def eye(n: int, example: Array) -> Array:
    """The identity (n, n) of the kind, dtype and device of the example; one array for all who ask."""
    key = (n, example.dtype, None if type(example) is np.ndarray else example.device)
    if key not in _EYES:
        _EYES[key] = as_kind(np.eye(n), example)
    return _EYES[key]


class Constant:
    """Numbers that a computation needs in the kind of its inputs: copied to each dtype and device once.

    A copy to a GPU in the midst of a computation would make the host wait for it. Whole numbers stay what they are, to
    serve as indices; others take the dtype of the inputs.
    """

    def __init__(self, values: ArrayLike):
        self.values = np.asarray(values)
        self._copies: dict[Any, Array] = {}

    def like(self, example: Array) -> Array:
        """The numbers in the kind and device of the example."""
        key = (example.dtype, None if type(example) is np.ndarray else example.device)
        if key not in self._copies:
            self._copies[key] = self._copied(example)
        return self._copies[key]

    def _copied(self, example: Array) -> Array:
        if self.values.dtype.kind != "i":
            return as_kind(self.values, example)
        if type(example) is np.ndarray:
            return self.values
        import torch

        return torch.as_tensor(self.values, device=example.device)
