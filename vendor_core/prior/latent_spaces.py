# SPDX-License-Identifier: Apache-2.0
"""Where the latents of a prior lie: how they are drawn, where a solver draws them to, and the way between two.

Each number of a latent has a spread of about 1 in all of them, so that a step means as much in each. The three are
those of Davydov et al., "Adversarial Parametric Pose Prior", CVPR 2022, whose sphere has radius 1 and whose box
reaches from -1 to 1: `to_network` goes over to these.
"""

from math import lgamma, log, pi, sqrt
from typing import Protocol

import numpy as np

from ..arrays import Array, namespace

_LOG_2PI = log(2 * pi)
_SHORT = 1e-12  # of a vector without a direction


class LatentSpace(Protocol):
    """Arrays may be NumPy's or torch's, latents z (..., L)."""

    name: str

    def sample(self, n: int, latent_dim: int, seed: int) -> np.ndarray:
        """n latents (n, L), float64; the seed decides them."""
        ...

    def nearest(self, z: Array) -> Array:
        """The latents of the space next to any numbers (..., L)."""
        ...

    def off(self, z: Array) -> Array:
        """How far latents are from where a solver draws them to, (..., L)."""
        ...

    def to_network(self, z: Array) -> Array:
        """What a decoder takes, (..., L)."""
        ...

    def by_latent(self, z: Array, J: Array) -> Array:
        """Derivatives (..., L) by latents, from those J (..., L), with more axes, by what a decoder takes."""
        ...

    def log_density(self, z: Array) -> Array:
        """Log densities (...), nats."""
        ...

    def between(self, z_start: np.ndarray, z_end: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Latents (T, L) on the way from one (L,) to another at times (T,), 0 to 1."""
        ...


class Normal:
    """N(0, I), drawn to 0, its paths straight."""

    name = "normal"

    def sample(self, n: int, latent_dim: int, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).standard_normal((n, latent_dim))

    def nearest(self, z: Array) -> Array:
        return z

    def off(self, z: Array) -> Array:
        return z

    def to_network(self, z: Array) -> Array:
        return z

    def by_latent(self, z: Array, J: Array) -> Array:
        return J

    def log_density(self, z: Array) -> Array:
        return -0.5 * namespace(z).sum(z * z, axis=-1) - z.shape[-1] / 2 * _LOG_2PI

    def between(self, z_start: np.ndarray, z_end: np.ndarray, t: np.ndarray) -> np.ndarray:
        return (1 - t[:, None]) * z_start + t[:, None] * z_end


class Box(Normal):
    """Uniform from -sqrt 3 to sqrt 3, all alike likely within, drawn to it from without."""

    name = "box"
    half = sqrt(3.0)

    def sample(self, n: int, latent_dim: int, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).uniform(-self.half, self.half, (n, latent_dim))

    def nearest(self, z: Array) -> Array:
        return namespace(z).clip(z, -self.half, self.half)

    def off(self, z: Array) -> Array:
        return z - self.nearest(z)

    def to_network(self, z: Array) -> Array:
        return z / self.half

    def by_latent(self, z: Array, J: Array) -> Array:
        return J / self.half

    def log_density(self, z: Array) -> Array:
        """As within for what is without: it is nearly there, and a density of 0 has no slope."""
        xp = namespace(z)
        return xp.zeros_like(z[..., 0]) - z.shape[-1] * log(2 * self.half)


class Sphere:
    """Uniform on the sphere of radius sqrt L. A latent off it counts as the one in its direction."""

    name = "sphere"

    def sample(self, n: int, latent_dim: int, seed: int) -> np.ndarray:
        return self.nearest(np.random.default_rng(seed).standard_normal((n, latent_dim)))

    def nearest(self, z: Array) -> Array:
        return sqrt(z.shape[-1]) * self.to_network(z)

    def off(self, z: Array) -> Array:
        return z - self.nearest(z)

    def to_network(self, z: Array) -> Array:
        """Unit vectors (..., L); of a zero the first axis."""
        xp = namespace(z)
        some = xp.any(xp.abs(z) > _SHORT, axis=-1, keepdims=True)
        first = xp.zeros_like(z)
        first[..., 0] = 1
        safe = xp.where(some, z, first)  # before the root, whose slope at 0 is none
        return safe / _length(safe)

    def by_latent(self, z: Array, J: Array) -> Array:
        """`J (I - u u^T) / |z|` for the unit vector u of z."""
        xp = namespace(z)
        around = (*z.shape[:-1], *[1] * (J.ndim - z.ndim), z.shape[-1])
        u = xp.reshape(self.to_network(z), around)
        length = xp.reshape(xp.clip(_length(z), _SHORT, None), (*around[:-1], 1))
        return (J - xp.sum(J * u, axis=-1, keepdims=True) * u) / length

    def log_density(self, z: Array) -> Array:
        """One by the area of the sphere, everywhere: there is no likelier latent."""
        n = z.shape[-1]
        area = log(2) + n / 2 * log(pi) - lgamma(n / 2) + (n - 1) / 2 * log(n)
        return namespace(z).zeros_like(z[..., 0]) - area

    def between(self, z_start: np.ndarray, z_end: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Along the great circle (slerp); of two opposite ends the ways are alike, and one of them is taken."""
        a, b = self.to_network(z_start), self.to_network(z_end)
        across = b - (a @ b) * a
        across -= (a @ across) * a  # again: what rounding left
        theta = np.arctan2(np.linalg.norm(across), a @ b)
        if np.linalg.norm(across) < 1e-7:
            least = np.eye(len(a))[np.argmin(np.abs(a))]
            across = least - (a @ least) * a
        u = across / np.linalg.norm(across)
        angle = theta * t[:, None]
        return sqrt(len(a)) * (np.cos(angle) * a + np.sin(angle) * u)


def _length(z: Array) -> Array:
    """(..., 1)."""
    xp = namespace(z)
    return xp.sqrt(xp.sum(z * z, axis=-1, keepdims=True))


NORMAL = Normal()
SPACES: dict[str, LatentSpace] = {space.name: space for space in (NORMAL, Box(), Sphere())}
"""By their names."""
