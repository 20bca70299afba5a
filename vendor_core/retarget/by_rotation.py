# SPDX-License-Identifier: Apache-2.0
"""The motion of a foreign skeleton on a body: by rotation, the limbs pointing exactly where the skeleton's do.

With G_s a joint's rotation in the skeleton's world and A the rotation that takes the body's axes at rest to the
skeleton's, the body's joint gets G = G_s A. A is the same for all joints where both rest alike; of a limb it also turns
the body's bone at rest, by the shortest way, to where the skeleton's is at rest. So a T-pose, an A-pose or any other
rest pose of the skeleton gives the same motion, and twists come along.
"""

from dataclasses import replace

import numpy as np

from ..body import BodyModel
from ..body.kinematics import JointTree
from ..ik import fit_joints
from ..motion import Motion
from ..motion.bvh import BvhClip
from ..prior import load_prior
from ..rotations import exp_so3, log_so3, nearest_rotation
from ..skeleton import JOINTS, N_BODY, PARENTS
from .skeleton import ForeignSkeleton, foreign_skeleton

_SIDES = ("left_", "right_")
_LIMBS = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "middle1"))
_FINGERS = ("index", "middle", "pinky", "ring", "thumb")
_TREE = JointTree(PARENTS)
_SAME, _SIGMA = 1e-9, 0.01  # relative length of a bone that points nowhere; metres of limbs that count as a deviation
_MOST = 3.0  # standard deviations of a shape
_STEPS = 5  # of Gauss-Newton for the shape
_TRIED = 24  # frames by which it is learnt how a skeleton rests that does not stand at rest


def retargeted(clip: BvhClip, body: BodyModel, prior: str = "vae") -> Motion:
    """The motion of a clip on a body that gets the lengths of its limbs, as far as betas can.

    Args:
        clip: F frames of a skeleton whose names are known.
        body: its steps are those of the skeleton, scaled with the length of the legs.
        prior: name or path. Of a skeleton that does not stand at rest some frames are posed by it and by the places of
            the joints; how the skeleton rests is learnt from them.

    Raises:
        MotionError: the names tell too little of a body.
    """
    skeleton = foreign_skeleton(clip)
    betas = _betas(body, skeleton)
    rest = body.rest_joints(betas)[: len(JOINTS)]
    p, G = clip.positions()
    at_rest = (
        dict.fromkeys(skeleton.joints, skeleton.axes)
        if skeleton.axes is not None
        else _learnt_rest(skeleton, replace(body, joints_template=body.rest_joints(betas)), prior, p, G)
    )
    aligned = _alignment(skeleton, rest, at_rest)
    R = _local_rotations(skeleton, G, aligned)
    trans = _places(skeleton, p, R[:, 0], rest)
    return Motion(log_so3(R), trans, clip.rate, betas, body_name="default" if body.beta_names else "")


def _learnt_rest(
    skeleton: ForeignSkeleton, body: BodyModel, prior: str, p: np.ndarray, G: np.ndarray
) -> dict[str, np.ndarray]:
    """Of each joint the rotation (3, 3) from the body's axes at rest to the skeleton's, but for where limbs point: what
    it is on average in some frames of places p (F, J, 3) and rotations G (F, J, 3, 3) in which the body is posed too.
    """
    names = [name for name in skeleton.joints if name in JOINTS[:N_BODY]]
    some = np.unique(np.linspace(0, len(p) - 1, _TRIED).astype(int))
    places = skeleton.unit * p[some][:, [skeleton.joints[name] for name in names]] @ skeleton.to_z_up.T
    posed = np.broadcast_to(np.eye(3), (len(some), len(JOINTS), 3, 3)).copy()
    posed[:, :N_BODY] = fit_joints(body, load_prior(prior), names, places).R_local
    of_body = _TREE.global_rotations(posed)
    return {
        name: nearest_rotation(
            np.mean(np.swapaxes(skeleton.to_z_up @ G[some, j], -1, -2) @ of_body[:, JOINTS.index(name)], axis=0)
        )
        for name, j in skeleton.joints.items()
    }


