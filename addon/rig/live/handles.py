# SPDX-License-Identifier: GPL-3.0-or-later
"""Handles of live posing: targets that are pinned, and pull, or free, and follow the body.

A pinned handle holds its joint's place. One that is turned holds its rotation too; the others turn with the body.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from ....vendor_core.skeleton import BODY_JOINTS, mirrored_name
from ..names import LOOK_AT
from ..targets import EFFECTORS, TURNED, add_targets, stand, standing, weight_of

PULLING = EFFECTORS  # pinned from the start
MORE = ("spine3", "left_elbow", "right_elbow", "left_knee", "right_knee")
_PINNED = "poise_pinned"
_CHANNELS = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
_LOOKS = {
    "TURNED": ("CUBE", 0.05, (0.2, 0.6, 1.0, 1.0)),
    "PINNED": ("SPHERE", 0.06, (1.0, 0.55, 0.1, 1.0)),
    "FREE": ("PLAIN_AXES", 0.04, (0.5, 0.5, 0.5, 1.0)),
}
"""Kind and size (m) of the empty, and its colour where the 3D View shows colours of objects."""

RawHandle = tuple[Matrix, object, object, object]
"""Where a handle is in the world, whether it is pinned and turned, and its weight: as Blender says it."""


@dataclass(frozen=True)
class HandleState:
    """Where P handles are and what they ask for."""

    x: np.ndarray  # (P, 3) metres, world
    q: np.ndarray  # (P, 4) wxyz, world
    pinned: np.ndarray  # (P,)
    turned: np.ndarray  # (P,)
    weights: np.ndarray  # (P,)


@dataclass(frozen=True)
class HandleRecord:
    """What a target was before live posing."""

    handle: bpy.types.Object
    channels: dict[str, tuple[float, ...]]
    look: tuple[str, float, tuple[float, ...]]
    said: dict[str, object]  # the properties that say how it pulls; those that it did not have are missing
    hidden: bool

    def restore(self) -> None:
        """Make it so again.

        Raises:
            ReferenceError: the target is gone.
        """
        for channel, values in self.channels.items():
            setattr(self.handle, channel, values)
        _set_look(self.handle, self.look)
        self.handle.hide_set(self.hidden)
        for name in (_PINNED, TURNED):
            if name in self.said:
                self.handle[name] = self.said[name]
            elif name in self.handle:
                del self.handle[name]


class Handles:
    """The handles of one body, placed on it in its present pose. Targets that it has already become handles: those
    that were handles before keep their pins.

    Args:
        context: of the operator.
        obj: the armature object.
        more: handles for elbows, knees and chest too.
    """

    def __init__(self, context: bpy.types.Context, obj: bpy.types.Object, more: bool):
        self.objects: dict[str, bpy.types.Object] = {}  # by joint, LOOK_AT's the last
        self.made: list[bpy.types.Object] = []  # those that were not there before
        self._there = targets_of(context.view_layer.objects, obj.name)
        self._said_weights: list[object] = []
        self._weights = np.zeros(0)
        self._records = tuple(_record(o) for o in self._there.values())
        self.set_more(context, obj, more)

    @property
    def joints(self) -> tuple[str, ...]:
        """Of all handles but the gaze's."""
        return tuple(joint for joint in self.objects if joint != LOOK_AT)

    def set_more(self, context: bpy.types.Context, obj: bpy.types.Object, more: bool) -> None:
        """Add handles for elbows, knees and chest, placed on the body, or remove them."""
        joints = dict.fromkeys((*PULLING, *(MORE if more else ()), *self._there))
        joints = (*(joint for joint in joints if joint != LOOK_AT), LOOK_AT)
        for joint in set(self.objects) - set(joints):
            handle = self.objects.pop(joint)
            self.made.remove(handle)
            bpy.data.objects.remove(handle)
        new = [joint for joint in joints if joint not in self.objects]
        for joint, handle in zip(new, add_targets(context, obj, new), strict=True):
            self.objects[joint] = handle
            if joint not in self._there:
                self.made.append(handle)
            set_pinned(handle, bool(handle.get(_PINNED, joint in PULLING)))
        self.objects = {joint: self.objects[joint] for joint in joints}

    def read(self) -> list[RawHandle]:
        """What Blender says of all handles now, in their order.

        Raises:
            ReferenceError: a handle is gone.
        """
        return [
            (o.matrix_world.copy(), o.get(_PINNED, True), o.get(TURNED, False), o.get("poise_weight", 1.0))
            for o in self.objects.values()
        ]

    def state(self, raw: list[RawHandle]) -> HandleState:
        """What was read, as arrays.

        Raises:
            TargetError: a weight that is none.
        """
        frames = np.array([(*matrix.translation, *matrix.to_quaternion()) for matrix, *_ in raw])
        pinned, turned = (np.array([bool(values[k]) for values in raw]) for k in (1, 2))
        said = [weight for *_, weight in raw]
        if said != self._said_weights:
            self._weights = np.array([weight_of(handle) for handle in self.objects.values()])
            self._said_weights = said
        weights = self._weights
        return HandleState(frames[:, :3], frames[:, 3:], pinned, turned & pinned, weights)

    def place(self, x: np.ndarray, R: np.ndarray, moved: np.ndarray, turned: np.ndarray) -> np.ndarray:
        """Move handles to places (P, 3) in the world and turn them to (P, 3, 3), those of masks (P,).

        Returns:
            All turns as (P, 4), wxyz.
        """
        places, turns = x.tolist(), [Matrix(rows).to_quaternion() for rows in R.tolist()]
        chosen = (moved | turned).tolist()
        for i, handle in enumerate(self.objects.values()):
            if chosen[i]:
                location = handle.location.copy()
                handle.matrix_world = Matrix.LocRotScale(places[i], turns[i], handle.matrix_world.to_scale())
                if not moved[i]:  # what Blender's own G has just set may not be in `matrix_world` yet
                    handle.location = location
        return np.array(turns)

    def swap_sides(self) -> None:
        """Give the pins of each handle to the one of the other side, where there is one."""
        said = {joint: (is_pinned(handle), is_turned(handle)) for joint, handle in self.objects.items()}
        for joint, handle in self.objects.items():
            pinned, turned = said.get(mirrored_name(joint), said[joint])
            handle[TURNED] = turned
            set_pinned(handle, pinned)

    def hide(self) -> None:
        """Leave in sight only the targets that were so before."""
        for handle in (*self.made, *(record.handle for record in self._records if record.hidden)):
            handle.hide_set(True)

    def take_back(self) -> None:
        """Remove the new handles, and put the others back as they were; one that is gone is left so."""
        for handle in self.made:
            try:
                bpy.data.objects.remove(handle)
            except ReferenceError:
                continue
        for record in self._records:
            try:
                record.restore()
            except ReferenceError:
                continue


