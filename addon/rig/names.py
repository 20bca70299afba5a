# SPDX-License-Identifier: GPL-3.0-or-later
"""Which joint a bone or an empty stands for, by its name."""

import re
from collections.abc import Iterable
from functools import lru_cache

from ...vendor_core.skeleton import BODY_JOINTS, JOINTS

LOOK_AT = "look_at"
"""What the target of the gaze stands for, where others stand for a joint."""

_PREFIX = re.compile(r"^(?:.*:)?(?:[mfn]_avg_)?")
_NUMBERED = re.compile(r"^J(\d\d)$")
_TOKENS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SIDES = {"left": "left", "l": "left", "right": "right", "r": "right"}
_SIDED_PARTS = {
    "collar": "collar", "clavicle": "collar",
    "shoulder": "shoulder", "arm": "shoulder", "upperarm": "shoulder",
    "elbow": "elbow", "forearm": "elbow", "lowerarm": "elbow",
    "wrist": "wrist", "hand": "wrist",
    "hip": "hip", "upleg": "hip", "thigh": "hip", "upperleg": "hip",
    "knee": "knee", "leg": "knee", "shin": "knee", "calf": "knee", "lowerleg": "knee",
    "ankle": "ankle",
    "foot": "foot", "toe": "foot", "toes": "foot", "toebase": "foot", "ball": "foot",
}  # fmt: skip
_MIDDLE_PARTS = {
    "pelvis": "pelvis", "hips": "pelvis", "root": "pelvis", "spine1": "spine1", "spine": "spine1", "spine2": "spine2",
    "spine3": "spine3", "chest": "spine3", "neck": "neck", "head": "head", "jaw": "jaw",
}  # fmt: skip


@lru_cache(maxsize=4096)
def joint_of_bone(name: str) -> str | None:
    """The SMPL joint that a bone's name means: `left_hip`, `L_Hip`, `m_avg_L_Hip`, `J01`; None for any other."""
    bare = _PREFIX.sub("", name)
    numbered = _NUMBERED.match(bare)
    if numbered:
        index = int(numbered[1])
        return BODY_JOINTS[index] if index < len(BODY_JOINTS) else None
    bare = bare.lower()
    for short, long in (("l_", "left_"), ("r_", "right_")):
        if bare.startswith(short):
            bare = long + bare[2:]
    return bare if bare in JOINTS else None


def bones_of_joints(bone_names: Iterable[str]) -> dict[str, str]:
    """The bone that stands for each joint, in the joints' order; exact names win over other spellings."""
    names = list(bone_names)
    found = {joint: name for name in names if (joint := joint_of_bone(name))}
    found.update({name: name for name in names if name in JOINTS})
    return {joint: found[joint] for joint in JOINTS if joint in found}


def missing_body_bones(bone_names: Iterable[str]) -> list[str]:
    """The body joints for which no bone stands; empty for a rig of the SMPL family."""
    found = bones_of_joints(bone_names)
    return [joint for joint in BODY_JOINTS if joint not in found]


@lru_cache(maxsize=4096)
def joint_of_target(name: str) -> str | None:
    """The joint that an empty's name means: `Target.left_wrist`, `left_wrist.001`, `LeftHand`, `hand.L`; or None."""
    bare = re.sub(r"\.\d+$", "", _PREFIX.sub("", name))
    bare = re.sub(r"^target[._ -]*", "", bare, flags=re.IGNORECASE)
    if bare.lower() in JOINTS:
        return bare.lower()
    tokens = [token.lower() for token in _TOKENS.findall(bare)]
    sides = [_SIDES[token] for token in tokens if token in _SIDES]
    part = "".join(token for token in tokens if token not in _SIDES)
    if len(sides) == 1 and part in _SIDED_PARTS:
        return f"{sides[0]}_{_SIDED_PARTS[part]}"
    return _MIDDLE_PARTS.get(part) if not sides else None
