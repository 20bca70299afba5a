# SPDX-License-Identifier: Apache-2.0
"""What a foreign skeleton's rest pose says: which joints it has, how long they are, where up and its front are."""

from dataclasses import dataclass

import numpy as np

from ..errors import MotionError
from ..motion.bvh import BvhClip
from ..motion.bvh_motion import metres_a_unit
from ..motion.joint_names import fingers_of_skeleton, joints_of_skeleton
from ..rotations import TO_Z_UP

_LONGEST = 1e6  # of the file's units
_UPRIGHT = 0.7  # of their length by which legs and trunk of a skeleton that stands at rest go up
_NEAR_AXIS = np.radians(15)  # headings nearer than this to an axis are meant to be along it
_NEEDED = ("hip", "knee", "ankle", "shoulder", "elbow")


@dataclass(frozen=True)
class ForeignSkeleton:
    """A skeleton of J joints whose names tell a body."""

    joints: dict[str, int]  # of SMPL's names, fingers too: the joint that stands for each
    spine: tuple[int, ...]  # joints above the pelvis up to the one that carries neck and arms
    rest: np.ndarray  # (J, 3) places at rest, in the file's unit, the root at its offset
    unit: float  # metres
    to_z_up: np.ndarray  # (3, 3) from the file's world
    axes: np.ndarray | None  # (3, 3) the file's axes of SMPL's left, up and front at rest; None where it does not stand

    def bone(self, joint: str, end: str) -> np.ndarray:
        """From one joint to another at rest, (3,) in the file's unit."""
        return self.rest[self.joints[end]] - self.rest[self.joints[joint]]


def foreign_skeleton(clip: BvhClip) -> ForeignSkeleton:
    """What there is to know of a clip's skeleton.

    Raises:
        MotionError: the names tell too little of a body.
    """
    joints = joints_of_skeleton(clip.names)
    sided = [f"{side}_{part}" for side in ("left", "right") for part in _NEEDED]
    if missing := [name for name in sided if name not in joints]:
        raise MotionError(
            f"The skeleton has no joint that is called like a {missing[0].replace('_', ' ')}; its joints are "
            f"{', '.join(clip.names[:6])}, ...; expected names such as LeftUpLeg, LeftLeg, LeftArm: rename them"
        )
    ends = [joints[name] for name in sided if not name.endswith(("hip", "shoulder"))]
    lengths = np.linalg.norm(clip.offsets[ends], axis=1)
    if not 0 < lengths.min() <= lengths.max() < _LONGEST:
        raise MotionError(
            f"The skeleton's limbs are {lengths.min():.3g} to {lengths.max():.3g} units long; expected a human one"
        )
    above = [_line_above(clip.parents, joints[name]) for name in ("left_hip", "right_hip")]
    joints.setdefault("pelvis", next(j for j in above[0] if j in above[1]))
    rest = _rest_places(clip)
    return ForeignSkeleton(
        joints=joints | fingers_of_skeleton(clip.names),
        spine=_spine(clip.parents, joints),
        rest=rest,
        unit=metres_a_unit(clip),
        to_z_up=_to_z_up(clip, joints, rest),
        axes=_axes(joints, rest),
    )


def _rest_places(clip: BvhClip) -> np.ndarray:
    rest = np.zeros_like(clip.offsets)
    for j, up in enumerate(clip.parents):
        rest[j] = clip.offsets[j] + (rest[up] if up >= 0 else 0)
    return rest


def _line_above(parents: tuple[int, ...], joint: int) -> list[int]:
    """A joint, its parent, and so on to the root."""
    line = [joint]
    while parents[line[-1]] >= 0:
        line.append(parents[line[-1]])
    return line


def _spine(parents: tuple[int, ...], joints: dict[str, int]) -> tuple[int, ...]:
    """The joints above the pelvis up to the nearest one that carries both arms."""
    arms = [_line_above(parents, joints[f"{side}_shoulder"]) for side in ("left", "right")]
    trunk = [j for j in arms[0] if j in arms[1]]
    below = set(_line_above(parents, joints["pelvis"]))
    return tuple(reversed([j for j in trunk if j not in below]))


def _middle(p: np.ndarray, joints: dict[str, int], part: str) -> np.ndarray:
    """Half-way between the left and the right of places p (..., J, 3)."""
    return (p[..., joints[f"left_{part}"], :] + p[..., joints[f"right_{part}"], :]) / 2


def _axes(joints: dict[str, int], rest: np.ndarray) -> np.ndarray | None:
    """The axes (3, 3), as columns, of left, up and front of a skeleton that stands at rest; None where it does not."""
    legs = [rest[joints[f"{side}_{a}"]] - rest[joints[f"{side}_{b}"]]
            for side in ("left", "right") for a, b in (("hip", "knee"), ("knee", "ankle"))]  # fmt: skip
    length = float(np.linalg.norm(legs, axis=1).sum()) / 2
    upwards = (_middle(rest, joints, "shoulder") - _middle(rest, joints, "ankle")) * np.eye(3)
    up = np.sign(upwards[i := int(np.abs(upwards).sum(1).argmax())])
    trunk = _middle(rest, joints, "shoulder") - _middle(rest, joints, "hip")
    stands = min(np.array(legs) @ up) > 0 and sum(np.array(legs) @ up) / 2 > _UPRIGHT * length
    stands = stands and trunk @ up > _UPRIGHT * np.linalg.norm(trunk)
    across = [rest[joints[f"left_{part}"]] - rest[joints[f"right_{part}"]] for part in ("hip", "shoulder")]
    left = np.sum(across, axis=0) * (np.arange(3) != i)
    if not stands or across[0] @ left <= 0 or across[1] @ left <= 0:
        return None
    left = _snapped(left / np.linalg.norm(left))
    return np.stack([left, up, np.cross(left, up)], axis=1)


def _snapped(v: np.ndarray) -> np.ndarray:
    """A unit vector, along an axis where it is near one."""
    axis = np.sign(v) * (np.arange(3) == np.abs(v).argmax())
    return axis if v @ axis > np.cos(_NEAR_AXIS) else v


def _to_z_up(clip: BvhClip, joints: dict[str, int], rest: np.ndarray) -> np.ndarray:
    """The rotation that takes a clip's up axis to Z: along which its skeleton stands at rest, or else in motion."""
    axes = _axes(joints, rest)
    if axes is not None:
        up = axes[:, 1]
    else:
        p = clip.positions()[0]
        trunk = (_middle(p, joints, "shoulder") - _middle(p, joints, "ankle")).mean(0)
        up = np.sign(trunk) * (np.arange(3) == np.abs(trunk).argmax())
    turn = TO_Z_UP["XYZ"[int(np.abs(up).argmax())]]
    return turn if up.sum() > 0 else np.diag([1.0, -1, -1]) @ turn
