# SPDX-License-Identifier: Apache-2.0
"""The baseline of samples and of scores: Gaussians over rotation vectors, nothing learned by a network.

Bogo et al., "Keep it SMPL", ECCV 2016, with more components, which serves it better.
"""

import numpy as np

from ..arrays import Array, namespace
from ..prior.density import GaussianMixture
from ..rotations import exp_so3, identity_like, log_so3, skew
from ..skeleton import N_POSE
from ..training.fit_density import fit_mixture
from .data import SEED, EvaluationData
from .without_prior import WithoutPrior

_COMPONENTS = 256  # of 8, 64 and 256 the best on val
_SMALL = 1e-4  # squared radians below which a series is more exact than the quotients


class PoseMixture(WithoutPrior):
    """A `Prior` whose latents (..., 63) are the rotation vectors of the 21 joints, drawn from a mixture of Gaussians.

    Args:
        rest_joints: (22, 3) metres, pelvis at the origin.
        density: of the rotation vectors.
    """

    name = "GMM"
    latent_dim = 3 * N_POSE

    def __init__(self, rest_joints: np.ndarray, density: GaussianMixture):
        super().__init__(rest_joints)
        self.density = density

    def encode(self, R: Array) -> Array:
        return namespace(R).reshape(log_so3(R), (*R.shape[:-3], 3 * N_POSE))

    def decode(self, z: Array) -> Array:
        return exp_so3(namespace(z).reshape(z, (*z.shape[:-1], N_POSE, 3)))

    def decode_with_jacobian(self, z: Array) -> tuple[Array, Array]:
        """Poses and the right Jacobians of the exponential, `I - b K + c K^2`, one block a joint."""
        xp = namespace(z)
        w = xp.reshape(z, (*z.shape[:-1], N_POSE, 3))
        t2 = xp.sum(w * w, axis=-1)[..., None, None]
        small = t2 < _SMALL
        safe = xp.where(small, xp.ones_like(t2), t2)
        t, K = xp.sqrt(safe), skew(w)
        b = xp.where(small, 0.5 - t2 / 24, (1 - xp.cos(t)) / safe)
        c = xp.where(small, 1 / 6 - t2 / 120, (t - xp.sin(t)) / (safe * t))
        blocks = identity_like(z, ()) - b * K + c * (K @ K)  # (..., 21, 3, 3)
        own = xp.eye(N_POSE, dtype=z.dtype)[:, None, :, None]
        return self.decode(z), xp.reshape(own * blocks[..., :, :, None, :], (*w.shape, 3 * N_POSE))

    def sample(self, n: int, seed: int) -> np.ndarray:
        return self.density.sample(n, seed)

    def log_density(self, z: Array) -> Array:
        return self.density.log_density(z)


def pose_mixture(data: EvaluationData, components: int = _COMPONENTS) -> PoseMixture:
    """A mixture fitted to the training poses, subjects weighed as when priors are trained."""
    w = log_so3(data.train.R.astype(np.float64)).reshape(len(data.train), -1)
    return PoseMixture(data.rest_joints, fit_mixture(w, data.train.weight, components, SEED))
