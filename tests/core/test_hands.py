# SPDX-License-Identifier: Apache-2.0
"""Relaxed hands bend into the palm, close up, and mirror each other."""

import numpy as np

from vendor_core.body import default_body
from vendor_core.body.hands import flat_hands, relaxed_hands
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import JOINTS


def _joints(hands: np.ndarray) -> dict[str, np.ndarray]:
    R = np.broadcast_to(np.eye(3), (55, 3, 3)).copy()
    R[25:] = exp_so3(hands)
    return dict(zip(JOINTS, default_body().pose(R).joints, strict=True))


def test_fingers_bend_down_and_inwards_and_close_up() -> None:
    flat, relaxed = _joints(flat_hands()), _joints(relaxed_hands())
    for finger in ("index", "middle", "ring", "pinky"):
        step = relaxed[f"left_{finger}3"] - flat[f"left_{finger}3"]
        assert step[1] < -0.01 and step[0] < 0  # the palm faces down, fingers point along +X

    def spread(joints: dict[str, np.ndarray]) -> float:
        return joints["left_index3"][2] - joints["left_pinky3"][2]

    assert spread(relaxed) < 0.95 * spread(flat)
    gap_flat, gap = (np.linalg.norm(j["left_thumb3"] - j["left_index1"]) for j in (flat, relaxed))
    assert gap < gap_flat


def test_right_hand_mirrors_the_left() -> None:
    relaxed = _joints(relaxed_hands())
    for joint in JOINTS[25:40]:
        mirrored = relaxed[joint] * (-1, 1, 1)
        assert np.allclose(relaxed[joint.replace("left", "right")], mirrored, atol=2e-3)
