# SPDX-License-Identifier: Apache-2.0
"""Parts of the body without markers: which sets of markers can do without, and that such parts hold still."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from ..ik.points import BodyPoints
from ..ik.state import PoseState
from ..rotations import exp_so3
from ..skeleton import N_BODY, joint_index
from .layout_table import Layout, body_parts

_PELVIS = ("LFWT", "RFWT", "LBWT", "RBWT", "SACR")
_LEAST_IN_PART = {"pelvis": 3, "trunk": 3, "L arm": 2, "R arm": 2, "L leg": 3, "R leg": 3}
_HANGING = np.array([0.0, 0.0, -1.25])  # radians, by which a left arm that points sideways hangs down
_CARRIED = 0.5  # of a marker's weights, by which a part has it


def marked_parts(markers: Iterable[str]) -> set[str]:
    """The parts of the body, keys of a table here, on which there are enough of some canonical markers to pose them."""
    count = Counter(map(_part, markers))
    return {part for part, least in _LEAST_IN_PART.items() if count[part] >= least}


def in_parts(layout: Layout, parts: set[str]) -> list[str]:
    """The markers that a layout has on some parts of the body."""
    return [marker for marker in layout.markers if _part(marker) in parts]


def can_be_posed(parts: set[str]) -> bool:
    """Whether these parts make a person: the trunk and both arms, or the pelvis or trunk and both legs."""
    arms, legs = parts >= {"trunk", "L arm", "R arm"}, parts >= {"L leg", "R leg"} and bool(parts & {"pelvis", "trunk"})
    return arms or legs


def _part(marker: str) -> str:
    part = body_parts()[marker]
    if part == "torso":
        return "pelvis" if marker in _PELVIS else "trunk"
    return f"{marker[0]} {part}"


# Name, joints that are held, and joints of which one must carry a marker, or they are.
_CHAINS = tuple(
    (name, tuple(map(joint_index, held.split())), tuple(map(joint_index, witnesses.split())))
    for name, held, witnesses in (
        (
            "the upper body",
            "spine1 spine2 spine3",
            "spine1 spine2 spine3 neck head left_collar right_collar left_shoulder left_elbow left_wrist "
            "right_shoulder right_elbow right_wrist",
        ),
        ("the head", "neck head", "head"),
        *(
            chain
            for side in ("left", "right")
            for chain in (
                ("", f"{side}_collar", f"{side}_collar {side}_shoulder {side}_elbow {side}_wrist"),
                (
                    f"the {side} arm",
                    f"{side}_shoulder {side}_elbow {side}_wrist",
                    f"{side}_shoulder {side}_elbow {side}_wrist",
                ),
                (
                    f"the {side} leg",
                    f"{side}_hip {side}_knee {side}_ankle {side}_foot",
                    f"{side}_hip {side}_knee {side}_ankle {side}_foot",
                ),
            )
        ),
    )
)


def unmarked(points: BodyPoints) -> tuple[list[str], np.ndarray]:
    """The parts of a body that carry none of these markers, in words, and the joints of such parts."""
    weights = np.asarray(points.weights)
    bare = [(name, held) for name, held, witnesses in _CHAINS if not (weights[:, witnesses].sum(1) > _CARRIED).any()]
    return [name for name, _ in bare if name], np.array(sorted(j for _, held in bare for j in held), dtype=int)


def held_still(state: PoseState, joints: np.ndarray) -> PoseState:
    """A motion of F frames in which some joints keep still: as at rest, and shoulders such that the arms hang."""
    if not len(joints):
        return state
    R, turn = np.array(state.R_local), np.zeros((N_BODY, 3))
    turn[joint_index("left_shoulder")], turn[joint_index("right_shoulder")] = _HANGING, -_HANGING
    R[:, joints] = exp_so3(turn[joints])
    return state.changed(R_local=R)


def notes_of(parts: list[str]) -> tuple[str, ...]:
    """A line that says which parts carry no marker, if any."""
    return (f"No markers on {' or '.join(parts)}: held still",) if parts else ()
