# SPDX-License-Identifier: Apache-2.0
"""The adversarial priors GAN-N, GAN-U and GAN-S: Davydov et al., "Adversarial Parametric Pose Prior", CVPR 2022.

A generator alone: VPoser's decoder, from latents that are drawn from N(0, I), a box, or a sphere. What it says of a
given pose is found by inversion. Files: an npz of `training.gan_run` (`format`, `latent`: the name of its latent space,
`decoder_W0`, `decoder_b0`, ..., texts), or a state dict of the authors' code, whose names are VPoser's of version 1.
"""

import re
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from ..arrays import Array, namespace
from ..errors import PriorError
from ..npz import text_of
from ..rotations import nearest_rotation
from ..skeleton import N_POSE
from .autoencoder import AutoEncoder
from .checks import checked_draw, checked_latents, checked_poses
from .inversion import inverted, levers_of, linear_encoder
from .latent_spaces import SPACES, LatentSpace
from .network import LeakyRelu, Network, network_from
from .state_dicts import DECODER_1, StateDict
from .vae import VaePrior, check_arrays

FORMAT = "poise gan 1"
SLOPE = 0.2
"""Of the generator's leaky rectifiers."""

_DRAWS = 4096
_ITERATIONS, _TO_START = 15, 3  # of an inversion at most; and of one that a solver starts from
VARIANTS = {"gan_s": "sphere", "gan_u": "box", "gan_n": "normal"}
"""The latent space of each."""
_SPREAD = 1e-3  # as `posterior` gives it: a generator has no spread


class GanPrior(AutoEncoder):
    """A `base.Prior` of a generator.

    Args:
        name: for messages and reports.
        decoder: from what its latent space hands on to six numbers a joint, as `AutoEncoder`'s.
        space: of the latents.
        shipped: the prior whose initialiser and skeleton serve it.
        about: what the file tells of itself.

    Raises:
        PriorError: the generator makes no rotations.
    """

    def __init__(self, name: str, decoder: Network, space: LatentSpace, shipped: VaePrior, about: Mapping[str, str]):
        no_encoder = Network([(np.zeros((decoder.n_in, 9 * N_POSE)), np.zeros(decoder.n_in))])
        super().__init__(name, no_encoder, decoder, shipped.rest_joints, about, space)
        self.encoder, self.levers = linear_encoder(self), levers_of(self.rest_joints)
        self._shipped = shipped

    @cached_property
    def centre(self) -> np.ndarray:
        """The latent (L,) of the mean of drawn poses: on a sphere no latent is the middle of the others."""
        R = self.decode(self.sample(_DRAWS, 0)).mean(0)
        return self.encode(nearest_rotation(R))

    def encode(self, R: Array) -> Array:
        """Latents (..., L) whose poses come nearest to poses R (..., 21, 3, 3): a search through the generator."""
        return self._inverted(checked_poses(R), _ITERATIONS)

    def _inverted(self, R: Array, iterations: int) -> Array:
        xp = namespace(R)
        flat = xp.reshape(R, (-1, N_POSE, 3, 3))
        return xp.reshape(inverted(self, flat, super().encode(flat), iterations), (*R.shape[:-3], self.latent_dim))

    def posterior(self, R: Array) -> tuple[Array, Array]:
        """As `encode`, with a small standard deviation: a generator knows one latent of a pose."""
        z = self.encode(R)
        return z, self.deviation(z)

    def deviation(self, outputs: Array) -> Array:
        return namespace(outputs).full_like(outputs, _SPREAD)

    def guess(self, joints: Array, seen: Array) -> tuple[Array, Array]:
        """A solver's start, as `base.Prior.guess`: the shipped prior's guess, in latents of this one."""
        z, R_root = self._shipped.guess(joints, seen)
        return self._inverted(self._shipped.decode(z), _TO_START), R_root

    def sample(self, n: int, seed: int) -> np.ndarray:
        """n latents (n, L), float64, drawn as in training; the seed decides them."""
        n, seed = checked_draw(n, seed)
        return self.space.sample(n, self.latent_dim, seed)

    def log_density(self, z: Array) -> Array:
        """Log densities (...), nats, of latents z (..., L), as they are drawn in training."""
        return self.space.log_density(checked_latents(z, self.latent_dim, self.name))


def gan_from(arrays: Mapping[str, np.ndarray], name: str, shipped: VaePrior) -> GanPrior:
    """The prior in the arrays of an npz file that `train` wrote.

    Raises:
        PriorError: they are not those of an adversarial prior.
    """
    check_arrays(arrays, FORMAT, name)
    space = SPACES.get(text_of(arrays.get("latent")))
    if space is None:
        raise PriorError(f'{name}: the latent space is "{text_of(arrays.get("latent"))}"; expected {", ".join(SPACES)}')
    rows = arrays.get("decoder_W0", np.zeros(0))
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise PriorError(f"{name}: decoder_W0 has shape {rows.shape}; expected (width, latent)")
    decoder = network_from(arrays, "decoder", int(rows.shape[1]), 6 * N_POSE, name, LeakyRelu(SLOPE))
    about = {key: text_of(array) for key, array in arrays.items() if array.dtype.kind == "U"}
    return GanPrior(name, decoder, space, shipped, about)


def gan_of_authors(weights: StateDict, stem: str, shipped: VaePrior) -> GanPrior:
    """The prior in a state dict of the authors' generator; the latent space is told by the file's name.

    Raises:
        PriorError: layers are missing, do not chain, or are not finite.
    """
    layers = weights.decoder(DECODER_1)
    told = re.search(r"gan[-_ ]?([nsu])(?![a-z])", stem.lower())
    variant = f"gan_{told.group(1) if told else 's'}"
    about = {
        "format": f"generator of Davydov et al., {'by its name' if told else 'taken to be'} {variant}",
        "latent": VARIANTS[variant],
        "license": "that of its authors: https://github.com/cvlab-epfl/adv_param_pose_prior",
    }
    return GanPrior(stem, Network(layers, LeakyRelu(SLOPE)), SPACES[VARIANTS[variant]], shipped, about)
