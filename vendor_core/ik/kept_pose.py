# SPDX-License-Identifier: Apache-2.0
"""A prior seen from one pose, which it answers exactly."""

import numpy as np

from ..arrays import Array
from ..prior.base import Prior

_MOST = 4.0  # of a number of a latent: an encoder sends broken poses anywhere


class KeptPose:
    """A prior whose decoder, at the latent of a given pose, answers that very pose: deviations are carried along.

    Args:
        prior: the prior.
        R: (21, 3, 3) the pose.
    """

    def __init__(self, prior: Prior, R: np.ndarray):
        self._prior = prior
        self.name, self.latent_dim, self.rest_joints = prior.name, prior.latent_dim, prior.rest_joints
        self.space = prior.space
        self.z = prior.space.nearest(np.clip(prior.encode(R[None]), -_MOST, _MOST))  # (1, L)
        self.centre = self.z[0]
        self._kept = np.swapaxes(prior.decode(self.z)[0], 1, 2) @ R  # (21, 3, 3)

    def decode(self, z: Array) -> Array:
        return self._prior.decode(z) @ self._kept

    def decode_with_jacobian(self, z: Array) -> tuple[Array, Array]:
        """As the prior's, in single precision: it shapes steps, and is what takes longest."""
        R, W = self._prior.decode_with_jacobian(z.astype(np.float32))
        return R @ self._kept, np.swapaxes(self._kept, 1, 2) @ W

    def encode(self, R: Array) -> Array:
        return self._prior.encode(R)

    def guess(self, joints: Array, seen: Array) -> tuple[Array, Array]:
        return self._prior.guess(joints, seen)

    def sample(self, n: int, seed: int) -> np.ndarray:
        return self._prior.sample(n, seed)

    def log_density(self, z: Array) -> Array:
        return self._prior.log_density(z)
