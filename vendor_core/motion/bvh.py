# SPDX-License-Identifier: Apache-2.0
"""BVH files: a skeleton in its rest pose and how its joints turn, read and written. BVH knows no units and no up axis.

The format is Biovision's; Meredith and Maddock, "Motion Capture File Formats Explained", 2001, describe it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from ..errors import MotionError
from ..files import replaced_file
from .euler import euler_to_matrix, matrix_to_zxy

_MOST_JOINTS, _MOST_NUMBERS = 2000, 200_000_000
_SPARSEST = 4  # joints for each number of a frame: what has no channels takes memory, too
_CHANNELS = {f"{axis}{kind}": (kind, axis) for axis in "XYZ" for kind in ("position", "rotation")}
_FASTEST = 1e4  # Hz
_ROUNDED = 1e-4  # share by which a rate differs from what is meant, since files hold few digits of a frame's time


@dataclass(frozen=True)
class BvhClip:
    """A skeleton of J joints, parents before children, over F frames; lengths in the file's own unit."""

    names: tuple[str, ...]  # (J,)
    parents: tuple[int, ...]  # (J,) -1 for the root
    offsets: np.ndarray  # (J, 3) from the parent at rest
    ends: dict[int, np.ndarray]  # joint: where its bone ends, (3,) from it
    R_local: np.ndarray  # (F, J, 3, 3) relative to the parents
    p_local: np.ndarray  # (F, J, 3) from the parent
    rate: float  # Hz

    def positions(self) -> tuple[np.ndarray, np.ndarray]:
        """World places (F, J, 3) and rotations (F, J, 3, 3) of the joints."""
        p, G = np.empty_like(self.p_local), np.empty_like(self.R_local)
        for j, up in enumerate(self.parents):
            p[:, j] = self.p_local[:, j] if up < 0 else p[:, up] + (G[:, up] @ self.p_local[:, j, :, None])[..., 0]
            G[:, j] = self.R_local[:, j] if up < 0 else G[:, up] @ self.R_local[:, j]
        return p, G


@dataclass
class _Joint:
    name: str
    parent: int
    offset: np.ndarray
    channels: list[str]
    end: np.ndarray | None = None


def read_bvh(path: str | Path) -> BvhClip:
    """Read a BVH file.

    Raises:
        MotionError: the file is missing or damaged.
    """
    name = Path(path).name
    try:
        text = Path(path).read_bytes().decode("utf-8", "replace")
    except OSError as problem:
        raise MotionError(f"{name} cannot be read ({problem.strerror}); check the path") from None
    head, motion, table = text.partition("MOTION")
    if not head.lstrip("\ufeff \t\r\n").startswith("HIERARCHY") or not motion:
        raise MotionError(f"{name} is no BVH file; expected HIERARCHY, a skeleton, MOTION and its frames")
    joints = _skeleton(iter(head.split()[1:]), name)
    frames, seconds, values = _table(table, sum(len(joint.channels) for joint in joints), name)
    if frames * len(joints) > _SPARSEST * values.size:
        raise MotionError(f"{name}: next to none of its {len(joints)} joints has channels; expected joints that turn")
    return _clip(joints, values.reshape(frames, -1), _rate(seconds))


def _skeleton(words: Iterator[str], name: str) -> list[_Joint]:
    joints: list[_Joint] = []
    open_joints: list[int] = []  # an end site is open as a -1
    for word in words:
        if word in ("ROOT", "JOINT"):
            opening = _words_until(words, "{", name)
            joints.append(_Joint(opening, open_joints[-1] if open_joints else -1, np.zeros(3), []))
            open_joints.append(len(joints) - 1)
        elif word == "End":
            _words_until(words, "{", name)
            open_joints.append(-1)
        elif word == "}" and open_joints:
            open_joints.pop()
        elif word == "OFFSET" and open_joints:
            _set_offset(joints, open_joints, _numbers(words, 3, name))
        elif word == "CHANNELS" and open_joints and open_joints[-1] >= 0:
            count = int(_numbers(words, 1, name)[0])
            joints[open_joints[-1]].channels = list(islice(words, max(0, min(count, 6))))
        else:
            raise MotionError(f'{name}: "{word[:40]}" is out of place in its skeleton; expected a BVH file')
        if len(joints) > _MOST_JOINTS or (word == "JOINT" and joints[-1].parent < 0):
            raise MotionError(f"{name} has more than {_MOST_JOINTS} joints, or joints of an end; expected one skeleton")
    unknown = [channel for joint in joints for channel in joint.channels if channel not in _CHANNELS]
    roots = sum(joint.parent < 0 for joint in joints)
    if open_joints or unknown or roots != 1:
        found = f'channel "{unknown[0][:40]}"' if unknown else "an unfinished one" if open_joints else f"{roots} roots"
        raise MotionError(f"{name}: its skeleton has {found}; expected one whole skeleton of Xposition ... Zrotation")
    return joints


def _words_until(words: Iterator[str], last: str, name: str) -> str:
    """The words up to a given one, joined: names of joints may hold spaces."""
    found: list[str] = []
    for word in words:
        if word == last:
            return " ".join(found)
        found.append(word)
    raise MotionError(f'{name} ends within its skeleton; expected "{last}": get the file anew')


