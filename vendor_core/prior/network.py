# SPDX-License-Identifier: Apache-2.0
"""Small fully connected networks with SiLU, their forward-mode Jacobian, and the 6D rotation head.

SiLU is smooth, which halves the iterations of a Gauss-Newton solver through the decoder (LeakyReLU has kinks).
6D rotations: Zhou et al., "On the Continuity of Rotation Representations in Neural Networks", CVPR 2019.
"""

from collections.abc import Mapping

import numpy as np
from array_api_compat import is_torch_array

from ..arrays import Array, as_kind, namespace
from ..errors import PriorError
from ..linalg import gemm
from ..rotations import rotation_from_6d


class Network:
    """Linear layers with SiLU between them; weights are kept once for each dtype and device that asked.

    Args:
        layers: pairs of a weight (out, in) and a bias (out,).
    """

    def __init__(self, layers: list[tuple[np.ndarray, np.ndarray]]):
        self._layers = layers
        self._cache: dict[tuple[str, str], list[tuple[Array, Array]]] = {}

    def layers_like(self, x: Array) -> list[tuple[Array, Array]]:
        """The weights and biases in the kind, dtype and device of x."""
        key = (str(x.dtype), str(x.device) if is_torch_array(x) else "")
        if key not in self._cache:
            self._cache[key] = [(as_kind(W, x), as_kind(b, x)) for W, b in self._layers]
        return self._cache[key]

    def __call__(self, x: Array) -> Array:
        """Outputs (..., out) of inputs x (..., in)."""
        *hidden, (W, b) = self.layers_like(x)
        for W_hidden, b_hidden in hidden:
            x = _silu(x @ W_hidden.T + b_hidden)
        return x @ W.T + b

    def with_jacobian(self, x: Array) -> tuple[Array, Array]:
        """Outputs (..., out) and their Jacobians (..., out, in): one chain of products W3 D2 W2 D1 W1."""
        *hidden, (W, b) = self.layers_like(x)
        J = None
        for W_hidden, b_hidden in hidden:
            x, slope = _silu_with_slope(x @ W_hidden.T + b_hidden)
            J = slope[..., None] * (W_hidden if J is None else gemm(W_hidden, J))
        return x @ W.T + b, W if J is None else gemm(W, J)


def _silu(x: Array) -> Array:
    """x times its logistic function; by tanh, which cannot overflow."""
    return x * (0.5 + 0.5 * namespace(x).tanh(0.5 * x))


def _silu_with_slope(x: Array) -> tuple[Array, Array]:
    s = 0.5 + 0.5 * namespace(x).tanh(0.5 * x)
    return x * s, s * (1 + x * (1 - s))


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


def network_from(arrays: Mapping[str, np.ndarray], part: str, n_in: int, n_out: int, name: str) -> Network:
    """The network stored as `PART_W0`, `PART_b0`, `PART_W1` ..., checked to map n_in numbers to n_out.

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
    if not layers or width != n_out:
        raise PriorError(
            f"{name}: the {part} has {len(layers)} layers and ends at {width} numbers; expected {n_out} numbers"
        )
    return Network(layers)
