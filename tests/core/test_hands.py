# SPDX-License-Identifier: Apache-2.0
"""Relaxed hands and fists bend into the palm, close up, and mirror each other."""

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.body.hands import flat_hands, preset_hands, relaxed_hands
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


def test_a_fist_closes_on_the_palm_with_the_thumb_across_it() -> None:
    fist = _joints(preset_hands("fist"))
    for finger in ("index", "middle", "ring", "pinky"):
        first, second, third = (fist[f"left_{finger}{i}"] for i in (1, 2, 3))
        assert second[1] < first[1] - 0.015  # down into the palm
        assert third[0] < second[0] - 0.01  # and back to the wrist
        assert abs(third[2] - first[2]) < 0.02  # not sideways
    reach, of_flat = (hand["left_thumb3"] - hand["left_thumb1"] for hand in (fist, _joints(flat_hands())))
    assert reach[2] < 0.3 * of_flat[2] and fist["left_thumb3"][1] < fist["left_index2"][1]  # across, below the fingers


def test_only_the_index_finger_points() -> None:
    fist, point = _joints(preset_hands("fist")), _joints(preset_hands("point"))
    along = point["left_index3"] - point["left_index1"]
    assert along[0] > 0.98 * np.linalg.norm(along)
    differ = {name for name in JOINTS[25:] if not np.allclose(fist[name], point[name])}
    assert differ == {f"{side}_index{i}" for side in ("left", "right") for i in (2, 3)}


@pytest.mark.parametrize("preset", ["relaxed", "fist", "point"])
def test_right_hand_mirrors_the_left(preset) -> None:
    posed = _joints(preset_hands(preset))
    for joint in JOINTS[25:40]:
        mirrored = posed[joint] * (-1, 1, 1)
        assert np.allclose(posed[joint.replace("left", "right")], mirrored, atol=3e-3)
