# SPDX-License-Identifier: Apache-2.0
"""From MakeHuman's A pose to the T pose whose limbs rest along the reference skeleton."""

import numpy as np

from vendor_core.skeleton import JOINTS, PARENTS, ancestor_mask

from .rig import REFERENCE_OFFSETS

_LIMBS = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
_FINGERS = ("index", "middle", "ring", "pinky")
_HINGE_TWIST = np.radians(20)  # the elbow's hinge looks forward and up in the T pose, as in the motion data


def _rotation_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The shortest rotation that takes direction a to direction b."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    return _rotation_about(np.cross(a, b), np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))


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
    at = {f: joints[JOINTS.index(f"{side}_{f}")] for f in ("ankle", "foot", "wrist", "index1", "middle1", "pinky1")} if part else {}
    outward = np.array([1.0 if side == "left" else -1.0, 0, 0])
    for start, end in _LIMBS:
        if part == start:
            child = JOINTS.index(f"{side}_{end}")
            bone = joints[child] - joints[JOINTS.index(name)]
            return _rotation_between(R_parent @ bone, REFERENCE_OFFSETS[child]) @ R_parent
    if part == "ankle":
        foot, wanted = at["foot"] - at["ankle"], REFERENCE_OFFSETS[JOINTS.index(f"{side}_foot")]
        return _rotation_about(np.array([0, 1.0, 0]), np.arctan2(wanted[0], wanted[2]) - np.arctan2(foot[0], foot[2]))
    if part == "wrist":
        R = _rotation_between(R_parent @ (at["middle1"] - at["wrist"]), outward) @ R_parent
        return _rotation_about(np.array([1.0, 0, 0]), _palm_turn(R, side, joints)) @ R
    if part[:-1] in _FINGERS:
        return _straight_finger(side, part, R_parent, joints)
    return R_parent


def _straight_finger(side: str, part: str, R_parent: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Fingers lie flat: the first bone keeps its spread within the palm's plane, the others continue it."""
    first, knuckle = JOINTS.index(f"{side}_{part[:-1]}1"), int(part[-1])
    if knuckle == 3:
        return R_parent
    bone = R_parent @ (joints[first + knuckle] - joints[first + knuckle - 1])
    wanted = bone * [1, 0, 1] if knuckle == 1 else R_parent @ (joints[first + 1] - joints[first])
    return _rotation_between(bone, wanted) @ R_parent


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
        R_hand = _rotation_between(R_world[elbow] @ middle, np.array([sign, 0.0, 0.0])) @ R_world[elbow]
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
