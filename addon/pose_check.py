# SPDX-License-Identifier: GPL-3.0-or-later
"""What was last found of each body's pose, for the panel to show: kept in memory, for it is no data of the file.

So a check pushes no undo step, and after an undo a result still belongs to the pose that it was found of.
"""

import zlib
from array import array
from dataclasses import dataclass

import bpy


@dataclass(frozen=True)
class PoseCheck:
    """How plausible a pose was."""

    plausibility: float  # 0 to 1
    blamed: tuple[tuple[str, float], ...]  # joints to blame and their own plausibility, the worst first
    frame: float  # of the timeline, when it was found
    mark: int  # of the pose


_latest: dict[int, PoseCheck] = {}  # by the armature object's session_uid


def note(obj: bpy.types.Object, check: PoseCheck) -> None:
    """Remember what was found of a body's pose."""
    _latest[obj.session_uid] = check


def latest(obj: bpy.types.Object) -> PoseCheck | None:
    """What was last found of a body's pose, whether or not it still has it."""
    return _latest.get(obj.session_uid)


def forget() -> None:
    """Forget all bodies."""
    _latest.clear()


def pose_mark(obj: bpy.types.Object) -> int:
    """A number that changes with the pose that the bones show. Cheap: it is asked at every drawing of the panel."""
    matrices = array("f", bytes(64 * len(obj.pose.bones)))
    obj.pose.bones.foreach_get("matrix", matrices)
    return zlib.crc32(matrices)


def value_text(plausibility: float) -> str:
    """A plausibility in figures; what is tiny is not called zero."""
    return "< 0.01" if plausibility < 0.01 else f"{plausibility:.2f}"


def blame_text(check: PoseCheck) -> str:
    """The joints to blame in a line, the worst first."""
    if not check.blamed:
        return "no joint stands out"
    return f"to blame: {', '.join(name.replace('_', ' ') for name, _ in check.blamed)}"
