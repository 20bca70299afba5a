# SPDX-License-Identifier: Apache-2.0
"""Small fully connected networks, their forward-mode Jacobian, and the 6D rotation head.

SiLU is smooth, which halves the iterations of a Gauss-Newton solver through the decoder; LeakyReLU has kinks, and is
what published weights were trained with.
6D rotations: Zhou et al., "On the Continuity of Rotation Representations in Neural Networks", CVPR 2019.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from array_api_compat import is_torch_array

from ..arrays import Array, as_kind, namespace
from ..errors import PriorError
from ..linalg import gemm, linear
from ..rotations import rotation_from_6d

_MOST_WEIGHT = 1e6  # what no trained weight comes near: products of larger ones overflow


class Activation(Protocol):
    """What happens to each number between two layers."""

    def __call__(self, x: Array) -> Array: ...

    def with_slope(self, x: Array) -> tuple[Array, Array]:
        """Values, and their derivatives by x, in the shape of x."""
        ...


@dataclass(frozen=True)
class Silu:
    """x times its logistic function; by tanh, which cannot overflow."""

    def __call__(self, x: Array) -> Array:
        return x * (0.5 + 0.5 * namespace(x).tanh(0.5 * x))

    def with_slope(self, x: Array) -> tuple[Array, Array]:
        s = 0.5 + 0.5 * namespace(x).tanh(0.5 * x)
        return x * s, s * (1 + x * (1 - s))


@dataclass(frozen=True)
class LeakyRelu:
    """x where it is positive, `slope` times x elsewhere."""

    slope: float

    def __call__(self, x: Array) -> Array:
        return namespace(x).where(x > 0, x, self.slope * x)

    def with_slope(self, x: Array) -> tuple[Array, Array]:
        ones = namespace(x).ones_like(x)
        slope = namespace(x).where(x > 0, ones, self.slope * ones)
        return slope * x, slope


class Network:
    """Linear layers with an activation between them; weights are kept once for each dtype and device that asked.

    Args:
        layers: pairs of a weight (out, in) and a bias (out,), NumPy or torch.
        activation: SiLU by default.
    """

    def __init__(self, layers: Sequence[tuple[Array, Array]], activation: Activation | None = None):
        self.layers = list(layers)
        self.activation = activation or Silu()
        self._cache: dict[tuple[str, str], list[tuple[Array, Array]]] = {}

    @property
    def n_in(self) -> int:
        return int(self.layers[0][0].shape[1])

    @property
    def n_out(self) -> int:
        return int(self.layers[-1][0].shape[0])

    def layers_like(self, x: Array) -> list[tuple[Array, Array]]:
        """The weights and biases in the kind, dtype and device of x."""
        key = (str(x.dtype), str(x.device) if is_torch_array(x) else "")
        if key not in self._cache:
            self._cache[key] = [(as_kind(W, x), as_kind(b, x)) for W, b in self.layers]
        return self._cache[key]

    def __call__(self, x: Array) -> Array:
        """Outputs (..., out) of inputs x (..., in)."""
        *hidden, (W, b) = self.layers_like(x)
        for W_hidden, b_hidden in hidden:
            x = self.activation(linear(x, W_hidden) + b_hidden)
        return linear(x, W) + b

    def with_jacobian(self, x: Array) -> tuple[Array, Array]:
        """Outputs (..., out) and their Jacobians (..., out, in): one chain of products W3 D2 W2 D1 W1."""
        *hidden, (W, b) = self.layers_like(x)
        J = None
        for W_hidden, b_hidden in hidden:
            x, slope = self.activation.with_slope(linear(x, W_hidden) + b_hidden)
            J = slope[..., None] * (W_hidden if J is None else gemm(W_hidden, J))
        return linear(x, W) + b, W if J is None else gemm(W, J)


def rotations_of_outputs(y: Array) -> Array:
    """Rotations (..., J, 3, 3) of network outputs y (..., 6 J): six numbers a joint, its first two columns."""
    xp = namespace(y)
    return rotation_from_6d(xp.matrix_transpose(xp.reshape(y, (*y.shape[:-1], y.shape[-1] // 6, 2, 3))))


def rotation_jacobian(y: Array, J: Array, R: Array) -> Array:
    """Body-frame angular velocities W (..., J, 3, L) of R, for outputs y (..., 6 J) with Jacobian J (..., 6 J, L).

    With R = [b1 b2 b3], columns a1, a2 of the six numbers, c = b1.a2, i1 = 1/|a1|, i2 = 1/|a2 - c b1|:
    `w = [i2 (b3.da2 - c i1 b3.da1), -i1 b3.da1, i1 b2.da1]`.
    """
    xp = namespace(y, J)
    n = y.shape[-1] // 6
    a = xp.reshape(y, (*y.shape[:-1], n, 2, 3))
    b1, b2, b3 = R[..., 0], R[..., 1], R[..., 2]
    i1 = 1 / xp.sum(b1 * a[..., 0, :], axis=-1)[..., None]
    i2 = 1 / xp.sum(b2 * a[..., 1, :], axis=-1)[..., None]
    c = xp.sum(b1 * a[..., 1, :], axis=-1)[..., None]
    rows = [-c * i1 * i2 * b3, i2 * b3, -i1 * b3, xp.zeros_like(b3), i1 * b2, xp.zeros_like(b3)]
    M = xp.reshape(xp.concat(rows, axis=-1), (*y.shape[:-1], n, 3, 6))
    return M @ xp.reshape(J, (*J.shape[:-2], n, 6, J.shape[-1]))


def usable(weights: np.ndarray) -> bool:
    """Are all numbers finite, and small enough for a network to be evaluated?"""
    return bool((np.abs(weights.astype(np.float64)) < _MOST_WEIGHT).all())


def network_from(
    arrays: Mapping[str, np.ndarray], part: str, n_in: int, n_out: int | tuple[int, ...], name: str,
    activation: Activation | None = None,
) -> Network:  # fmt: skip
    """The network stored as `PART_W0`, `PART_b0`, `PART_W1` ..., checked to map n_in numbers to n_out (or one of them).

    Raises:
        PriorError: layers are missing, are no numbers, do not chain, or are not finite.
    """
    layers: list[tuple[np.ndarray, np.ndarray]] = []
    width = n_in
    while f"{part}_W{len(layers)}" in arrays:
        k = len(layers)
        W, b = arrays[f"{part}_W{k}"], arrays.get(f"{part}_b{k}", np.zeros(0))
        if W.ndim != 2 or W.shape[1] != width or b.shape != W.shape[:1]:
            raise PriorError(
                f"{name}: {part} layer {k} has weights {W.shape} and biases {b.shape}; expected (n, {width}) and (n,)"
            )
        layers.append((W, b))
        width = W.shape[0]
    allowed = (n_out,) if isinstance(n_out, int) else n_out
    if not layers or width not in allowed:
        expected = " or ".join(str(n) for n in allowed)
        raise PriorError(
            f"{name}: the {part} has {len(layers)} layers and ends at {width} numbers; expected {expected} numbers"
        )
    return Network(layers, activation)