def is_handle(obj: bpy.types.Object) -> bool:
    """Whether the object is a target that may be pinned."""
    return obj.type == "EMPTY" and "poise_joint" in obj


def is_pinned(handle: bpy.types.Object) -> bool:
    """Whether a handle pulls; a target that does not say so does."""
    return bool(handle.get(_PINNED, True))


def is_turned(handle: bpy.types.Object) -> bool:
    """Whether a handle holds the rotation of its joint."""
    return bool(handle.get(TURNED, False))


def can_turn(handle: bpy.types.Object) -> bool:
    """Whether the handle is of a joint: where the face looks has no rotation."""
    return handle.get("poise_joint") != LOOK_AT


def set_pinned(handle: bpy.types.Object, pinned: bool) -> None:
    """Pin a handle or free it, its rotation too, and show it."""
    handle[_PINNED] = pinned
    if not pinned and TURNED in handle:
        handle[TURNED] = False
    _set_look(handle, _LOOKS["FREE" if not pinned else "TURNED" if is_turned(handle) else "PINNED"])


def set_turned(handle: bpy.types.Object, turned: bool) -> None:
    """Let a handle hold the rotation of its joint, which pins it too, or free the rotation; and show it."""
    handle[TURNED] = turned
    set_pinned(handle, turned or is_pinned(handle))


def targets_of(objects: Iterable[bpy.types.Object | None], rig: str) -> dict[str, bpy.types.Object]:
    """The targets of a rig's body joints by joint, of all these objects, and LOOK_AT's."""
    mine = [o for o in objects if o is not None and is_handle(o) and o.get("poise_rig") == rig]
    return {joint: o for o in mine if (joint := str(o["poise_joint"])) in (*BODY_JOINTS, LOOK_AT)}


def snap_to_body(obj: bpy.types.Object, targets: dict[str, bpy.types.Object]) -> None:
    """Put targets, by joint, where the rig's joints are now, turned as they are; the gaze's ahead of the face."""
    frames = standing(obj)
    for joint, target in targets.items():
        stand(target, frames[joint])


def _record(handle: bpy.types.Object) -> HandleRecord:
    look = (handle.empty_display_type, handle.empty_display_size, tuple(handle.color))
    said = {name: handle[name] for name in (_PINNED, TURNED) if name in handle}
    return HandleRecord(
        handle, {name: tuple(getattr(handle, name)) for name in _CHANNELS}, look, said, handle.hide_get()
    )


def _set_look(handle: bpy.types.Object, look: tuple[str, float, tuple[float, ...]]) -> None:
    handle.empty_display_type, handle.empty_display_size, handle.color = look
