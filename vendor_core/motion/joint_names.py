# SPDX-License-Identifier: Apache-2.0
"""Which of a foreign skeleton's joints stands for which of SMPL's, by their names."""

import re
from collections.abc import Sequence

_PREFIX = re.compile(r"^.*:")  # of a namespace, such as mixamorig:
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SIDES = {"left": "left_", "l": "left_", "right": "right_", "r": "right_"}
_SIDED = {  # the first of these that a skeleton has on a side is taken
    "hip": ("upleg", "upperleg", "thigh", "hip", "femur"),
    "knee": ("knee", "leg", "lowerleg", "lowleg", "shin", "calf", "tibia"),
    "ankle": ("ankle", "foot"),
    "foot": ("toebase", "toe", "toes", "ball"),
    "collar": ("collar", "clavicle"),
    "shoulder": ("upperarm", "uparm", "arm", "shoulder", "humerus"),
    "elbow": ("elbow", "forearm", "lowerarm", "lowarm"),
    "wrist": ("wrist", "hand"),
}
_MIDDLE = {"pelvis": ("hips", "pelvis", "hip", "root"), "neck": ("neck",), "head": ("head",)}
"""The joints of the spine are left out: skeletons divide it at other heights."""


def joints_of_skeleton(names: Sequence[str]) -> dict[str, int]:
    """The index of the joint that stands for each of SMPL's body joints, where the names tell.

    "LeftShoulder" is a collar where there is a "LeftArm" too, "LeftFoot" an ankle, "LHipJoint" nothing where there is
    a "LeftUpLeg".
    """
    parts: dict[tuple[str, str], int] = {}
    for index, name in enumerate(names):
        words = [word.lower() for word in _WORDS.findall(_side_apart(_PREFIX.sub("", name)))]
        sides = [_SIDES[word] for word in words if word in _SIDES]
        if len(sides) <= 1:
            part = "".join(word for word in words if word not in _SIDES)
            parts.setdefault((sides[0] if sides else "", part), index)
    found = {joint: parts["", part] for joint, part in _first("", _MIDDLE, parts)}
    for side in ("left_", "right_"):
        found |= {side + joint: parts[side, part] for joint, part in _first(side, _SIDED, parts)}
        for part, beside, joint in (("shoulder", "arm", "collar"), ("foot", "ankle", "foot")):
            if (side, beside) in parts and (side, part) in parts:
                found.setdefault(side + joint, parts[side, part])
    return found


def _first(side: str, table: dict[str, tuple[str, ...]], parts: dict[tuple[str, str], int]) -> list[tuple[str, str]]:
    chosen = [(joint, next((part for part in known if (side, part) in parts), None)) for joint, known in table.items()]
    return [(joint, part) for joint, part in chosen if part is not None]


def _side_apart(name: str) -> str:
    """`lThigh`, `LHipJoint` and `RThumb` with their side as a word of its own."""
    return re.sub(r"^([lLrR])(?=[A-Z][a-z])", r"\1_", name)
