# SPDX-License-Identifier: GPL-3.0-or-later
"""Live posing of one body: handles that moved, the pose that follows them, and the way back.

A session keeps references to the handles and the armature: finding them by name takes longer than a whole step in a
large file. It ends before a reference could mislead: what was deleted answers with ReferenceError, and after an undo or
the opening of a file no step is made any more.
"""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import replace

import bpy
import numpy as np

from ....vendor_core.body import BodyModel, body_from_joints
from ....vendor_core.errors import PoiseError
from ....vendor_core.ik import Ground, LivePose, LiveSolver
from ....vendor_core.ik.bones import posed
from ....vendor_core.ik.live_targets import soles_of
from ....vendor_core.ik.points import place
from ....vendor_core.skeleton import JOINT_GROUPS, N_BODY
from ...prior_choice import prior_of
from ..convert import Pose
from ..keying.auto_key import auto_key, why_not_auto_keyed
from ..names import LOOK_AT
from ..pose import read_pose, read_rig
from ..posing.mirror import mirrored_pose
from ..targets import AHEAD, joint_rotations, target_frames
from .bones import LiveBones
from .handles import Handles, HandleState, set_pinned, set_turned
from .held import held_of
from .misses import Miss, misses_of

_MOVED = 1e-5  # metres, above what single precision and a parent of the handle make of a place
_TURNED = 2e-3  # radians, the same of a turn
_MEANT = 0.01  # radians by which a handle that follows is turned when the artist means it
_LAGGING = 3.0  # times what counts as a miss, while the body is on its way
_CHANNELS = {"location": 3, "rotation_quaternion": 4, "rotation_euler": 3, "rotation_axis_angle": 4}
_REMEMBERED = 2000  # steps whose cost is kept
_WORLD = np.eye(3)[None]  # the turn of the handle that the face looks at


class LiveEnded(PoiseError):
    """What a session needs is gone: it must end."""


