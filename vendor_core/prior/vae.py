# SPDX-License-Identifier: Apache-2.0
"""The variational auto-encoder of poses: inference for NumPy and torch from one file of weights.

After Pavlakos et al., "Expressive Body Capture" (VPoser), CVPR 2019, with a smooth activation and a density of the
encodings fitted after training. The file is an npz of plain arrays, written by `training.train_prior`:
`format` (text), `encoder_W0`, `encoder_b0`, ..., `decoder_W0`, ..., `guess_W0`, ..., `density_*`, `rest_joints`
(22, 3), and the texts `license`, `provenance`, `command`, `data`, `attribution`. The encoder ends in the latent's L
means, or in its means and L log variances.
"""

from collections.abc import Mapping

import numpy as np

from ..arrays import Array, namespace
from ..errors import PriorError
from ..npz import text_of
from ..skeleton import N_BODY, N_POSE
from .autoencoder import AutoEncoder
from .checks import checked_draw, checked_joints, checked_latents
from .density import mixture_from
from .guess import N_FEATURES, features, own_frame
from .network import network_from, rotations_of_outputs, usable

FORMAT = "poise vae 1"
LOG_VARIANCES = -12.0, 4.0
"""The least and the most that an encoder's log variance counts, in training and after."""


class VaePrior(AutoEncoder):
    """The auto-encoder with a density of its encodings and a learned initialiser; `name` is the file's stem."""

    def __init__(self, arrays: Mapping[str, np.ndarray], name: str):
        """Check and take the arrays of a prior file.

        Raises:
            PriorError: they are not those of a VAE prior.
        """
        check_arrays(arrays, FORMAT, name)
        rows = arrays.get("decoder_W0", np.zeros(0))
        if rows.ndim != 2 or rows.shape[1] == 0:
            raise PriorError(f"{name}: decoder_W0 has shape {rows.shape}; expected (width, latent)")
        n = int(rows.shape[1])
        rest_joints = arrays.get("rest_joints", np.zeros(0)).astype(np.float64)
        if rest_joints.shape != (N_BODY, 3):
            raise PriorError(f"{name}: rest_joints has shape {rest_joints.shape}; expected ({N_BODY}, 3)")
        super().__init__(
            name=name,
            encoder=network_from(arrays, "encoder", 9 * N_POSE, (n, 2 * n), name),
            decoder=network_from(arrays, "decoder", n, 6 * N_POSE, name),
            rest_joints=rest_joints,
            about={key: text_of(array) for key, array in arrays.items() if array.dtype.kind == "U"},
        )
        self._guesser = network_from(arrays, "guess", N_FEATURES, n + 6, name)
        self.density = mixture_from(arrays, n, name)

    def deviation(self, outputs: Array) -> Array:
        """Standard deviations (..., L) of latents; the least of all where the file's encoder has means alone."""
        xp, n = namespace(outputs), self.latent_dim
        least, most = LOG_VARIANCES
        if outputs.shape[-1] == n:
            return xp.full_like(outputs, np.exp(0.5 * least))
        return xp.exp(0.5 * xp.clip(outputs[..., n:], least, most))

    def guess(self, joints: Array, seen: Array) -> tuple[Array, Array]:
        """A first guess of the pose behind some joints, for a solver to start from; learned.

        Args:
            joints: world positions (..., 22, 3) in metres, Y up; anything, NaN too, where unseen. The size
                of `rest_joints` is expected; `ik` scales other bodies to it.
            seen: (..., 22) bool; the more the better, hips and shoulders above all.

        Returns:
            z (..., L) and the world rotation R_root (..., 3, 3) of the pelvis.
        """
        joints, seen = checked_joints(joints, seen)
        xp = namespace(joints)
        joints = xp.where(seen[..., None], joints, xp.zeros_like(joints))
        R_frame, centre, torso = own_frame(joints, seen)
        y = self._guesser(features(joints, seen, R_frame, centre, torso))
        R_frame_root = rotations_of_outputs(y[..., self.latent_dim :])[..., 0, :, :]
        return y[..., : self.latent_dim], R_frame @ R_frame_root

    def sample(self, n: int, seed: int) -> np.ndarray:
        """n latents (n, L), float64, from the density of the training poses; the seed decides them."""
        return self.density.sample(*checked_draw(n, seed))

    def log_density(self, z: Array) -> Array:
        """Log densities (...), nats, of latents z (..., L) among the encodings of the training poses."""
        return self.density.log_density(checked_latents(z, self.latent_dim, self.name))


def check_arrays(arrays: Mapping[str, np.ndarray], expected: str, name: str) -> None:
    """Raises a PriorError where arrays are of another format, not finite, far too large, or no numbers and texts."""
    if text_of(arrays.get("format")) != expected:
        raise PriorError(f'{name} is no pose prior of Poise; expected an npz file with format "{expected}"')
    for key, array in arrays.items():
        if array.dtype.kind == "f" and not usable(array):
            raise PriorError(f'{name}: "{key}" holds numbers that are not finite or far too large; get the file anew')
        if array.dtype.kind != ("U" if array.ndim == 0 else "f"):
            raise PriorError(f'{name}: "{key}" is {array.dtype} of shape {array.shape}; expected arrays or one text')
