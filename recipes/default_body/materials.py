# SPDX-License-Identifier: Apache-2.0
"""Material slots of the default body: a clay-coloured figure in a two-tone training suit."""

from dataclasses import dataclass

import numpy as np

from vendor_core.skeleton import JOINTS

# name -> linear base colour RGBA, roughness
MATERIALS: dict[str, tuple[tuple[float, float, float, float], float]] = {
    "skin": ((0.46, 0.27, 0.19, 1.0), 0.55),
    "suit": ((0.035, 0.07, 0.11, 1.0), 0.75),
    "trim": ((0.30, 0.11, 0.04, 1.0), 0.7),
    "lips": ((0.36, 0.15, 0.12, 1.0), 0.5),
    "eye_white": ((0.75, 0.75, 0.74, 1.0), 0.25),
    "iris": ((0.09, 0.045, 0.02, 1.0), 0.2),
    "pupil": ((0.004, 0.004, 0.004, 1.0), 0.1),
}
_SLOT = {name: slot for slot, name in enumerate(MATERIALS)}


@dataclass(frozen=True)
class Figure:
    """The template in its T pose: points, faces, joints and who moves what."""

    vertices: np.ndarray  # (V, 3)
    quads: np.ndarray  # (Q, 4)
    joints: np.ndarray  # (55, 3)
    weights: np.ndarray  # (V, 55)


def assign_materials(figure: Figure) -> np.ndarray:
    """Material slot (Q,) of each quad."""
    centre = figure.vertices[figure.quads].mean(1)
    follows = figure.weights[figure.quads].mean(1)
    material = np.full(len(figure.quads), _SLOT["skin"])
    material[_in_suit(figure, centre, follows)] = _SLOT["suit"]
    _paint_eyes(figure, centre, follows, material)
    return material


def _in_suit(figure: Figure, centre: np.ndarray, follows: np.ndarray) -> np.ndarray:
    at = {name: figure.joints[i] for i, name in enumerate(JOINTS)}
    trunk = follows[:, [JOINTS.index(n) for n in ("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar")]]
    inside = trunk.sum(1) > 0.5
    inside &= centre[:, 1] < at["neck"][1] - 0.01
    for side in ("left", "right"):
        for start, end, reach in (("hip", "knee", 0.55), ("shoulder", "elbow", 0.45)):
            a, b = at[f"{side}_{start}"], at[f"{side}_{end}"]
            along = (centre - a) @ (b - a) / ((b - a) @ (b - a))
            inside |= (follows[:, JOINTS.index(f"{side}_{start}")] > 0.5) & (along < reach)
    return inside


def _paint_eyes(figure: Figure, centre: np.ndarray, follows: np.ndarray, material: np.ndarray) -> None:
    """Iris and pupil are the rings about the front of each eyeball."""
    for side in ("left", "right"):
        eye = np.flatnonzero(follows[:, JOINTS.index(f"{side}_eye_smplhf")] > 0.5)
        balls = np.unique(figure.quads[eye])
        middle = 0.5 * (figure.vertices[balls].max(0) + figure.vertices[balls].min(0))
        ahead = (centre[eye] - middle)[:, 2] / np.linalg.norm(centre[eye] - middle, axis=1)
        angle = np.degrees(np.arccos(np.clip(ahead, -1, 1)))
        material[eye] = np.select([angle < 16, angle < 36], [_SLOT["pupil"], _SLOT["iris"]], _SLOT["eye_white"])
