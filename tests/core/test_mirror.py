# SPDX-License-Identifier: Apache-2.0
"""Mirror images of poses against the mirror images of the joints' places."""

import numpy as np
import pytest

from vendor_core.motion.mirror import mirrored
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import MIRROR, PARENTS


@pytest.mark.parametrize("joints", [22, 55])
def test_joints_lie_where_a_mirror_shows_them(joints: int) -> None:
    rng = np.random.default_rng(0)
    R = exp_so3(0.5 * rng.standard_normal((4, joints, 3)))
    left = rng.standard_normal((4, 3))
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    offsets = rng.standard_normal((joints, 3)) * 0.1
    swap = list(MIRROR[:joints])
    offsets = (offsets + offsets[swap] * [-1, 1, 1]) / 2  # a body that is its own mirror image
    offsets[0] = 0
    p, p_mirrored = (_places(x, offsets) for x in (R, mirrored(R, left)))
    seen = p - 2 * np.einsum("fjk,fk->fj", p, left)[..., None] * left[:, None]
    assert np.allclose(p_mirrored, seen[:, swap], atol=1e-12)


def test_a_mirror_image_of_a_mirror_image_is_the_pose() -> None:
    R = exp_so3(np.random.default_rng(1).standard_normal((3, 55, 3)))
    left = np.tile([1.0, 0, 0], (3, 1))
    assert np.allclose(mirrored(mirrored(R, left), left), R, atol=1e-12)
    assert np.allclose(np.linalg.det(mirrored(R, left)), 1)


def _places(R: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Positions (F, J, 3) of joints, link by link."""
    G, p = [R[:, 0]], [np.zeros((len(R), 3))]
    for j in range(1, R.shape[1]):
        up = PARENTS[j]
        G.append(G[up] @ R[:, j])
        p.append(p[up] + G[up] @ offsets[j])
    return np.stack(p, axis=1)
