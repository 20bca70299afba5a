# SPDX-License-Identifier: Apache-2.0
"""Arrays of either kind, NumPy or torch, under one name."""

from typing import Any

import array_api_compat
import array_api_compat.numpy as numpy_namespace
import numpy as np

Array = Any
"""A NumPy array or a torch tensor; functions answer in the kind, dtype and device of their input."""


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
