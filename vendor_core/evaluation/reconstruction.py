# SPDX-License-Identifier: Apache-2.0
"""How well a prior gives back poses that it has not seen.

Encoded and decoded here; the latent nearest to a pose's joints is the task `joints_22` of `inverse`, latent alone.
"""

import numpy as np

from ..prior.base import Prior
from ..rotations import rotation_angle
from .data import EvaluationData


def reconstruction(prior: Prior, data: EvaluationData) -> dict[str, float]:
    """Mean joint and vertex distance (`mpjpe`, `mpvpe`), mm, and mean joint angle (`deg`), over the split's poses."""
    truth = data.held_out.R
    R = prior.decode(prior.encode(truth))
    joints, vertices = (
        1e3 * float(np.linalg.norm(place(R) - place(truth), axis=-1).mean()) for place in (data.joints, data.surface)
    )
    angle = rotation_angle(np.swapaxes(R, -1, -2) @ truth)
    return {"mpjpe": joints, "mpvpe": vertices, "deg": float(np.degrees(angle.mean()))}
