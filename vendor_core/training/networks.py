# SPDX-License-Identifier: Apache-2.0
"""Networks to train, in torch, their weights as arrays of a prior file, and the draw of a batch."""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Sequential


def build_network(*widths: int, rotations: int = 0) -> "Sequential":
    """Linear layers of the given widths, input first, with SiLU between them.

    Args:
        widths: of the input, the hidden layers and the output.
        rotations: how many rotations, six numbers each, end the output; they start at the identity.
    """
    import torch
    from torch import nn

    linear = [nn.Linear(n_in, n_out) for n_in, n_out in pairwise(widths)]
    with torch.no_grad():
        linear[-1].bias[widths[-1] - 6 * rotations :] = torch.tensor([1.0, 0, 0, 0, 1, 0]).repeat(rotations)
    return nn.Sequential(*[module for layer in linear for module in (layer, nn.SiLU())][:-1])


def network_arrays(
    network: "Sequential", part: str, n_out: int, mean: np.ndarray | None = None, std: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Weights and biases as `PART_W0`, `PART_b0`, ... in half precision.

    Args:
        network: made by `build_network`.
        part: name of the network.
        n_out: how many of its outputs to keep (an encoder's variances serve training only).
        mean, std: what its inputs (n,) were standardised with; folded into the first layer.
    """
    from torch.nn import Linear

    layers = [layer for layer in network if isinstance(layer, Linear)]
    arrays: dict[str, np.ndarray] = {}
    for k, layer in enumerate(layers):
        W = layer.weight.detach().cpu().double().numpy()
        b = layer.bias.detach().cpu().double().numpy()
        if k == 0 and mean is not None and std is not None:
            W = W / std
            b = b - W @ mean
        rows = n_out if layer is layers[-1] else len(W)
        arrays[f"{part}_W{k}"], arrays[f"{part}_b{k}"] = W[:rows].astype(np.float16), b[:rows].astype(np.float16)
    return arrays


def draw_rows(cumulative: "Tensor", chance: "Tensor") -> "Tensor":
    """Row numbers (B,), on the device of `chance`, drawn by weight.

    Args:
        cumulative: cumulated weights (N,), float64 on the CPU; single precision cannot tell 100,000 rows apart.
        chance: (B,) uniform numbers from 0 to 1.
    """
    import torch

    rows = torch.searchsorted(cumulative, chance.cpu().double()).clamp(max=len(cumulative) - 1)
    return rows.to(chance.device)
