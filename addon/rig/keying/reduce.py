# SPDX-License-Identifier: GPL-3.0-or-later
"""Fewer keys on the F-curves of a body, within an error that is measured as Blender shows the curves."""

from collections.abc import Collection
from dataclasses import dataclass
from math import degrees

import bpy
import numpy as np

from ....vendor_core.errors import PoiseError
from ....vendor_core.motion.reduce import FewerKeys, reduce_keys
from ..convert import Rig, joint_places
from .actions import locked_bones
from .channels import channel_of, path_of, quaternions_of
from .keys import Keys, channel_at, keyed_bones, keyed_frames, known_curves, new_keys, replace_keys, vectors
from .rework import body_rig

_SLACK = 0.99  # of what is allowed: Blender keeps keys in single precision
_FREE = bpy.types.Keyframe.bl_rna.properties["handle_left_type"].enum_items["FREE"].value
_MARKED = ("EXTREME", "BREAKDOWN", "MOVING_HOLD")  # types that an artist gives to keys that count


@dataclass(frozen=True)
class Allowed:
    """How far off a motion may be at any frame."""

    angle: float  # radians, of each bone's rotation
    distance: float  # metres, of each joint of the body


@dataclass(frozen=True)
class Outcome:
    """What came of it."""

    before: int  # frames with keys
    after: int
    angle: float  # radians, the largest
    distance: float  # metres, the largest

    def line(self) -> str:
        """For the artist."""
        off = f"at most {degrees(self.angle):.2g}° and {1000 * self.distance:.2g} mm off"
        return f"{self.after} of {self.before} keys, {off},"


