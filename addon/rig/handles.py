# SPDX-License-Identifier: GPL-3.0-or-later
"""Handles of live posing: targets that are pinned, and pull, or free, and follow the body."""

from collections.abc import Iterable
from dataclasses import dataclass

import bpy
from mathutils import Matrix

from ...vendor_core.skeleton import BODY_JOINTS
from .names import bones_of_joints
from .targets import EFFECTORS, add_targets

PULLING = EFFECTORS  # pinned from the start
FREE = ("spine3", "left_elbow", "right_elbow", "left_knee", "right_knee")
_PINNED = "poise_pinned"
_LOOKS = {
    True: ("SPHERE", 0.06, (1.0, 0.55, 0.1, 1.0)),
    False: ("PLAIN_AXES", 0.04, (0.5, 0.5, 0.5, 1.0)),
}
"""Kind and size (m) of the empty, and its colour where the 3D View shows colours of objects."""


@dataclass(frozen=True)
class HandleRecord:
    """What a target was before live posing."""

    handle: bpy.types.Object
    basis: Matrix
    look: tuple[str, float, tuple[float, ...]]
    pinned: bool | None  # None: it did not say

    def restore(self) -> None:
        """Make it so again.

        Raises:
            ReferenceError: the target is gone.
        """
        self.handle.matrix_basis = self.basis
        _set_look(self.handle, self.look)
        if self.pinned is not None:
            self.handle[_PINNED] = self.pinned
        elif _PINNED in self.handle:
            del self.handle[_PINNED]


@dataclass(frozen=True)
class Handles:
    """The handles of one body."""

    objects: dict[str, bpy.types.Object]  # by joint
    made: tuple[bpy.types.Object, ...]  # those that were not there before
    records: tuple[HandleRecord, ...]  # of those that were

    def take_back(self) -> None:
        """Remove the new handles, and put the others back as they were; one that is gone is left so."""
        for handle in self.made:
            try:
                bpy.data.objects.remove(handle)
            except ReferenceError:
                continue
        for record in self.records:
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


def set_pinned(handle: bpy.types.Object, pinned: bool) -> None:
    """Pin a handle or free it, and show it."""
    handle[_PINNED] = pinned
    _set_look(handle, _LOOKS[pinned])


def targets_of(objects: Iterable[bpy.types.Object], rig: str) -> dict[str, bpy.types.Object]:
    """The targets of a rig's body joints by joint, of all these objects."""
    mine = [o for o in objects if is_handle(o) and o.get("poise_rig") == rig]
    return {joint: o for o in mine if (joint := str(o["poise_joint"])) in BODY_JOINTS}


def place_handles(context: bpy.types.Context, obj: bpy.types.Object) -> Handles:
    """Handles at the joints of a rig in its present pose. Targets that it has already become handles: those that were
    handles before keep their pins.
    """
    there = targets_of(context.view_layer.objects, obj.name)
    records = tuple(HandleRecord(o, o.matrix_basis.copy(), _look(o), o.get(_PINNED)) for o in there.values())
    joints = tuple(dict.fromkeys((*PULLING, *FREE, *there)))
    handles = dict(zip(joints, add_targets(context, obj, joints), strict=True))
    for joint, handle in handles.items():
        set_pinned(handle, bool(handle.get(_PINNED, joint in PULLING)))
    made = tuple(handle for joint, handle in handles.items() if joint not in there)
    return Handles(handles, made, records)


def snap_to_body(obj: bpy.types.Object, targets: dict[str, bpy.types.Object]) -> None:
    """Put targets, by joint, where the rig's joints are now."""
    bones = bones_of_joints(obj.data.bones.keys())
    for joint, target in targets.items():
        target.matrix_world.translation = obj.matrix_world @ obj.pose.bones[bones[joint]].head


def _look(handle: bpy.types.Object) -> tuple[str, float, tuple[float, ...]]:
    return handle.empty_display_type, handle.empty_display_size, tuple(handle.color)


def _set_look(handle: bpy.types.Object, look: tuple[str, float, tuple[float, ...]]) -> None:
    handle.empty_display_type, handle.empty_display_size, handle.color = look
