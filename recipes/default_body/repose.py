# SPDX-License-Identifier: Apache-2.0
"""From MakeHuman's A pose to the T pose whose limbs rest along the reference skeleton."""

import numpy as np

from vendor_core.body.kinematics import ancestor_mask
from vendor_core.skeleton import JOINTS, PARENTS

from .rig import REFERENCE_OFFSETS

_LIMBS = {"hip": "knee", "knee": "ankle", "shoulder": "elbow", "elbow": "wrist"}
_FINGERS = ("index", "middle", "ring", "pinky", "thumb")
_UP = np.array([0.0, 1.0, 0.0])
_MIRRORED = {"left": np.array([1.0, 1.0, 1.0]), "right": np.array([-1.0, 1.0, 1.0])}
_OUTWARD = {"left": np.array([1.0, 0.0, 0.0]), "right": np.array([-1.0, 0.0, 0.0])}
_THUMB = np.array([0.66, -0.3, 0.69])  # where the left thumb points
_SPREAD = 0.6  # share of the fingers' spread that stays
_HINGE_TWIST = np.radians(20)  # the elbow's hinge looks forward and up in the T pose, as in the motion data


def _rotation_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The shortest rotation that takes direction a to direction b."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    return _rotation_about(np.cross(a, b), float(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


def _rotation_about(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rodrigues' formula."""
    length = np.linalg.norm(axis)
    if length < 1e-12:
        return np.eye(3)
    x, y, z = axis / length
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * K @ K


def t_pose(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Global rotations (55, 3, 3) and positions (55, 3) of the joints (55, 3) in the T pose."""
    R_world = np.tile(np.eye(3), (len(JOINTS), 1, 1))
    posed = joints.copy()
    for joint, (name, parent) in enumerate(zip(JOINTS, PARENTS, strict=True)):
        if parent >= 0:
            posed[joint] = posed[parent] + R_world[parent] @ (joints[joint] - joints[parent])
            R_world[joint] = _turn(name, R_world[parent], joints)
    return R_world, posed


def _turn(name: str, R_parent: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Global rotation of one joint in the T pose, given its parent's."""
    side, _, part = name.partition("_")
    here = JOINTS.index(name)
    if part in _LIMBS:
        child = JOINTS.index(f"{side}_{_LIMBS[part]}")
        return _rotation_between(R_parent @ (joints[child] - joints[here]), REFERENCE_OFFSETS[child]) @ R_parent
    if part == "ankle":  # the sole stays flat
        child = JOINTS.index(f"{side}_foot")
        foot, wanted = joints[child] - joints[here], REFERENCE_OFFSETS[child]
        return _rotation_about(_UP, float(np.arctan2(wanted[0], wanted[2]) - np.arctan2(foot[0], foot[2])))
    if part == "wrist":
        bone = joints[JOINTS.index(f"{side}_middle1")] - joints[here]
        R = _rotation_between(R_parent @ bone, _OUTWARD[side]) @ R_parent
        return _rotation_about(_OUTWARD["left"], _palm_turn(R, side, joints)) @ R
    if part[:-1] in _FINGERS:
        return _straight_finger(side, part, R_parent, joints)
    return R_parent


def _straight_finger(side: str, part: str, R_parent: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Fingers lie flat, a little less spread than in the source, each bone in line with the first."""
    first, knuckle = JOINTS.index(f"{side}_{part[:-1]}1"), int(part[-1])
    if knuckle == 3:
        return R_parent
    bone = R_parent @ (joints[first + knuckle] - joints[first + knuckle - 1])
    if knuckle == 2:
        return _rotation_between(bone, R_parent @ (joints[first + 1] - joints[first])) @ R_parent
    if part == "thumb1":
        return _rotation_between(R_parent @ (joints[first + 2] - joints[first]), _THUMB * _MIRRORED[side]) @ R_parent
    return _rotation_between(bone, bone * [1, 0, _SPREAD]) @ R_parent


def _palm_turn(R_wrist: np.ndarray, side: str, joints: np.ndarray) -> float:
    """Angle about +X that would lay the palm of a hand turned by R_wrist face down."""
    wrist, index, pinky = (joints[JOINTS.index(f"{side}_{name}")] for name in ("wrist", "index1", "pinky1"))
    back = R_wrist @ np.cross(index - wrist, pinky - wrist) * (1 if side == "left" else -1)
    return -float(np.arctan2(back[2], back[1]))


def _twist(vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray, start: int, end: int, angle: float) -> None:
    """Twist a limb in place about the bone start-end: by nothing at its start, by `angle` from its end on."""
    moving = np.flatnonzero(ancestor_mask(PARENTS)[:, start])
    axis = joints[end] - joints[start]
    for points, share in ((vertices, weights[:, moving].sum(1)), (joints, np.isin(np.arange(len(joints)), moving))):
        relative = points - joints[start]
        turn = angle * np.clip(relative @ axis / (axis @ axis), 0, 1) * share
        along = (relative @ axis / (axis @ axis))[:, None] * axis
        across = relative - along
        sideways = np.cross(axis / np.linalg.norm(axis), across)
        points[:] = joints[start] + along + np.cos(turn)[:, None] * across + np.sin(turn)[:, None] * sideways


def _turn_hands(vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> None:
    """Twist upper arms and forearms in place, so that elbows hinge and palms lie as the T pose wants without a kink."""
    for side, sign in (("left", 1), ("right", -1)):
        shoulder, elbow, wrist = (JOINTS.index(f"{side}_{name}") for name in ("shoulder", "elbow", "wrist"))
        _twist(vertices, joints, weights, shoulder, elbow, -sign * _HINGE_TWIST)
        R_world, _ = t_pose(joints)
        middle = joints[JOINTS.index(f"{side}_middle1")] - joints[wrist]
        R_hand = _rotation_between(R_world[elbow] @ middle, _OUTWARD[side]) @ R_world[elbow]
        _twist(vertices, joints, weights, elbow, wrist, sign * _palm_turn(R_hand, side, joints))


def repose(vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """T-posed vertices (N, 3) and joints (55, 3) of an A-posed body.

    The T pose is the one that linear skinning takes back to the A pose exactly: arms that hang, the commonest pose,
    then keep the shoulders that the source's sculptors made.
    """
    vertices, joints = vertices.copy(), joints.copy()
    _turn_hands(vertices, joints, weights)
    R_t, posed = t_pose(joints)
    R_back = np.swapaxes(R_t, 1, 2)
    blended = np.einsum("vj,jab->vab", weights, R_back)
    offset = weights @ (joints - np.einsum("jab,jb->ja", R_back, posed))
    return np.linalg.solve(blended, (vertices - offset)[..., None])[..., 0], posed