class LiveSession:
    """Poses a rig by its handles, which are placed on its body. The rig's own settings say whether there are handles
    for elbows, knees and chest too, and whether feet stay above the ground.

    Args:
        context: of the operator, in Object Mode.
        obj: the armature object.
        locked: groups of joints, as `JOINT_GROUPS` calls them, that keep their rotations relative to the parents.

    Raises:
        PoiseError: the armature is no rig of the SMPL family, is scaled unevenly, or has a target whose weight is none.
    """

    def __init__(self, context: bpy.types.Context, obj: bpy.types.Object, locked: Iterable[str] = ()):
        context.view_layer.update()
        self._obj, self._name, self._frame = obj, obj.name, context.scene.frame_current_final
        self._layer = context.scene.name, context.view_layer.name
        self._rig = read_rig(obj)
        self._world, self._rest = obj.matrix_world.copy(), _rest_mark(obj)
        now = read_pose(obj, self._rig)
        self._R, self._trans = now.R_local[0, :N_BODY], now.trans[0]
        self._body = body_from_joints(self._rig.rest_joints(), obj.name)
        self._floor = _floor_of(self._body, self._R, self._trans)
        self._prior = prior_of(context.scene)
        self._before, self.held = _channels(obj), held_of(obj, self._rig)
        self._choices = self._chosen()
        self.handles = Handles(context, obj, self._choices[0])
        context.view_layer.update()  # gives new handles their places
        self.costs: deque[float] = deque(maxlen=_REMEMBERED)  # seconds of each step
        self.work: deque[float] = deque(maxlen=_REMEMBERED)  # of the processor: less on a machine that is busy
        self.steps = 0
        self.settled = True
        self.misses: dict[str, Miss] = {}  # by the joint of the handle that is out of reach
        self.points: dict[str, np.ndarray] = {}  # where the joints are, and the eyes, metres
        self.locked: frozenset[str] = frozenset()
        self._ahead = AHEAD
        try:
            self.lock(locked)
            self._look_again()
        except PoiseError:
            self.handles.take_back()
            raise

    @property
    def joints(self) -> tuple[str, ...]:
        return self.handles.joints

    def lock(self, groups: Iterable[str]) -> None:
        """Lock these groups of joints, and no others, in the pose that they have now."""
        self.locked = frozenset(groups)
        limbs = [name for group in sorted(self.locked) for name in JOINT_GROUPS[group]]
        self._still = tuple(dict.fromkeys((*limbs, *self.held.joints)))
        self._solver = LiveSolver(
            self._body, self._prior, self.joints, self._R, self._trans, self._still,
            self._floor if self._choices[1] else None, not self.held.place,
        )  # fmt: skip
        self._bones = LiveBones(self._obj, self._rig, self._still, not self.held.place)

    def tick(self, context: bpy.types.Context) -> bool:
        """Follow what has moved since the last tick, and go on until the pose is there; whether there was any to do.

        Raises:
            LiveEnded: a handle, the armature or the frame is not what it was.
        """
        start, worked = time.perf_counter(), time.thread_time()
        try:
            self._check(context)
            self._follow_choices(context)
            raw = self.handles.read()
        except ReferenceError:
            raise LiveEnded(f'a handle, or the armature "{self._name}" itself, was deleted') from None
        world_moved = self._follow_object()
        if self.settled and not world_moved and raw == self._raw:
            return False
        self._raw, state = raw, self.handles.state(raw)
        state, moved = self._meant(state)
        if self.settled and not moved and not world_moved and _same_pins(state, self._state):
            return False
        self._step(state)
        self.costs.append(time.perf_counter() - start)
        self.work.append(time.thread_time() - worked)
        return True

    def mirror(self) -> None:
        """Mirror the body's pose at its own middle, and put the handles on it; their pins change sides.

        Raises:
            PoiseError: limbs are locked.
        """
        if self.locked or self.held.notes:
            what = "Locked limbs" if self.locked else "Bones that are locked, driven or constrained"
            raise PoiseError(f"{what} cannot be mirrored; free them first")
        pose = mirrored_pose(Pose(self._R[None], self._trans[None]), "SWAP")
        self._R, self._trans = pose.R_local[0], pose.trans[0]
        self.handles.swap_sides()
        self.lock(())
        nothing = np.full((len(self.joints), 3), np.nan)
        self._show(self._solver.solve(nothing), self.handles.state(self.handles.read()), everywhere=True)
        self.steps += 1

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

    def keep(self, context: bpy.types.Context) -> str:
        """Key the pose where the artist has auto-keying on, and put the session's handles out of sight.

        Returns:
            Why the pose got no keys although auto-keying is on, or the empty text.
        """
        why = ""
        if self.steps:
            auto_key(context, self._obj, self._bones.bones_of(self._R, self._trans))
            why = why_not_auto_keyed(context, self._obj)
        self.handles.hide()
        return why

    def _meant(self, state: HandleState) -> tuple[HandleState, bool]:
        """What the artist means by what has moved: a free handle dragged alone pulls from then on, a handle that is
        turned in its place holds that turn; and whether anything has moved.
        """
        last, objects = self._state, tuple(self.handles.objects.values())
        moved = np.abs(state.x - last.x).max(axis=1) > _MOVED
        angle = 2 * np.arccos(np.minimum(np.abs(np.sum(state.q * last.q, axis=1)), 1))
        turned = angle > np.where(state.turned, _TURNED, np.where(moved, np.inf, _MEANT))
        turned[-1] = False  # where the face looks has no rotation
        for i in np.flatnonzero(turned & ~state.turned):
            set_turned(objects[i], True)
        pinned = state.pinned | turned
        if moved.any() and not moved[pinned].any():
            for i in np.flatnonzero(moved & ~pinned):
                set_pinned(objects[i], True)
            pinned |= moved
        return replace(state, pinned=pinned, turned=state.turned | turned), bool(moved.any() or turned.any())

    def _step(self, state: HandleState) -> None:
        """Bring the body to the handles."""
        x = np.where(state.pinned[:, None], state.x, np.nan)
        rotations = None
        if state.turned.any():
            rotations = np.where(state.turned[:-1, None, None], joint_rotations(state.q[:-1]), np.nan)
        pose = self._solver.solve(x[:-1], state.weights[:-1], rotations, x[-1])
        self._R, self._trans, self.settled = pose.R_local, pose.trans, pose.settled
        if state.pinned[-1]:
            self._ahead = float(np.linalg.norm(x[-1] - pose.eyes))
        self._show(pose, state)
        found = misses_of(pose, self.joints)  # while the body moves, what lags is not missed yet
        self.misses = {j: m for j, m in found.items() if pose.settled or j in self.misses or m.times > _LAGGING}
        self.points = dict(zip((*self.joints, LOOK_AT), (*pose.points, pose.eyes), strict=True))
        self.steps += 1

    def _show(self, pose: LivePose, state: HandleState, everywhere: bool = False) -> None:
        """Write the pose, and let the handles that follow stand on it, or all of them."""
        self._bones.write(self._obj, self._R, self._trans)
        pinned, turned = state.pinned & (not everywhere), state.turned & (not everywhere)
        gaze = pose.eyes + self._ahead * pose.gaze
        x = np.where(pinned[:, None], state.x, np.concatenate([pose.points, gaze[None]]))
        q = self.handles.place(x, np.concatenate([target_frames(pose.rotations), _WORLD]), ~pinned, ~turned)
        self._state = replace(state, x=x, q=np.where(turned[:, None], state.q, q))

    def _look_again(self) -> None:
        """Take the handles as they are for what the pose has reached."""
        self._raw = self.handles.read()
        self._state = self.handles.state(self._raw)

    def _chosen(self) -> tuple[bool, bool]:
        return self._obj.poise.live_more, self._obj.poise.live_grounded

    def _follow_choices(self, context: bpy.types.Context) -> None:
        """Take over settings that the artist has changed meanwhile."""
        before, self._choices = self._choices, self._chosen()
        if before == self._choices:
            return
        if before[0] != self._choices[0]:
            context.view_layer.update()
            self.handles.set_more(context, self._obj, self._choices[0])
            context.view_layer.update()
            self._look_again()
        self.lock(self.locked)
        self.settled = False

    def _check(self, context: bpy.types.Context) -> None:
        if (context.scene.name, context.view_layer.name) != self._layer:
            raise LiveEnded(f"the view layer was changed from {self._layer[1]} of {self._layer[0]}")
        frame = context.scene.frame_current_final
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
        self._bones = LiveBones(self._obj, self._rig, self._still, not self.held.place)
        return True


def _same_pins(a: HandleState, b: HandleState) -> bool:
    return all((getattr(a, name) == getattr(b, name)).all() for name in ("pinned", "turned", "weights"))


def _floor_of(body: BodyModel, R_local: np.ndarray, trans: np.ndarray) -> Ground:
    """The plane of Blender's grid, or under the lower foot where that is deeper already."""
    soles = soles_of(body)
    lowest = place(soles, posed(soles.bones, R_local[None], trans[None]))[0][0, :, 2].min()
    return Ground(min(0.0, float(lowest)))


def _channels(obj: bpy.types.Object) -> dict[str, np.ndarray]:
    """All that poses the bones, as it is."""
    found = {name: np.empty(n * len(obj.pose.bones), dtype=np.float32) for name, n in _CHANNELS.items()}
    for name, values in found.items():
        obj.pose.bones.foreach_get(name, values)
    return found


def _rest_mark(obj: bpy.types.Object) -> tuple[float, ...]:
    """How many bones there are, and where the last rests: it moves with any change of shape."""
    return len(obj.pose.bones), *obj.data.bones[-1].head_local
