# SPDX-License-Identifier: GPL-3.0-or-later
"""Live posing of one body: handles that moved, the pose that follows them, and the way back.

A session keeps references to the handles and the armature: finding them by name takes longer than a whole step in a
large file. It ends before a reference could mislead: what was deleted answers with ReferenceError, and after an undo or
the opening of a file no step is made any more.
"""

import time
from collections import deque
from collections.abc import Iterable

import bpy
import numpy as np

from ...vendor_core.body import body_from_joints
from ...vendor_core.errors import PoiseError
from ...vendor_core.ik import LivePose, LiveSolver
from ...vendor_core.prior import load_prior
from ...vendor_core.skeleton import JOINT_GROUPS, N_BODY
from .handles import is_pinned, place_handles, set_pinned
from .keys import auto_key
from .live_bones import LiveBones
from .pose import read_pose, read_rig

_MOVED = 1e-5  # metres, above what single precision and a parent of the handle make of a place
_MISSED = 0.02  # metres from the handle, from which on a joint is called out of reach
_CHANNELS = {"location": 3, "rotation_quaternion": 4, "rotation_euler": 3, "rotation_axis_angle": 4}
_REMEMBERED = 2000  # steps whose cost is kept


class LiveEnded(PoiseError):
    """What a session needs is gone: it must end."""


