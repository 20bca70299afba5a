# SPDX-License-Identifier: Apache-2.0
"""The layers in other people's state dicts: VPoser's of both versions, and the adversarial priors'."""

import numpy as np

from ..errors import PriorError
from ..skeleton import N_POSE
from .checkpoint import Checkpoint

Layer = tuple[np.ndarray, np.ndarray]
"""A weight (out, in) and a bias (out,)."""
VPOSER_2, VPOSER_1, GAN = "VPoser, version 2", "VPoser, version 1", "adversarial prior"
DECODER_1 = ("bodyprior_dec_fc1", "bodyprior_dec_fc2", "bodyprior_dec_out")
"""Of VPoser's version 1, and of the adversarial priors' generator."""

FIRSTS = {
    "encoder_net.1.weight": VPOSER_2,
    "bodyprior_enc_bn1.weight": VPOSER_1,
    f"{DECODER_1[0]}.weight": GAN,  # of what has no encoder
}
"""A tensor that each kind has, and which is told by the first of them that is there."""
_EPSILON = 1e-5  # of torch's BatchNorm1d


class StateDict:
    """The layers of a checkpoint, checked as they are taken; the names' common prefix, as "vp_model.", is left out."""

    def __init__(self, checkpoint: Checkpoint):
        ends = [(name, first) for first in FIRSTS for name in checkpoint.names if name.endswith(first)]
        if not ends:
            wanted = ", ".join(f"{first} ({whose})" for first, whose in FIRSTS.items())
            raise PriorError(
                f"{checkpoint.name} holds tensors, but of no prior known here ({ascii(checkpoint.names[0])[:60]}, "
                f"...); expected {wanted}"
            )
        name, first = ends[0]
        self.name, self.kind = checkpoint.name, FIRSTS[first]
        self._checkpoint, self._prefix = checkpoint, name.removesuffix(first)

    def linear(self, key: str, n_in: int | None) -> Layer:
        """The linear layer of a name, checked to take n_in numbers, where that is known."""
        W, b = (self._checkpoint.array(f"{self._prefix}{key}.{part}") for part in ("weight", "bias"))
        if W.ndim != 2 or 0 in W.shape or W.shape[1] != (n_in or W.shape[1]) or b.shape != W.shape[:1]:
            raise PriorError(
                f"{self.name}: {key} has weights {W.shape} and biases {b.shape}; expected (n, {n_in or 'm'}) and (n,)"
            )
        return W, b

    def normalisation(self, key: str, *allowed: int) -> Layer:
        """A batch normalisation of an allowed number of inputs, as factors and offsets (n,)."""
        parts = ("weight", "bias", "running_mean", "running_var")
        scale, shift, mean, variance = (self._checkpoint.array(f"{self._prefix}{key}.{part}") for part in parts)
        shapes = {part.shape for part in (scale, shift, mean, variance)}
        if shapes not in [{(width,)} for width in allowed]:
            expected = " or ".join(str(width) for width in allowed)
            raise PriorError(f"{self.name}: {key} normalises {scale.shape} numbers; expected ({expected},)")
        if (variance < 0).any():
            raise PriorError(f"{self.name}: {key} has a negative variance; get the file anew")
        factor = scale / np.sqrt(variance + _EPSILON)
        return factor, shift - factor * mean

    def decoder(self, names: tuple[str, ...], latent: int | None = None) -> list[Layer]:
        """Linear layers that follow one another, from a latent of the given or any size, in our order of six numbers.

        Theirs are the rows of each rotation's first two columns.
        """
        layers: list[Layer] = []
        width = latent
        for name in names:
            layers.append(self.linear(name, width))
            width = len(layers[-1][1])
        W, b = layers[-1]
        if len(b) != 6 * N_POSE:
            raise PriorError(f"{self.name}: the decoder ends at {len(b)} numbers; expected {6 * N_POSE}")
        order = np.arange(6 * N_POSE).reshape(N_POSE, 3, 2).swapaxes(1, 2).reshape(-1)
        return [*layers[:-1], (W[order], b[order])]