def _alignment(skeleton: ForeignSkeleton, rest: np.ndarray, at_rest: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A (3, 3) of each joint: what it is at rest, turned so that the limbs' bones at rest (55, 3) lie on each other."""
    found, aligned = skeleton.joints, dict(at_rest)
    for side in _SIDES:
        for joint, end in _LIMBS:
            a, b = side + joint, side + end
            if a in found and b in found:
                aligned[a] = _onto(aligned[a] @ _bone(rest, a, b), skeleton.bone(a, b)) @ aligned[a]
        if side + "wrist" not in found:
            aligned[side + "elbow"] = aligned[side + "shoulder"]
        wrist, across = side + "wrist", (side + "index1", side + "pinky1")
        if wrist in found and side + "middle1" not in found:
            aligned[wrist] = aligned[side + "elbow"] if skeleton.axes is not None else aligned[wrist]
        elif wrist in found and all(name in found for name in across):
            along = skeleton.bone(wrist, side + "middle1")
            aligned[wrist] = (
                _about(along, aligned[wrist] @ _bone(rest, *across), skeleton.bone(*across)) @ aligned[wrist]
            )
        _align_fingers(skeleton, rest, aligned, side)
        ankle, toe = side + "ankle", side + "foot"
        if skeleton.axes is not None and toe in found:  # soles stay flat, whatever height toes are drawn at
            up = skeleton.axes[:, 1]
            turn = _about(up, aligned[ankle] @ _bone(rest, ankle, toe), skeleton.bone(ankle, toe))
            aligned[ankle] = aligned[toe] = turn @ aligned[ankle]
    return aligned


def _align_fingers(skeleton: ForeignSkeleton, rest: np.ndarray, aligned: dict[str, np.ndarray], side: str) -> None:
    for finger in _FINGERS:
        before = aligned.get(side + "wrist")
        for i in (1, 2, 3):
            name, after = f"{side}{finger}{i}", f"{side}{finger}{i + 1}"
            if name not in skeleton.joints or before is None:
                break
            aligned[name] = before
            if after in skeleton.joints:
                aligned[name] = _onto(before @ _bone(rest, name, after), skeleton.bone(name, after)) @ before
            before = aligned[name]


def _local_rotations(skeleton: ForeignSkeleton, G: np.ndarray, aligned: dict[str, np.ndarray]) -> np.ndarray:
    """The body's rotations (F, 55, 3, 3) relative to the parents, of the skeleton's G (F, J, 3, 3) in its world."""

    def turned(name: str, joint: int) -> np.ndarray:
        return skeleton.to_z_up @ G[:, joint] @ aligned[name]

    world = np.empty((len(G), len(JOINTS), 3, 3))
    for j, name in enumerate(JOINTS):
        if name in skeleton.joints:
            world[:, j] = turned(name, skeleton.joints[name])
        elif name.startswith("spine"):
            world[:, j] = _of_spine(skeleton, G, aligned["pelvis"], int(name[-1]) / 3)
        else:
            world[:, j] = world[:, PARENTS[j]]
    if "neck" not in skeleton.joints and "head" in skeleton.joints:
        neck, head, chest = (JOINTS.index(name) for name in ("neck", "head", "spine3"))
        world[:, neck] = _between(world[:, chest], world[:, head], 0.5)
    above = np.swapaxes(world[:, [max(up, 0) for up in PARENTS]], -1, -2)
    return np.concatenate([world[:, :1], (above @ world)[:, 1:]], axis=1)


def _of_spine(skeleton: ForeignSkeleton, G: np.ndarray, A: np.ndarray, part: float) -> np.ndarray:
    """The rotation (F, 3, 3) in the Z-up world of a spine at a part of the way from the pelvis to the chest."""
    line = (skeleton.joints["pelvis"], *skeleton.spine)
    at = part * (len(line) - 1)
    i = min(int(at + _SAME), max(len(line) - 2, 0))
    below, above = (skeleton.to_z_up @ G[:, line[min(k, len(line) - 1)]] @ A for k in (i, i + 1))
    return _between(below, above, at - i)


def _between(R_a: np.ndarray, R_b: np.ndarray, part: float) -> np.ndarray:
    """Rotations (F, 3, 3) at a part of the way from R_a to R_b."""
    return R_b if part > 1 - _SAME else R_a @ exp_so3(part * log_so3(np.swapaxes(R_a, -1, -2) @ R_b))


def _places(skeleton: ForeignSkeleton, p: np.ndarray, R_root: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """`Motion.trans` (F, 3): the hips go where the skeleton's do, in steps as long as the legs are."""
    legs = [name for side in _SIDES for name in (side + "knee", side + "ankle")]
    above = [name.replace("knee", "hip").replace("ankle", "knee") for name in legs]
    of_body = sum(np.linalg.norm(_bone(rest, a, b)) for a, b in zip(above, legs, strict=True))
    of_file = skeleton.unit * sum(np.linalg.norm(skeleton.bone(a, b)) for a, b in zip(above, legs, strict=True))
    hips = [skeleton.joints[side + "hip"] for side in _SIDES]
    middle = (of_body / of_file) * skeleton.unit * p[:, hips].mean(1) @ skeleton.to_z_up.T
    own = rest[[JOINTS.index(side + "hip") for side in _SIDES]].mean(0) - rest[0]
    return middle - R_root @ own - rest[0]


def _betas(body: BodyModel, skeleton: ForeignSkeleton) -> np.ndarray:
    """The betas (B,) that give a body the lengths of a skeleton's limbs, as far as likely shapes have them."""
    bones = [(side + a, side + b) for a, b in _LIMBS[:4] for side in _SIDES if side + b in skeleton.joints]
    lengths = skeleton.unit * np.array([np.linalg.norm(skeleton.bone(a, b)) for a, b in bones])
    betas = np.zeros(body.num_betas)
    if not body.num_betas:
        return betas

    def vectors(of: np.ndarray) -> np.ndarray:
        rest = body.rest_joints(of)
        return np.stack([rest[..., JOINTS.index(b), :] - rest[..., JOINTS.index(a), :] for a, b in bones], axis=-2)

    at_zero = vectors(betas)
    per_beta = vectors(np.eye(len(betas))) - at_zero  # (B, n, 3): joints are linear in the betas
    for _ in range(_STEPS):
        now = at_zero + np.tensordot(betas, per_beta, 1)
        length = np.linalg.norm(now, axis=-1)
        A = np.sum(per_beta * (now / length[:, None]), axis=-1).T / _SIGMA
        miss = (lengths - length) / _SIGMA
        betas = betas + np.linalg.solve(A.T @ A + np.eye(len(betas)), A.T @ miss - betas)
    return np.clip(betas, -_MOST, _MOST)


def _bone(rest: np.ndarray, joint: str, end: str) -> np.ndarray:
    return rest[JOINTS.index(end)] - rest[JOINTS.index(joint)]


def _onto(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The shortest rotation (3, 3) from the direction a (3,) to b (3,)."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    if lengths < _SAME:
        return np.eye(3)
    axis = np.cross(a, b) / lengths
    sine = float(np.linalg.norm(axis))
    if sine < _SAME:  # half a turn about anything across, where they are opposed
        across = np.cross(a, np.eye(3)[np.abs(a).argmin()])
        return np.eye(3) if a @ b > 0 else exp_so3(np.pi * across / np.linalg.norm(across))
    return exp_so3(np.arctan2(sine, a @ b / lengths) * axis / sine)


def _about(axis: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) about an axis that takes a (3,) to b (3,), both seen along it."""
    axis = axis / max(float(np.linalg.norm(axis)), _SAME)
    a, b = (v - (v @ axis) * axis for v in (a, b))
    return exp_so3(np.arctan2(float(np.cross(a, b) @ axis), float(a @ b)) * axis)
