# SPDX-License-Identifier: Apache-2.0
"""What the priors made of an encoder and a decoder have in common."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from ..arrays import Array, namespace
from ..errors import PriorError
from ..skeleton import N_POSE
from .checks import checked_latents, checked_poses
from .latent_spaces import NORMAL, LatentSpace
from .network import Network, rotation_jacobian, rotations_of_outputs

_PARALLEL = 1e-9  # length of the cross product of two columns that make no rotation


class AutoEncoder(ABC):
    """A `base.Prior` whose maps are networks.

    Args:
        name: for messages and reports.
        encoder: from what `inputs` makes of a pose; its outputs begin with the mean latent.
        decoder: from a latent to six numbers for each of the 21 joints, columns of its rotation one after the other.
        rest_joints: (22, 3) metres, of the skeleton that the prior was trained on.
        about: what the file tells of itself, as texts.
        space: of the latents.

    Raises:
        PriorError: the decoder makes no rotations.
    """

    def __init__(
        self, name: str, encoder: Network, decoder: Network, rest_joints: np.ndarray, about: Mapping[str, str],
        space: LatentSpace = NORMAL,
    ):  # fmt: skip
        self.name, self.encoder, self.decoder = name, encoder, decoder
        self.latent_dim = decoder.n_in
        self.rest_joints = rest_joints
        self.about = dict(about)
        self.space = space
        first, second = np.moveaxis(
            self.decoder(space.to_network(np.zeros(self.latent_dim))).reshape(N_POSE, 2, 3), 1, 0
        )
        if not (np.linalg.norm(np.cross(first, second), axis=-1) > _PARALLEL).all():
            raise PriorError(f"{name} decodes to no rotations; get the file anew")

    @property
    def centre(self) -> np.ndarray:
        """The latent (L,) of an ordinary pose."""
        return np.zeros(self.latent_dim)

    def encode(self, R: Array) -> Array:
        """Mean latents (..., L) of poses R (..., 21, 3, 3)."""
        return self.encoder(self.inputs(checked_poses(R)))[..., : self.latent_dim]

    def posterior(self, R: Array) -> tuple[Array, Array]:
        """Means and standard deviations (..., L) of the latents behind poses R (..., 21, 3, 3), as in training."""
        y = self.encoder(self.inputs(checked_poses(R)))
        return y[..., : self.latent_dim], self.deviation(y)

    @abstractmethod
    def deviation(self, outputs: Array) -> Array:
        """Standard deviations (..., L) of latents, from the encoder's outputs."""

    def inputs(self, R: Array) -> Array:
        """What the encoder takes: the matrices of poses R (..., 21, 3, 3), row by row."""
        return namespace(R).reshape(R, (*R.shape[:-3], 9 * N_POSE))

    def decode(self, z: Array) -> Array:
        """Poses R (..., 21, 3, 3) of latents z (..., L)."""
        z = checked_latents(z, self.latent_dim, self.name)
        return rotations_of_outputs(self.decoder(self.space.to_network(z)))

    def decode_with_jacobian(self, z: Array) -> tuple[Array, Array]:
        """Poses R (..., 21, 3, 3) and Jacobians W (..., 21, 3, L): `R(z + dz) ~ R(z) exp(W dz)`."""
        z = checked_latents(z, self.latent_dim, self.name)
        y, J = self.decoder.with_jacobian(self.space.to_network(z))
        R = rotations_of_outputs(y)
        return R, self.space.by_latent(z, rotation_jacobian(y, J, R))

    @abstractmethod
    def guess(self, joints: Array, seen: Array) -> tuple[Array, Array]:
        """As `base.Prior.guess`."""

    @abstractmethod
    def sample(self, n: int, seed: int) -> np.ndarray:
        """n latents (n, L), float64, drawn from the prior's density; the seed decides them."""

    @abstractmethod
    def log_density(self, z: Array) -> Array:
        """Log densities (...), nats, of latents z (..., L); differentiable in torch."""