class LiveSession:
    """Poses a rig by its handles, which are placed on its body.

    Args:
        context: of the operator, in Object Mode.
        obj: the armature object.
        locked: groups of joints, as `JOINT_GROUPS` calls them, that keep their rotations relative to the parents.

    Raises:
        PoiseError: the armature is no rig of the SMPL family, or is scaled unevenly.
    """

    def __init__(self, context: bpy.types.Context, obj: bpy.types.Object, locked: Iterable[str] = ()):
        context.view_layer.update()
        self._obj, self._name, self._frame = obj, obj.name, context.scene.frame_current_final
        self._rig = read_rig(obj)
        self._world, self._rest = obj.matrix_world.copy(), _rest_mark(obj)
        now = read_pose(obj, self._rig)
        self._R, self._trans = now.R_local[0, :N_BODY], now.trans[0]
        self._body = body_from_joints(self._rig.rest_joints(), obj.name)
        self._prior = load_prior()
        self._before = _channels(obj)
        self.handles = place_handles(context, obj)
        context.view_layer.update()  # gives new handles their places
        self.joints = tuple(self.handles.objects)
        self.costs: deque[float] = deque(maxlen=_REMEMBERED)  # seconds of each step
        self.steps = 0
        self.settled = True
        self.missed = ""  # which joint is out of its handle's reach, for the panel
        self.locked: frozenset[str] = frozenset()
        try:
            self.lock(locked)
        except PoiseError:
            self.handles.take_back()
            raise
        self._places = self._read_places()
        self._pinned = self._read_pins()

    def lock(self, groups: Iterable[str]) -> None:
        """Lock these groups of joints, and no others, in the pose that they have now."""
        self.locked = frozenset(groups)
        names = [name for group in sorted(self.locked) for name in JOINT_GROUPS[group]]
        self._solver = LiveSolver(self._body, self._prior, self.joints, self._R, self._trans, names)
        self._bones, self._locked_joints = LiveBones(self._obj, self._rig, names), names

    def tick(self, frame: float) -> bool:
        """Follow what has moved since the last tick, and go on until the pose is there; whether there was any to do.

        Args:
            frame: of the timeline now.

        Raises:
            LiveEnded: a handle, the armature or the frame is not what it was.
        """
        start = time.perf_counter()
        try:
            self._check(frame)
            places, pinned = self._read_places(), self._read_pins()
        except ReferenceError:
            raise LiveEnded(f'a handle, or the armature "{self._name}" itself, was deleted') from None
        moved = np.abs(places - self._places).max(axis=1) > _MOVED
        if moved.any() and not moved[pinned].any():  # dragging a free handle alone means it
            for i in np.flatnonzero(moved):
                set_pinned(self.handles.objects[self.joints[i]], True)
            pinned = pinned | moved
        world_moved = self._follow_object()
        if self.settled and not moved.any() and not world_moved and (pinned == self._pinned).all():
            return False
        pose = self._solver.solve(np.where(pinned[:, None], places, np.nan))
        self._R, self._trans = pose.R_local, pose.trans
        self._bones.write(self._obj, self._R, self._trans)
        self._places, self._pinned = self._with_free_placed(places, pose.points, pinned), pinned
        self.settled, self.missed = pose.settled, self._worst(pose)
        self.steps += 1
        self.costs.append(time.perf_counter() - start)
        return True

    def restore(self) -> None:
        """Put back the pose of the start, exactly, and take back the handles; what is gone stays gone."""
        self.handles.take_back()
        try:
            bones = self._obj.pose.bones
            for channel, values in self._before.items():
                if len(values) == _CHANNELS[channel] * len(bones):
                    bones.foreach_set(channel, values)
            self._obj.update_tag(refresh={"DATA"})
        except (ReferenceError, AttributeError):  # deleted; or no armature any more
            return

    def keep(self, context: bpy.types.Context) -> None:
        """Key the pose where the artist has auto-keying on."""
        if self.steps:
            auto_key(context, self._obj, self._bones.bones_of(self._R, self._trans))

    def _check(self, frame: float) -> None:
        if self._obj.name != self._name:
            raise LiveEnded(f'the armature "{self._name}" was renamed')
        if self._obj.mode == "EDIT" or _rest_mark(self._obj) != self._rest:
            raise LiveEnded(f'the rest pose of "{self._name}" was edited')
        if frame != self._frame:
            raise LiveEnded(f"the frame was changed from {self._frame:g}")

    def _follow_object(self) -> bool:
        """Whether the armature object was moved; then the same pose means other rotations of bones."""
        if self._obj.matrix_world == self._world:
            return False
        scale, self._world = self._rig.scale, self._obj.matrix_world.copy()
        try:
            self._rig = read_rig(self._obj)
        except PoiseError as problem:
            raise LiveEnded(str(problem)) from None
        if abs(self._rig.scale - scale) > 1e-4 * scale:
            raise LiveEnded(f'"{self._name}" was scaled')
        self._bones = LiveBones(self._obj, self._rig, self._locked_joints)
        return True

    def _read_places(self) -> np.ndarray:
        """(P, 3) metres, world."""
        return np.array([handle.matrix_world.translation for handle in self.handles.objects.values()])

    def _read_pins(self) -> np.ndarray:
        return np.array([is_pinned(handle) for handle in self.handles.objects.values()])

    def _with_free_placed(self, places: np.ndarray, points: np.ndarray, pinned: np.ndarray) -> np.ndarray:
        """Places (P, 3) of all handles, once the free ones stand on the body."""
        for i in np.flatnonzero(~pinned):
            self.handles.objects[self.joints[i]].matrix_world.translation = points[i]
        return np.where(pinned[:, None], places, points)

    def _worst(self, pose: LivePose) -> str:
        if not pose.settled or np.isnan(pose.residual).all():
            return ""
        i = int(np.nanargmax(pose.residual))
        far = pose.residual[i]
        return f"{self.joints[i].replace('_', ' ').capitalize()} misses by {100 * far:.0f} cm" if far > _MISSED else ""


def _channels(obj: bpy.types.Object) -> dict[str, np.ndarray]:
    """All that poses the bones, as it is."""
    found = {name: np.empty(n * len(obj.pose.bones), dtype=np.float32) for name, n in _CHANNELS.items()}
    for name, values in found.items():
        obj.pose.bones.foreach_get(name, values)
    return found


def _rest_mark(obj: bpy.types.Object) -> tuple[float, ...]:
    """How many bones there are, and where the last rests: it moves with any change of shape."""
    return len(obj.pose.bones), *obj.data.bones[-1].head_local
