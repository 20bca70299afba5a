# SPDX-License-Identifier: Apache-2.0
"""The baseline of every solver's figure: no prior, each joint on its own, drawn to rest."""

import numpy as np

from ..arrays import Array, as_kind, namespace, zeros
from ..prior.guess import own_frame
from ..prior.latent_spaces import NORMAL, LatentSpace
from ..rotations import identity_like
from ..skeleton import N_POSE


class WithoutPrior:
    """A `Prior` that says nothing: every latent is the rest pose, so a solver draws each joint to rest by itself.

    The pelvis starts from the frame of hips and shoulders where they are seen, from the heading elsewhere.

    Args:
        rest_joints: (22, 3) metres, pelvis at the origin.
    """

    name = "without prior"
    latent_dim = 1
    space: LatentSpace = NORMAL

    def __init__(self, rest_joints: np.ndarray):
        self.rest_joints = np.asarray(rest_joints, dtype=np.float64)

    @property
    def centre(self) -> np.ndarray:
        return np.zeros(self.latent_dim)

    def encode(self, R: Array) -> Array:
        return zeros((*R.shape[:-3], 1), R)

    def decode(self, z: Array) -> Array:
        return identity_like(z, (*z.shape[:-1], N_POSE))

    def decode_with_jacobian(self, z: Array) -> tuple[Array, Array]:
        return self.decode(z), zeros((*z.shape[:-1], N_POSE, 3, 1), z)

    def guess(self, joints: Array, seen: Array) -> tuple[Array, Array]:
        xp = namespace(joints)
        joints = xp.where(seen[..., None], joints, xp.zeros_like(joints))
        return zeros((*joints.shape[:-2], 1), joints), own_frame(joints, seen)[0]

    def sample(self, n: int, seed: int) -> np.ndarray:
        return np.zeros((n, 1))

    def log_density(self, z: Array) -> Array:
        """The same for all, as there is but one pose."""
        return as_kind(np.zeros(z.shape[:-1]), z)
