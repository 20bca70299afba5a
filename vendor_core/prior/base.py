# SPDX-License-Identifier: Apache-2.0
"""What the solver and the tools ask of a pose prior."""

from typing import Protocol

import numpy as np

from ..arrays import Array
from .latent_spaces import LatentSpace


class Prior(Protocol):
    """A map from a small latent space onto plausible poses of the 21 body joints.

    Arrays may be NumPy's or torch's, of any batch shape; answers have the kind, dtype and device of the input.
    Poses are local rotations R (..., 21, 3, 3) of joints 1..21 of `skeleton.BODY_JOINTS`, without the root.
    """

    name: str
    latent_dim: int
    space: LatentSpace
    """Where latents lie: what a solver draws them to, and the way between two."""
    rest_joints: np.ndarray
    """Rest positions (22, 3), in metres, of the skeleton that the prior was trained on; the pelvis is the origin."""

    @property
    def centre(self) -> np.ndarray:
        """The latent (L,) of an ordinary pose, where a solver starts that knows nothing."""
        ...

    def encode(self, R: Array) -> Array:
        """Latents (..., L) of poses R (..., 21, 3, 3)."""
        ...

    def decode(self, z: Array) -> Array:
        """Poses R (..., 21, 3, 3) of latents z (..., L)."""
        ...

    def decode_with_jacobian(self, z: Array) -> tuple[Array, Array]:
        """Poses R and their Jacobians W (..., 21, 3, L), body-frame: `R(z + dz) ~ R(z) exp(W dz)`, radians."""
        ...

    def guess(self, joints: Array, seen: Array) -> tuple[Array, Array]:
        """A solver's start: z (..., L) and the pelvis' world rotation (..., 3, 3) from joints (..., 22, 3), Y up.

        `seen` (..., 22) bool tells which joints count; the others may hold anything. The body is as large as
        `rest_joints`: scale the joints of others to that (`guess.skeleton_size`), or bent knees look like short legs.
        """
        ...

    def sample(self, n: int, seed: int) -> np.ndarray:
        """n latents (n, L), float64, drawn from the density of the training poses; the seed decides them."""
        ...

    def log_density(self, z: Array) -> Array:
        """Log densities (...), nats, of latents z (..., L) under that density; differentiable in torch."""
        ...
