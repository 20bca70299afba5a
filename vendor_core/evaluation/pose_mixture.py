# SPDX-License-Identifier: Apache-2.0
"""The baseline without a network: Gaussians over rotation vectors.

Bogo et al., "Keep it SMPL", ECCV 2016, with more components, which serves it better.
"""

import numpy as np

from ..arrays import Array, Constant, as_kind, namespace
from ..linalg import matvec
from ..prior.base import Prior
from ..prior.density import GaussianMixture
from ..prior.latent_spaces import LatentSpace, Normal
from ..rotations import exp_so3, identity_like, log_so3, skew
from ..skeleton import N_POSE
from ..training.fit_density import fit_mixture
from .data import SEED, EvaluationData

_COMPONENTS = 256  # of 8, 64 and 256 the best on val
_SMALL = 1e-4  # squared radians below which a series is more exact than the quotients
_VECTORS = 3 * N_POSE


class _ByComponent(Normal):
    """N(0, I) within each Gaussian; the last number says which, and nothing draws at it."""

    name = "mixture"

    def off(self, z: Array) -> Array:
        return namespace(z).concat([z[..., :_VECTORS], 0 * z[..., _VECTORS:]], axis=-1)


class PoseMixture:
    """A `Prior` whose latents (..., 64) are the rotation vectors of the 21 joints, whitened by a Gaussian of a mixture.

    The last number is which Gaussian: a solver stays with the one that it starts from, as "Keep it SMPL" does with the
    likeliest, and `|z|^2` of the others is the Mahalanobis distance.

    Args:
        rest_joints: (22, 3) metres, pelvis at the origin.
        density: of the rotation vectors.
        lender: the prior whose first guess serves it.
    """

    name = "GMM"
    latent_dim = _VECTORS + 1
    space: LatentSpace = _ByComponent()

    def __init__(self, rest_joints: np.ndarray, density: GaussianMixture, lender: Prior):
        self.rest_joints, self.density, self._lender = rest_joints, density, lender
        self._means, self._factors = Constant(density.means), Constant(density.cholesky)
        self._inverses = np.linalg.inv(density.cholesky)
        self._heights = np.log(density.weights) - np.log(np.diagonal(density.cholesky, axis1=1, axis2=2)).sum(-1)

    @property
    def centre(self) -> np.ndarray:
        """The middle of the heaviest Gaussian."""
        return np.append(np.zeros(_VECTORS), float(np.argmax(self.density.weights)))

    def encode(self, R: Array) -> Array:
        """Latents by the Gaussian of which a pose is likeliest."""
        w = np.asarray(log_so3(R), dtype=np.float64).reshape(-1, _VECTORS)
        z = np.empty((len(w), self.latent_dim))
        for i, one in enumerate(w):
            white = matvec(self._inverses, one - self.density.means)
            k = np.argmax(self._heights - 0.5 * np.sum(white * white, axis=-1))
            z[i] = np.append(white[k], k)
        return as_kind(z.reshape(*R.shape[:-3], self.latent_dim), R)

    def decode(self, z: Array) -> Array:
        return exp_so3(self._vectors(z))

    def decode_with_jacobian(self, z: Array) -> tuple[Array, Array]:
        """Poses, and the right Jacobians of the exponential, `I - b K + c K^2`, after the Gaussian's factor."""
        xp = namespace(z)
        w, factor = self._vectors(z), self._factors.like(z)[self._which(z)]
        t2 = xp.sum(w * w, axis=-1)[..., None, None]
        small = t2 < _SMALL
        safe = xp.where(small, xp.ones_like(t2), t2)
        t, K = xp.sqrt(safe), skew(w)
        b = xp.where(small, 0.5 - t2 / 24, (1 - xp.cos(t)) / safe)
        c = xp.where(small, 1 / 6 - t2 / 120, (t - xp.sin(t)) / (safe * t))
        blocks = identity_like(z, ()) - b * K + c * (K @ K)  # (..., 21, 3, 3)
        W = blocks @ xp.reshape(factor, (*w.shape, _VECTORS))
        return exp_so3(w), xp.concat([W, 0 * W[..., :1]], axis=-1)

    def guess(self, joints: Array, seen: Array) -> tuple[Array, Array]:
        """As `base.Prior.guess`: the lender's."""
        z, R_root = self._lender.guess(joints, seen)
        return self.encode(self._lender.decode(z)), R_root

    def sample(self, n: int, seed: int) -> np.ndarray:
        which, noise = self.density.draw(n, seed)
        return np.concatenate([noise, which[:, None]], axis=1)

    def log_density(self, z: Array) -> Array:
        """Of the rotation vectors."""
        w = self._vectors(z)
        return self.density.log_density(namespace(z).reshape(w, (*w.shape[:-2], _VECTORS)))

    def _which(self, z: Array) -> Array:
        xp = namespace(z)
        return xp.astype(xp.round(z[..., -1]), xp.int64)

    def _vectors(self, z: Array) -> Array:
        """Rotation vectors (..., 21, 3): one Gaussian after another, as a factor for each latent is 32 kB."""
        xp, which = namespace(z), self._which(z)
        w = xp.asarray(self._means.like(z)[which], copy=True)
        for k in np.unique(np.asarray(which)).tolist():
            rows = which == k
            w[rows] = w[rows] + z[rows][..., :_VECTORS] @ self._factors.like(z)[k].T
        return xp.reshape(w, (*w.shape[:-1], N_POSE, 3))


def pose_mixture(data: EvaluationData, lender: Prior, components: int = _COMPONENTS) -> PoseMixture:
    """A mixture fitted to the training poses, subjects weighed as when priors are trained."""
    w = log_so3(data.train.R.astype(np.float64)).reshape(len(data.train), -1)
    return PoseMixture(data.rest_joints, fit_mixture(w, data.train.weight, components, SEED), lender)
