# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of a motion solved anew, written into the very keys that are there: those outside stay bit for bit.

At both ends of the part the new motion takes over from the old one little by little, so that nothing jumps.
"""

from dataclasses import dataclass

import bpy
import numpy as np

from ....vendor_core.rotations import exp_so3, log_so3, matrix_to_quaternion, quaternion_to_matrix
from ..convert import Pose, Rig, to_bones
from ..keying.channels import channel_of, path_of
from ..keying.keys import channel_at, keyed_bones, keyed_frames, known_curves, read_vectors
from ..keying.rework import channel_near, set_values

_SEAM = 0.15  # seconds in which the new motion takes over
_SHARE = 1 / 8  # of a part that a seam may take: short parts would else be seams and little more
_SAME = 1e-3  # frames


@dataclass(frozen=True)
class Part:
    """A solved part of a take."""

    R_local: np.ndarray  # (N, 55, 3, 3)
    trans: np.ndarray  # (N, 3) metres
    first: int  # frame of the take
    rate: float  # Hz of the take and of the part
    starts_take: bool  # nothing is before it
    ends_take: bool

    @property
    def last(self) -> int:
        return self.first + len(self.trans) - 1

    def weights(self, at: np.ndarray) -> np.ndarray:
        """How much (K,) of the motion is new at frames (K,) of the take."""
        seam = max(1.0, min(_SEAM * self.rate, (self.last - self.first) * _SHARE))
        rise = np.ones(len(at)) if self.starts_take else np.clip((at - self.first) / seam, 0, 1)
        fall = np.ones(len(at)) if self.ends_take else np.clip((self.last - at) / seam, 0, 1)
        t = np.minimum(rise, fall)
        return t * t * (3 - 2 * t)

    def pose_at(self, at: np.ndarray) -> Pose:
        """The pose at frames (K,) of the take, from `first` to `last`."""
        at = np.clip(at - self.first, 0, len(self.trans) - 1)
        left = np.minimum(np.floor(at).astype(int), max(len(self.trans) - 2, 0))
        right, t = np.minimum(left + 1, len(self.trans) - 1), at - left
        turn = log_so3(np.swapaxes(self.R_local[left], -1, -2) @ self.R_local[right])
        R = self.R_local[left] @ exp_so3(t[:, None, None] * turn)
        return Pose(R, self.trans[left] + t[:, None] * (self.trans[right] - self.trans[left]))


def keys_inside(obj: bpy.types.Object, rig: Rig, first: float, last: float) -> np.ndarray:
    """Frames (K,) of the scene between two at which bones of a rig have keys."""
    at = keyed_frames(obj, rig, selected=False, made_too=True, bones=rig.bones)
    return at[(at >= first - _SAME) & (at <= last + _SAME)]


def write_part(obj: bpy.types.Object, rig: Rig, keys: np.ndarray, at: np.ndarray, part: Part, fingers: bool) -> None:
    """Give keys the motion of a part.

    Args:
        obj: the armature object; the action that it has is written.
        rig: where it stood, relative to the take, when the take was solved.
        keys: (K,) frames of the scene, one or more.
        at: (K,) the take's frames that they show.
        part: of the take.
        fingers: whether the part moves fingers.
    """
    old, weights = keyed_bones(obj, rig, keys), part.weights(at)
    new = to_bones(rig, part.pose_at(at), hands=fingers)
    assert old.location is not None and new.location is not None
    curves = known_curves(obj)
    for i, name in enumerate(new.bones):
        bone = obj.pose.bones[name]  # type: ignore[union-attr]
        path = path_of(name, channel_of(bone))
        found = {k: curves[path, k] for k in range(4) if (path, k) in curves}
        if found:
            q = _between(old.quaternions[:, old.bones.index(name)], new.quaternions[:, i], weights)
            before = channel_at(curves, bone, channel_of(bone), keys)
            _set_inside(found, keys, channel_near(bone.rotation_mode, q, before))
    path = path_of(new.bones[0], "location")
    location = old.location + weights[:, None] * (new.location - old.location)
    _set_inside({k: curves[path, k] for k in range(3) if (path, k) in curves}, keys, location)


def _set_inside(curves: dict[int, bpy.types.FCurve], keys: np.ndarray, values: np.ndarray) -> None:
    """`set_values`, but Blender may not move the automatic handles of keys outside."""
    handles = ("handle_left", "handle_right")
    before = {k: {name: read_vectors(curve, name) for name in handles} for k, curve in curves.items()}
    set_values(curves, keys, values)
    for k, curve in curves.items():
        frames = read_vectors(curve)[:, 0]
        outside = (frames < keys[0] - _SAME) | (frames > keys[-1] + _SAME)
        for name in handles:
            vectors = np.where(outside[:, None], before[k][name], read_vectors(curve, name))
            curve.keyframe_points.foreach_set(name, vectors.ravel())


def _between(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Quaternions (K, 4) a part t (K,) of the way from a to b; exactly a at 0."""
    R_a = quaternion_to_matrix(a)
    turn = log_so3(np.swapaxes(R_a, -1, -2) @ quaternion_to_matrix(b))
    q = matrix_to_quaternion(R_a @ exp_so3(t[:, None] * turn))
    return np.where(t[:, None] > 0, q, a)