class _Motion:
    """What bones' channels hold at frames (F,), as one table x (F, C), and how far off another such table is.

    Args:
        obj: the armature object.
        rig: its `body_rig`.
        names: the bones.
        frames: ascending.
    """

    def __init__(self, obj: bpy.types.Object, rig: Rig, names: Collection[str], frames: np.ndarray):
        self.rig, self.names, curves = rig, names, known_curves(obj)
        self.base = keyed_bones(obj, rig, frames)
        bones = sorted((obj.pose.bones[name] for name in names), key=lambda bone: bone.rotation_mode)
        tables = [channel_at(curves, bone, channel_of(bone), frames) for bone in bones]
        self.groups = _groups([bone.rotation_mode for bone in bones], [table.shape[1] for table in tables])
        self.channels = [
            (path_of(bone.name, channel_of(bone)), table.shape[1]) for bone, table in zip(bones, tables, strict=True)
        ]
        self.moves = rig.bones[0] in names
        if self.moves:
            self.channels.append((path_of(rig.bones[0], "location"), 3))
            assert self.base.location is not None
            tables.append(self.base.location)
        self.x = np.concatenate(tables, axis=1)
        body = [(rig.bones.index(bone.name), i) for i, bone in enumerate(bones) if bone.name in rig.bones]
        self.of_body = np.array(body, dtype=int).reshape(-1, 2)
        self.q = self.quaternions(self.x)
        self.p = self.joints(0, self.x, self.q)

    def quaternions(self, x: np.ndarray) -> np.ndarray:
        """(n, bones, 4) of a table (n, C)."""
        return np.concatenate(
            [quaternions_of(mode, x[:, columns].reshape(len(x), -1, width)) for mode, columns, width in self.groups],
            axis=1,
        )

    def joints(self, first: int, x: np.ndarray, q: np.ndarray) -> np.ndarray:
        """Positions (n, 22, 3), metres, that a table (n, C) gives the body's joints, from a frame on."""
        rows = slice(first, first + len(x))
        all_q = self.base.quaternions[rows].copy()
        all_q[:, self.of_body[:, 0]] = q[:, self.of_body[:, 1]]
        assert self.base.location is not None
        return joint_places(self.rig, all_q, x[:, -3:] if self.moves else self.base.location[rows])

    def off(self, first: int, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Largest angles and distances (n,) by which a table (n, C) is off, from a frame on."""
        q = self.quaternions(x)
        angle = _angle(q, self.q[first : first + len(x)])
        distance = np.linalg.norm(self.joints(first, x, q) - self.p[first : first + len(x)], axis=-1)
        return angle, distance.max(axis=1)


@dataclass(frozen=True)
class _Errors:
    """`reduce_keys`' question; the body is not posed where an angle is too large already."""

    motion: _Motion
    allowed: Allowed

    def __call__(self, first: int, x: np.ndarray) -> np.ndarray:
        motion, allowed = self.motion, self.allowed
        q = motion.quaternions(x)
        off = _angle(q, motion.q[first : first + len(x)]) / (_SLACK * allowed.angle)
        if off.max() > 1:
            return off
        distance = np.linalg.norm(motion.joints(first, x, q) - motion.p[first : first + len(x)], axis=-1)
        return np.maximum(off, distance.max(axis=1) / (_SLACK * allowed.distance))


@dataclass(frozen=True)
class Reduction:
    """Keys that are to be written instead of those that are there."""

    motion: _Motion
    keyed: int  # frames with keys now
    frames: np.ndarray  # (F,) of the motion
    keys: FewerKeys
    between: np.ndarray | None  # (K,) true for in-betweens

    def write(self, obj: bpy.types.Object) -> Outcome:
        """Write the keys to the action that the armature object has now: the one that was read, or a copy of it."""
        motion, at = self.motion, self.frames[self.keys.samples]
        common, curves = new_keys(at, "BEZIER", self.between), known_curves(obj)
        for name in ("handle_left_type", "handle_right_type"):
            common[name] = np.full_like(common[name], _FREE)
        columns = [(path, k) for path, width in motion.channels for k in range(width)]
        for c, place in enumerate(columns):
            if place in curves:
                slopes = self.keys.before[:, c], self.keys.after[:, c]
                replace_keys(curves[place], common | _bezier(at, motion.x[self.keys.samples, c], *slopes))
        shown = _Motion(obj, motion.rig, motion.names, self.frames)
        angle, distance = motion.off(0, shown.x)
        return Outcome(self.keyed, len(at), float(angle.max()), float(distance.max()))


def plan_reduction(
    obj: bpy.types.Object, rig: Rig, names: Collection[str], first: float, last: float, allowed: Allowed
) -> Reduction:
    """Find keys for bones of a body at fewer frames, all at the same ones; the artist's own key poses stay.

    Where a tool made some of the keys, the artist's are all others; else those whose type says that they count. Bones
    without keys, with locked curves or with modifiers on them keep their curves. Keys outside the frames stay.

    Args:
        obj: the armature object.
        rig: what `read_rig` gave for it, in the world.
        names: the bones.
        first: frame.
        last: frame.
        allowed: how far off the motion may be.

    Raises:
        PoiseError: the bones have keys at fewer than three frames.
    """
    names = _reducible(obj, names)
    keyed = keyed_frames(obj, rig, selected=False, made_too=True, bones=names)
    keyed = keyed[(keyed >= first) & (keyed <= last)]
    if len(keyed) < 3:
        raise PoiseError(
            f'Bones of "{obj.name}" have keys at {len(keyed)} frames that could be fewer; expected three or more, on '
            "curves that are neither locked nor changed by modifiers"
        )
    own = keyed_frames(obj, rig, selected=False, bones=names)
    made = not np.isin(keyed, own).all()
    if not made:
        own = keyed_frames(obj, rig, selected=False, bones=names, types=_MARKED)
    frames = np.unique(np.concatenate([keyed, np.arange(np.ceil(keyed[0]), keyed[-1])]))
    motion = _Motion(obj, body_rig(rig), names, frames)
    keys = reduce_keys(frames, motion.x, np.isin(frames, own), _Errors(motion, allowed))
    return Reduction(motion, len(keyed), frames, keys, ~np.isin(frames[keys.samples], own) if made else None)


def _reducible(obj: bpy.types.Object, names: Collection[str]) -> list[str]:
    """Bones whose rotations are keyed, on curves that are free."""
    curves, locked = known_curves(obj), locked_bones(obj)
    found = []
    for name in names:
        path = path_of(name, channel_of(obj.pose.bones[name]))
        own = [curve for (where, _), curve in curves.items() if where in (path, path_of(name, "location"))]
        if own and name not in locked and not any(len(curve.modifiers) for curve in own):
            found.append(name)
    return found


def _bezier(at: np.ndarray, values: np.ndarray, before: np.ndarray, after: np.ndarray) -> Keys:
    """Keys at frames (K,) with handles a third of the way to the next, so that curves have given slopes (K,)."""
    keys, third = vectors(at, values), np.diff(at) / 3
    left, right = np.append(third[:1], third), np.append(third, third[-1:])
    keys["handle_left"] = np.stack([at - left, values - before * left], axis=1).astype(np.float32)
    keys["handle_right"] = np.stack([at + right, values + after * right], axis=1).astype(np.float32)
    return keys


def _groups(modes: list[str], widths: list[int]) -> list[tuple[str, slice, int]]:
    """Columns of the bones of each rotation mode, and numbers a bone; bones are in the order of their modes."""
    ends, groups = np.cumsum([0, *widths]), []
    for mode in sorted(set(modes)):
        of_mode = [i for i, other in enumerate(modes) if other == mode]
        groups.append((mode, slice(int(ends[of_mode[0]]), int(ends[of_mode[-1] + 1])), widths[of_mode[0]]))
    return groups


def _angle(q: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Largest angles (n,), radians, between unit quaternions (n, m, 4); exact for small ones too."""
    apart = np.minimum(np.linalg.norm(q - other, axis=-1), np.linalg.norm(q + other, axis=-1))
    return 4 * np.arcsin(np.minimum(apart / 2, 1)).max(axis=1)
