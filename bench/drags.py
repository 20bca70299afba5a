# SPDX-License-Identifier: Apache-2.0
"""What an artist's hand does: one effector dragged along a continuous path, a centimetre at a time."""

from dataclasses import dataclass

import numpy as np

from vendor_core.body import BodyModel
from vendor_core.skeleton import BODY_JOINTS

from .motion import random_poses
from .rows import Settings

EFFECTORS = ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
DRAGGED = EFFECTORS[1:]
STEP = 0.01  # metres
_REACH = 0.15  # metres: farther from where it began, the path bends back
_BEND = 0.35  # how much a step may turn off the one before


@dataclass(frozen=True)
class Drag:
    """One effector on its way; the others stay where they are."""

    effector: str
    R_local: np.ndarray  # (22, 3, 3) the pose that it starts from
    trans: np.ndarray  # (3,) metres
    targets: np.ndarray  # (S, 6, 3) metres, Y up, of EFFECTORS; row 0 is a real pose


def drags(settings: Settings, body: BodyModel, n: int, steps: int, seed: int = 21) -> list[Drag]:
    """n drags of so many steps, from poses of the split; the effectors take turns."""
    rng = np.random.default_rng(seed)
    R_local, joints = random_poses(settings, body, n, seed)
    trans = joints[:, 0] - body.joints_template[0]
    start = joints[:, [BODY_JOINTS.index(name) for name in EFFECTORS]]
    made = []
    for i in range(n):
        effector = DRAGGED[i % len(DRAGGED)]
        targets = np.repeat(start[i : i + 1], steps + 1, axis=0)
        targets[:, EFFECTORS.index(effector)] += _path(rng, steps)
        made.append(Drag(effector, R_local[i], trans[i], targets))
    return made


def _path(rng: np.random.Generator, steps: int) -> np.ndarray:
    """(steps + 1, 3) metres: equal steps in a direction that wanders, and that is drawn back from far out."""
    at, heading = np.zeros((steps + 1, 3)), rng.normal(size=3)
    heading /= np.linalg.norm(heading)
    for i in range(steps):
        heading = heading + _BEND * rng.normal(size=3) - 0.5 * at[i] / _REACH * (np.linalg.norm(at[i]) > _REACH)
        heading /= np.linalg.norm(heading)
        at[i + 1] = at[i] + STEP * heading
    return at