def _set_offset(joints: list[_Joint], open_joints: list[int], offset: np.ndarray) -> None:
    if open_joints[-1] >= 0:
        joints[open_joints[-1]].offset = offset
    elif len(open_joints) > 1 and open_joints[-2] >= 0:
        joints[open_joints[-2]].end = offset


def _numbers(words: Iterator[str], count: int, name: str) -> np.ndarray:
    found = list(islice(words, count))
    try:
        numbers = np.array(found, dtype=np.float64)
    except ValueError:
        numbers = np.full(count, np.nan)
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise MotionError(f'{name}: "{" ".join(found)[:40]}" in its skeleton; expected {count} numbers')
    return numbers


def _table(text: str, width: int, name: str) -> tuple[int, float, np.ndarray]:
    """How many frames, seconds each, and all their numbers."""
    words = text.split(None, 5)  # Frames: N Frame Time: T ...
    try:
        frames, seconds = int(words[1]), float(words[4])
    except (IndexError, ValueError):
        frames, seconds = 0, 0.0
    if words[:1] != ["Frames:"] or frames < 1 or not 1 / _FASTEST <= seconds < 1e3:
        raise MotionError(f"{name}: no frames, or no time of a frame; expected Frames: N and Frame Time: SECONDS")
    found = words[5].split() if len(words) > 5 and frames * width <= _MOST_NUMBERS else []
    try:
        values = np.array(found, dtype=np.float64)
    except ValueError:
        values = np.full(1, np.nan)
    if len(values) != frames * width or not np.isfinite(values).all():
        raise MotionError(
            f"{name} has {len(found)} numbers of motion, or some that are none; expected {width} in each of "
            f"{frames} frames: get the file anew"
        )
    return frames, seconds, values


def _rate(seconds: float) -> float:
    """Frames a second of a frame's time; the whole number that files mean who write 0.008333."""
    rate = 1 / seconds
    return float(round(rate)) if round(rate) and abs(rate - round(rate)) < _ROUNDED * rate else rate


def _clip(joints: list[_Joint], values: np.ndarray, rate: float) -> BvhClip:
    frames, at = len(values), 0
    R = np.empty((frames, len(joints), 3, 3))
    p = np.empty((frames, len(joints), 3))
    for j, joint in enumerate(joints):
        columns = values[:, at : at + len(joint.channels)]
        at += len(joint.channels)
        kinds = [_CHANNELS[channel] for channel in joint.channels]
        turns = [i for i, (kind, _) in enumerate(kinds) if kind == "rotation"]
        R[:, j] = euler_to_matrix(np.radians(columns[:, turns]), "".join(kinds[i][1] for i in turns))
        p[:, j] = joint.offset
        for i, (kind, axis) in enumerate(kinds):
            if kind == "position":
                p[:, j, "XYZ".index(axis)] = columns[:, i]
    return BvhClip(
        names=tuple(joint.name for joint in joints),
        parents=tuple(joint.parent for joint in joints),
        offsets=np.array([joint.offset for joint in joints]),
        ends={j: joint.end for j, joint in enumerate(joints) if joint.end is not None},
        R_local=R,
        p_local=p,
        rate=rate,
    )


def write_bvh(path: str | Path, clip: BvhClip) -> None:
    """Write a BVH file. Only the root's places are written: all other joints stay at their offsets.

    Raises:
        MotionError: the folder does not exist or is not writable.
    """
    degrees = np.degrees(matrix_to_zxy(clip.R_local))
    order = _depth_first(clip.parents)
    table = np.concatenate([clip.p_local[:, 0], degrees[:, order].reshape(len(degrees), -1)], axis=1)
    lines = ["HIERARCHY", *_hierarchy(clip), "MOTION", f"Frames: {len(table)}", f"Frame Time: {1 / clip.rate:.9g}"]
    try:
        with replaced_file(path) as file:
            file.write(("\n".join(lines) + "\n").encode())
            np.savetxt(file, table, fmt="%.6f")
    except OSError as problem:
        raise MotionError(f"{path} cannot be written ({problem.strerror}); choose another place") from None


def _depth_first(parents: tuple[int, ...]) -> list[int]:
    order: list[int] = []
    waiting = [0]
    while waiting:
        joint = waiting.pop()
        order.append(joint)
        waiting.extend(reversed([k for k, up in enumerate(parents) if up == joint]))
    return order


def _hierarchy(clip: BvhClip) -> Iterator[str]:
    depth = [0] * len(clip.names)
    open_joints: list[int] = []
    for j in _depth_first(clip.parents):
        up = clip.parents[j]
        while open_joints and open_joints[-1] != up:
            yield "  " * depth[open_joints.pop()] + "}"
        depth[j] = depth[up] + 1 if up >= 0 else 0
        open_joints.append(j)
        pad = "  " * depth[j]
        places = "6 Xposition Yposition Zposition" if up < 0 else "3"
        yield f"{pad}{'ROOT' if up < 0 else 'JOINT'} {clip.names[j]}\n{pad}{{"
        yield f"{pad}  OFFSET {_three(clip.offsets[j])}\n{pad}  CHANNELS {places} Zrotation Xrotation Yrotation"
        if j in clip.ends:
            yield f"{pad}  End Site\n{pad}  {{\n{pad}    OFFSET {_three(clip.ends[j])}\n{pad}  }}"
    while open_joints:
        yield "  " * depth[open_joints.pop()] + "}"


def _three(v: np.ndarray) -> str:
    return " ".join(f"{x:.6f}" for x in v)
