# SPDX-License-Identifier: Apache-2.0
"""A motion with everything that files hold, and what a rig shows of it."""

from pathlib import Path

import bpy
import numpy as np
from support import addon, bone_heads, core

RATE, FRAMES = 120.0, 61
LIMBS = [(f"{s}_{a}", f"{s}_{b}") for s in ("left", "right")
         for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))]  # fmt: skip
MIXAMO = {
    "pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck", "head": "Head",
    "hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase",
    "collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand",
}  # fmt: skip


def some_motion(frames: int = FRAMES, rate: float = RATE):
    """Frames at a rate, Hz, between two plausible poses, turning, with fingers, a jaw and a shape."""
    prior, rotations = core("prior").load_prior(), core("rotations")
    R = core("prior").interpolate_poses(prior, prior.decode(prior.sample(2, seed=11)), [frames - 1])
    t = np.linspace(0, 1, frames)[:, None]
    poses = np.zeros((frames, 55, 3))
    poses[:, 1:22] = rotations.log_so3(R)
    poses[:, 0] = rotations.log_so3(rotations.exp_so3(t * (0, 0, 1.5)) @ rotations.Y_UP_TO_Z_UP)
    poses[:, 22] = t * (0.2, 0, 0)
    poses[:, 25:] = 0.2 * np.random.default_rng(0).standard_normal((30, 3)) * (0.5 + t[:, None])
    trans, betas = np.array([0.5, 0.2, 1.3]) + t * (0.4, 0, 0), np.zeros(10)
    betas[:3] = 1.0, -0.5, 0.3
    return core("motion").Motion(poses, trans, rate, betas, body_name="default")


def joints(motion) -> np.ndarray:
    """World places (F, 22, 3) of the default body's joints."""
    body, R = core("body").default_body(), core("rotations").exp_so3(motion.poses)
    return body.pose(R, motion.trans, motion.betas).joints[:, :22]


def heads_at(rig: bpy.types.Object, frame: float) -> np.ndarray:
    bpy.context.scene.frame_set(int(np.floor(frame)), subframe=frame % 1)
    return bone_heads(rig)


def directions(p: np.ndarray) -> np.ndarray:
    names = core("skeleton").BODY_JOINTS
    d = np.array([p[names.index(b)] - p[names.index(a)] for a, b in LIMBS])
    return d / np.linalg.norm(d, axis=1, keepdims=True)


def degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(2 * np.arcsin(np.linalg.norm(directions(a) - directions(b), axis=1) / 2))


def key_frames(rig: bpy.types.Object) -> list[float]:
    curve = next(c for c in addon("rig.keying.keys").curves_of(rig) if "left_knee" in c.data_path)
    return [k.co[0] for k in curve.keyframe_points]


def reread(path: Path):
    return core("motion").read_motion(path)


def write_clip(path: Path, motion, foreign: bool) -> None:
    """The motion as BVH, as Poise writes it or with Mixamo's names."""
    rest = core("body").default_body().rest_joints(motion.betas)
    core("motion.bvh").write_bvh(path, core("motion.bvh_motion").bvh_of(motion, rest))
    if foreign:
        text = path.read_text()
        for joint in core("skeleton").JOINTS:
            side, _, part = joint.partition("_")
            sided = side in ("left", "right")
            name = f"{side.title()}{MIXAMO.get(part) or 'Hand' + part.title()}" if sided else MIXAMO.get(joint)
            text = text.replace(f"T {joint}\n", f"T mixamorig:{name}\n")
        path.write_text(text)


def remove_fingers(rig: bpy.types.Object) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    for name in core("skeleton").JOINTS[22:]:
        rig.data.edit_bones.remove(rig.data.edit_bones[name])
    bpy.ops.object.mode_set(mode="OBJECT")
