# SPDX-License-Identifier: Apache-2.0
"""VPoser, from the user's own copy of its weights: Pavlakos et al., "Expressive Body Capture", CVPR 2019.

The weights are licensed by their authors and never shipped. Both published versions are read:
version 2 (the folder V02_05, from its snapshots) and version 1 (vposer_v1_0, snapshots/TR00_E096.pt). Batch
normalisation, as it is after training, is folded into the linear layers; the six numbers of each rotation are put in
our order. What VPoser lacks (an initialiser, a skeleton) is lent by the shipped prior.
"""

import re
from pathlib import Path

import numpy as np

from ..arrays import Array, namespace
from ..errors import PriorError
from ..linalg import gemm
from ..rotations import log_so3
from ..skeleton import N_POSE
from .autoencoder import AutoEncoder
from .checks import checked_draw, checked_latents
from .latent_spaces import NORMAL
from .network import LeakyRelu, Network
from .state_dicts import DECODER_1, VPOSER_2, Layer, StateDict
from .vae import VaePrior

VPOSER_SUFFIXES = (".ckpt", ".pt", ".pth")
_AXIS_ANGLE, _MATRICES = 3 * N_POSE, 9 * N_POSE


class VPoserPrior(AutoEncoder):
    """A `base.Prior` of VPoser's networks, its latents N(0, I).

    Args:
        name: the checkpoint's stem.
        version: 1 or 2.
        encoder: from rotation vectors (63) or matrices (189) to the means and, before softplus, the deviations.
        decoder: as `AutoEncoder`'s.
        shipped: the prior whose initialiser and skeleton serve VPoser.
    """

    def __init__(self, name: str, version: int, encoder: Network, decoder: Network, shipped: VaePrior):
        about = {
            "format": f"VPoser version {version}",
            "license": "that of its authors: https://smpl-x.is.tue.mpg.de",
            "encoder": f"{encoder.n_in} numbers to {decoder.n_in} means and {decoder.n_in} deviations",
            "width": str(decoder.layers[0][0].shape[0]),
        }
        super().__init__(name, encoder, decoder, shipped.rest_joints, about)
        self._shipped = shipped

    def inputs(self, R: Array) -> Array:
        """Rotation vectors (..., 63) of poses R (..., 21, 3, 3), or their matrices (..., 189): what was trained on."""
        if self.encoder.n_in == _MATRICES:
            return super().inputs(R)
        return namespace(R).reshape(log_so3(R), (*R.shape[:-3], _AXIS_ANGLE))

    def deviation(self, outputs: Array) -> Array:
        """Standard deviations (..., L) of latents: softplus."""
        xp, x = namespace(outputs), outputs[..., self.latent_dim :]
        return xp.where(x > 0, x, xp.zeros_like(x)) + xp.log1p(xp.exp(-xp.abs(x)))

    def guess(self, joints: Array, seen: Array) -> tuple[Array, Array]:
        """A solver's start, as `base.Prior.guess`: the shipped prior's guess, encoded anew."""
        z, R_root = self._shipped.guess(joints, seen)
        return self.encode(self._shipped.decode(z)), R_root

    def sample(self, n: int, seed: int) -> np.ndarray:
        """n latents (n, L), float64, drawn from N(0, I) as VPoser does; the seed decides them."""
        n, seed = checked_draw(n, seed)
        return NORMAL.sample(n, self.latent_dim, seed)

    def log_density(self, z: Array) -> Array:
        """Log densities (...), nats, of latents z (..., L) under N(0, I)."""
        return NORMAL.log_density(checked_latents(z, self.latent_dim, self.name))


def checkpoint_in(path: Path) -> Path:
    """The newest snapshot of an experiment's folder, by the numbers in its name; a file is itself.

    Raises:
        PriorError: the folder holds no snapshot.
    """
    if not path.is_dir():
        return path
    found = [
        file
        for folder in (path / "snapshots", path)
        for file in folder.glob("*")
        if file.suffix.lower() in VPOSER_SUFFIXES
    ]
    if not found:
        raise PriorError(
            f'{path.resolve().name} holds no snapshots/*.ckpt or *.pt; expected VPoser\'s folder, such as "V02_05"'
        )
    return max(found, key=lambda file: [int(number) for number in re.findall(r"\d+", file.stem)])


def vposer_from(weights: StateDict, name: str, shipped: VaePrior) -> VPoserPrior:
    """VPoser, of version 1 or 2, from its state dict.

    Raises:
        PriorError: layers are missing, damaged, or do not fit each other.
    """
    version = 2 if weights.kind == VPOSER_2 else 1
    encoder, decoder = _version_2(weights) if version == 2 else _version_1(weights)
    activation = LeakyRelu({1: 0.2, 2: 0.01}[version])
    return VPoserPrior(name, version, Network(encoder, activation), Network(decoder, activation), shipped)


def _version_2(weights: StateDict) -> tuple[list[Layer], list[Layer]]:
    """encoder_net: 1 normalisation, 2 linear, leaky, 4 normalisation, 6, 7 linear, 8 mu and logvar, with no activation
    between the last four; decoder_net: 0, 3, 5 linear with leaky between them."""
    normal = weights.normalisation("encoder_net.1", _AXIS_ANGLE)
    first = _after(normal, weights.linear("encoder_net.2", len(normal[0])))
    width = len(first[1])
    second = _after(weights.normalisation("encoder_net.4", width), weights.linear("encoder_net.6", width))
    second = _chained(second, weights.linear("encoder_net.7", len(second[1])))
    ends = _ends(weights, "encoder_net.8.mu", "encoder_net.8.logvar", len(second[1]))
    encoder = [first, _chained(second, ends)]
    return encoder, weights.decoder(("decoder_net.0", "decoder_net.3", "decoder_net.5"), len(ends[1]) // 2)


def _version_1(weights: StateDict) -> tuple[list[Layer], list[Layer]]:
    """bodyprior_enc: bn1, fc1, leaky, bn2, fc2, leaky, mu and logvar; bodyprior_dec: fc1, fc2, out."""
    normal = weights.normalisation("bodyprior_enc_bn1", _AXIS_ANGLE, _MATRICES)
    first = _after(normal, weights.linear("bodyprior_enc_fc1", len(normal[0])))
    width = len(first[1])
    second = _after(weights.normalisation("bodyprior_enc_bn2", width), weights.linear("bodyprior_enc_fc2", width))
    ends = _ends(weights, "bodyprior_enc_mu", "bodyprior_enc_logvar", len(second[1]))
    return [first, second, ends], weights.decoder(DECODER_1, len(ends[1]) // 2)


def _ends(weights: StateDict, mean: str, deviation: str, width: int) -> Layer:
    """The layers of means and of deviations as one."""
    (W, b), (W_deviation, b_deviation) = weights.linear(mean, width), weights.linear(deviation, width)
    if b.shape != b_deviation.shape:
        raise PriorError(f"{weights.name}: {len(b)} means and {len(b_deviation)} deviations; expected as many of each")
    return np.concatenate([W, W_deviation]), np.concatenate([b, b_deviation])


def _after(normal: Layer, layer: Layer) -> Layer:
    """A linear layer with the normalisation before it folded in."""
    (factor, offset), (W, b) = normal, layer
    return W * factor, b + W @ offset


def _chained(first: Layer, second: Layer) -> Layer:
    """Two linear layers, nothing between them, as one."""
    (W1, b1), (W2, b2) = first, second
    return gemm(W2, W1), b2 + W2 @ b1
