# SPDX-License-Identifier: Apache-2.0
"""Arrays of either kind, NumPy or torch, under one name; the namespace of an array is `array_namespace(x)`."""

from typing import Any

import numpy as np
from array_api_compat import is_torch_array

Array = Any
"""A NumPy array or a torch tensor; functions answer in the kind, dtype and device of their input."""


def as_kind(x: Array, example: Array) -> Array:
    """x as an array of the kind, dtype and device of the example; copied only where it must be."""
    if not is_torch_array(example):
        x = x.detach().cpu().numpy() if is_torch_array(x) else x
        return np.asarray(x, dtype=example.dtype)
    import torch

    return torch.as_tensor(x, dtype=example.dtype, device=example.device)
