# SPDX-License-Identifier: Apache-2.0
"""Directions of the latent space do what their names say, from real poses too."""

import numpy as np
import pytest

from vendor_core.body.kinematics import BODY_TREE
from vendor_core.prior import load_prior
from vendor_core.prior.directions import principal_directions, slider_base
from vendor_core.skeleton import BODY_JOINTS

PRIOR = load_prior()
DIRECTIONS = principal_directions(PRIOR)


def _joints(R: np.ndarray) -> dict[str, np.ndarray]:
    """Positions of joints in a pose (21, 3, 3), metres from the pelvis, Y up."""
    G = BODY_TREE.global_rotations(np.concatenate([np.eye(3)[None], R]))
    p = BODY_TREE.positions(G, PRIOR.rest_joints, np.zeros(3))
    return dict(zip(BODY_JOINTS, p - p[0], strict=True))


def test_the_directions_are_the_same_again_and_all_have_names() -> None:
    principal_directions.cache_clear()
    again = principal_directions(PRIOR)
    assert again.names == DIRECTIONS.names and np.allclose(again.steps, DIRECTIONS.steps, atol=1e-9)
    assert len(set(again.names)) == 10 and again.steps.shape == (10, PRIOR.latent_dim)


_WAYS = {"Up": (0, 1, 0), "Forward": (0, 0, 1), "Out": (1, 0, 0)}


@pytest.mark.parametrize(
    "name", [name for name in DIRECTIONS.names if name.split()[-1] in _WAYS and "Lean" not in name]
)
def test_a_limb_goes_where_the_name_says(name) -> None:
    side, part, way = name.lower().split()
    end, start = {"arm": ("wrist", "shoulder"), "leg": ("ankle", "hip")}[part]
    axis = np.array(_WAYS[way.title()]) * (-1 if side == "right" else 1, 1, 1)
    values = np.eye(10)[DIRECTIONS.names.index(name)]
    moved = []
    for z in PRIOR.sample(30, 1):
        base = slider_base(PRIOR, DIRECTIONS, PRIOR.decode(z), np.zeros(10))
        low, high = (_joints(base.posed(PRIOR, DIRECTIONS, s * values)) for s in (-1, 1))
        moved.append(sum(s * (j[f"{side}_{end}"] - j[f"{side}_{start}"]) @ axis for s, j in ((-1, low), (1, high))))
    assert np.mean(np.array(moved) > 0) > 0.8 and np.mean(moved) > 0.05


def test_crouching_brings_the_feet_nearer_to_the_pelvis() -> None:
    values = np.eye(10)[DIRECTIONS.names.index("Crouch")]
    for z in PRIOR.sample(10, 2):
        base = slider_base(PRIOR, DIRECTIONS, PRIOR.decode(z), np.zeros(10))
        low, high = (_joints(base.posed(PRIOR, DIRECTIONS, s * values)) for s in (-1, 1))
        assert high["left_ankle"][1] + high["right_ankle"][1] > low["left_ankle"][1] + low["right_ankle"][1]


def test_a_base_gives_its_pose_at_the_values_it_was_made_for() -> None:
    R = np.broadcast_to(np.eye(3), (21, 3, 3))
    values = np.linspace(-1, 1, 10)
    base = slider_base(PRIOR, DIRECTIONS, R, values)
    assert np.allclose(base.posed(PRIOR, DIRECTIONS, values), R, atol=1e-9)
