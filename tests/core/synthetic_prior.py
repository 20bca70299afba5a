# SPDX-License-Identifier: Apache-2.0
"""A prior of random weights: smooth and valid, for tests of what is built on any prior."""

from itertools import pairwise

import numpy as np

from vendor_core.prior.guess import N_FEATURES
from vendor_core.prior.vae import FORMAT, VaePrior
from vendor_core.skeleton import N_BODY, N_POSE


def random_prior(seed: int = 0, latent: int = 32, width: int = 48) -> VaePrior:
    rng = np.random.default_rng(seed)
    arrays: dict[str, np.ndarray] = {"format": np.array(FORMAT), "rest_joints": rng.normal(size=(N_BODY, 3))}
    networks = {
        "encoder": (9 * N_POSE, width, latent),
        "decoder": (latent, width, width, 6 * N_POSE),
        "guess": (N_FEATURES, width, latent + 6),
    }
    for part, sizes in networks.items():
        for k, (n_in, n_out) in enumerate(pairwise(sizes)):
            arrays[f"{part}_W{k}"] = rng.normal(size=(n_out, n_in)) / np.sqrt(n_in)
            arrays[f"{part}_b{k}"] = np.zeros(n_out)
    last = f"decoder_b{2}"
    arrays[last] = np.tile([1.0, 0, 0, 0, 1, 0], N_POSE)
    n_packed = latent * (latent + 1) // 2
    arrays |= {"density_weights": np.ones(1), "density_means": np.zeros((1, latent))}
    arrays["density_cholesky"] = np.eye(latent)[np.tril_indices(latent)].reshape(1, n_packed)
    return VaePrior(arrays, "random")
