# SPDX-License-Identifier: Apache-2.0
"""Which of a foreign skeleton's joints stands for which of SMPL's, by their names.

Known are the names of Mixamo, MotionBuilder (HIK), Unreal, Unity, VRM, Rokoko, Xsens, Perception Neuron, OptiTrack,
Qualisys, 3ds Max Biped, Character Creator, Daz and Poser, DeepMotion, Rigify's fingers and limbs, and the BVH and ASF
releases of the CMU database.
"""

import re
from collections.abc import Sequence

_NAMESPACE = re.compile(r"^.*[:|]")
_PREFIX = re.compile(
    r"^(?:mixamorig\d*_|character\d*_|skeleton ?\d*_|valvebiped\.bip\d*_|bip\d*[ _]|j_bip_(?:c_)?|cc_base_|def-|org-|"
    r"[mfn]_avg_)",
    re.IGNORECASE,
)
_SUFFIX = re.compile(r"[_ .](?:jnt|joint)$", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SIDES = {"left": "left_", "l": "left_", "right": "right_", "r": "right_"}
_SIDED = {  # the first of these that a skeleton has on a side is taken
    "hip": ("upleg", "upperleg", "thigh", "hip", "femur"),
    "knee": ("knee", "leg", "lowerleg", "lowleg", "shin", "calf", "tibia"),
    "ankle": ("ankle", "foot"),
    "foot": ("toebase", "toe", "toes", "toe0", "ball"),
    "collar": ("collar", "clavicle"),
    "shoulder": ("upperarm", "uparm", "uarm", "arm", "shldr", "shoulder", "humerus"),
    "elbow": ("elbow", "forearm", "lowerarm", "lowarm", "farm", "radius"),
    "wrist": ("wrist", "hand"),
}
_MIDDLE = {
    "pelvis": ("hips", "pelvis", "hip", "root"),
    "neck": ("neck", "neck1", "neck01", "necktwist01", "lowerneck"),
    "head": ("head",),
}
"""The joints of the spine are left out: skeletons divide it at other heights."""
_PARTS = {part for parts in _SIDED.values() for part in parts}

_FINGER = re.compile(
    r"(?:hand|inhand|f)?(index|middle|mid|ring|pinky|little|thumb)(?:finger)?"
    r"(\d*|metacarpal|proximal|intermediate|medial|distal|tip|end)"
)
_NUMBERED_FINGER = re.compile(r"finger(\d)(\d*|metacarpal|proximal|intermediate|medial|distal|tip|end)")
_SAME_FINGER = {"mid": "middle", "little": "pinky"}
_IN_ORDER = ("thumb", "index", "middle", "ring", "pinky")
_PHALANGES = 3


def joints_of_skeleton(names: Sequence[str]) -> dict[str, int]:
    """The index of the joint that stands for each of SMPL's body joints, where the names tell.

    "LeftShoulder" is a collar where there is a "LeftArm" too, "LeftFoot" an ankle, "LHipJoint" nothing where there is
    a "LeftUpLeg".
    """
    parts: dict[tuple[str, str], int] = {}
    for index, name in enumerate(names):
        if (known := _side_and_part(name)) is not None:
            parts.setdefault(known, index)
    found = {joint: parts["", part] for joint, part in _first("", _MIDDLE, parts)}
    for side in ("left_", "right_"):
        found |= {side + joint: parts[side, part] for joint, part in _first(side, _SIDED, parts)}
        for part, beside, joint in (("shoulder", _ARM, "collar"), ("foot", ("ankle",), "foot")):
            if (side, part) in parts and any((side, other) in parts for other in beside):
                found.setdefault(side + joint, parts[side, part])
    return found


_ARM = tuple(part for part in _SIDED["shoulder"] if part != "shoulder")


def fingers_of_skeleton(names: Sequence[str]) -> dict[str, int]:
    """The index of the joint that stands for each of SMPL's finger joints: of fingers with two joints at least.

    Args:
        names: parents before children, as files have them: a finger's joints are taken in that order. Its bone in the
            palm is left out where three others follow, and so is its tip.
    """
    fingers: dict[tuple[str, str], list[tuple[str, int]]] = {}
    known = [(index, *found) for index, name in enumerate(names) if (found := _side_and_part(name)) is not None]
    numbers = [_NUMBERED_FINGER.fullmatch(part) for _, _, part in known]
    first = 0 if any(number is not None and number[1] == "0" for number in numbers) else 1
    for (index, side, part), number in zip(known, numbers, strict=True):
        named = _FINGER.fullmatch(part)
        if side and named is not None:
            finger = _SAME_FINGER.get(named[1], named[1])
            fingers.setdefault((side, finger), []).append((named[2] if "inhand" not in part else "metacarpal", index))
        elif side and number is not None and 0 <= int(number[1]) - first < len(_IN_ORDER):
            fingers.setdefault((side, _IN_ORDER[int(number[1]) - first]), []).append((number[2], index))
    return {
        f"{side}{finger}{i + 1}": index
        for (side, finger), joints in fingers.items()
        for i, index in enumerate(_phalanges(finger, joints))
    }


def _phalanges(finger: str, joints: list[tuple[str, int]]) -> list[int]:
    bare = [index for kind, index in joints if kind not in ("tip", "end")]
    beyond = [index for kind, index in joints if kind not in ("tip", "end", "metacarpal")]
    chosen = (beyond if finger != "thumb" and len(beyond) >= _PHALANGES else bare)[:_PHALANGES]
    return chosen if len(chosen) > 1 else []


def _first(side: str, table: dict[str, tuple[str, ...]], parts: dict[tuple[str, str], int]) -> list[tuple[str, str]]:
    chosen = [(joint, next((part for part in known if (side, part) in parts), None)) for joint, known in table.items()]
    return [(joint, part) for joint, part in chosen if part is not None]


def _side_and_part(name: str) -> tuple[str, str] | None:
    """The side, "left_", "right_" or "", and the part that a joint's name says; None where it says two sides."""
    bare = _SUFFIX.sub("", _PREFIX.sub("", _NAMESPACE.sub("", name)))
    words = [word.lower() for word in _WORDS.findall(_side_apart(bare))]
    sides = [_SIDES[word] for word in words if word in _SIDES]
    part = "".join(word for word in words if word not in _SIDES)
    if not sides and part[:1] in ("l", "r") and part[1:] in _PARTS:  # lfemur, rtibia
        return _SIDES[part[0]], part[1:]
    return ("".join(sides), part) if len(sides) <= 1 else None


def _side_apart(name: str) -> str:
    """`lThigh`, `LHipJoint`, `LUArm` and `RThumb` with their side as a word of its own."""
    return re.sub(r"^([lLrR])(?=[A-Z]{1,2}[a-z])", r"\1_", name)
