# SPDX-License-Identifier: Apache-2.0
"""The SMPL-X joint tree: names, parents, left/right pairs and the groups that an artist can lock.

Panels ask for them at every drawing, so nothing heavy is imported here, not even NumPy.
"""

from .errors import TargetError

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")

BODY_JOINTS: tuple[str, ...] = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2",
    "left_ankle", "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar",
    "right_collar", "head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist",
)  # fmt: skip
"""The 22 joints of the body, the pelvis first."""
JOINTS: tuple[str, ...] = (
    *BODY_JOINTS, "jaw", "left_eye_smplhf", "right_eye_smplhf",
    *(f"{side}_{finger}{i}" for side in ("left", "right") for finger in _FINGERS for i in (1, 2, 3)),
)  # fmt: skip
"""The 55 joints of SMPL-X in the order of its files."""

N_BODY = len(BODY_JOINTS)  # 22, the pelvis included
N_POSE = N_BODY - 1  # 21 joints that the prior models


def _parents() -> tuple[int, ...]:
    body = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19]
    face = [15, 15, 15]
    hands = [wrist if i == 0 else first + 3 * finger + i - 1
             for wrist, first in ((20, 25), (21, 40)) for finger in range(5) for i in range(3)]  # fmt: skip
    return (*body, *face, *hands)


PARENTS: tuple[int, ...] = _parents()
"""Of each of `JOINTS` the one that it hangs from; -1 for the pelvis."""
BODY_PARENTS: tuple[int, ...] = PARENTS[:N_BODY]


def mirrored_name(name: str) -> str:
    """The same joint on the other side; a joint of the middle is its own mirror image."""
    for side, other in (("left_", "right_"), ("right_", "left_")):
        if name.startswith(side):
            return other + name[len(side) :]
    return name


MIRROR: tuple[int, ...] = tuple(JOINTS.index(mirrored_name(name)) for name in JOINTS)


JOINT_GROUPS: dict[str, tuple[str, ...]] = {
    "left_arm": ("left_collar", "left_shoulder", "left_elbow", "left_wrist"),
    "right_arm": ("right_collar", "right_shoulder", "right_elbow", "right_wrist"),
    "left_leg": ("left_hip", "left_knee", "left_ankle", "left_foot"),
    "right_leg": ("right_hip", "right_knee", "right_ankle", "right_foot"),
    "torso": ("spine1", "spine2", "spine3"),
    "head": ("neck", "head"),
}
"""Joints that move together, by the names that `--lock` takes."""


def joint_index(name: str) -> int:
    """Index in `JOINTS` of a joint given by name.

    Raises:
        TargetError: no such joint; the message lists the body's joints.
    """
    try:
        return JOINTS.index(name)
    except ValueError:
        raise TargetError(f'No joint is called "{name}". Expected one of: {", ".join(BODY_JOINTS)}') from None
