# SPDX-License-Identifier: Apache-2.0
"""A critic of random weights, for tests of what its arrays mean."""

import numpy as np

from vendor_core.skeleton import N_POSE


def critic_arrays(seed: int = 0, width: int = 8) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "critic_W0": rng.normal(size=(width, 9 * N_POSE)) / 10,
        "critic_b0": np.zeros(width),
        "critic_W1": rng.normal(size=(N_POSE + 1, width)),
        "critic_b1": np.zeros(N_POSE + 1),
        "critic_odds": np.cumsum(rng.uniform(0.2, 2, (N_POSE + 1, 4)), axis=1) - 3,
        "critic_shares": np.array([0.9, 0.5, 0.1, 0.01]),
    }
