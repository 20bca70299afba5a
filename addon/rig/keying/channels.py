# SPDX-License-Identifier: GPL-3.0-or-later
"""The channel that holds a bone's rotation in its own rotation mode: quaternion, axis and angle, or Euler angles."""

import bpy
import numpy as np
from mathutils import Euler, Quaternion

_CHANNELS = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}  # any other: Euler angles
ROTATIONS = (*_CHANNELS.values(), "rotation_euler")
_NO_TURN = 1e-7  # sine of half an angle, below which a quaternion has no axis to speak of


def channel_of(bone: bpy.types.PoseBone) -> str:
    """The property that holds a bone's rotation in its rotation mode."""
    return _CHANNELS.get(bone.rotation_mode, "rotation_euler")


def path_of(bone: str, channel: str) -> str:
    """The data path of a bone's channel."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone)}"].{channel}'


def quaternions_of(mode: str, values: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4), wxyz, that values (..., 3 | 4) of bones' rotation channels mean."""
    if mode == "QUATERNION":
        return _unit(values, (0.0, 1.0, 0.0, 0.0))  # as Blender has it
    if mode == "AXIS_ANGLE":
        return _unit(_about(_unit(values[..., 1:], (0.0, 0.0, 0.0)), values[..., :1]), (1.0, 0.0, 0.0, 0.0))
    first, second, third = (_about(np.eye(3)[i], values[..., [i]]) for i in map("XYZ".index, mode))
    return _product(third, _product(second, first))


def _unit(v: np.ndarray, otherwise: tuple[float, ...]) -> np.ndarray:
    """Vectors (..., n) of length 1; of those of no length, another one."""
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    return np.where(length > 0, v / np.where(length > 0, length, 1), otherwise)


def _about(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Quaternions (..., 4) of turns by angles (..., 1) about unit axes (..., 3)."""
    return np.concatenate([np.cos(angle / 2), axis * np.sin(angle / 2)], axis=-1)


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Products (..., 4) of quaternions: b turns first."""
    w, v = a[..., :1] * b[..., :1], a[..., 1:] * b[..., 1:]
    vector = a[..., :1] * b[..., 1:] + b[..., :1] * a[..., 1:] + np.cross(a[..., 1:], b[..., 1:])
    return np.concatenate([w - v.sum(-1, keepdims=True), vector], axis=-1)


def channel_values(mode: str, q: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Values (F, 3 | 4) of a rotation channel that mean quaternions q (F, 4), wxyz, without jumps from frame to frame.

    Args:
        mode: the bone's rotation mode.
        q: without changes of sign.
        near: (3 | 4) values that the first are to be near.
    """
    if mode == "QUATERNION":
        return -q if np.dot(q[0], near) < 0 else q
    if mode == "AXIS_ANGLE":
        return _axis_angles(q, near)
    eulers = [Euler(near.tolist(), mode)]
    for rotation in map(Quaternion, q.tolist()):
        eulers.append(rotation.to_euler(mode, eulers[-1]))
    return np.array(eulers[1:])


def _axis_angles(q: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Angles and axes (F, 4) of q (F, 4), the axes never turned over and the angles without jumps: a rotation that
    passes through none at all goes on to negative angles. The first is near given ones (4,).
    """
    v = np.vstack([near[1:] if near[1:].any() else (0.0, 1.0, 0.0), q[:, 1:]])
    length = np.linalg.norm(v, axis=1)
    turned = length > _NO_TURN
    turned[0] = True
    last = np.maximum.accumulate(np.where(turned, np.arange(len(v)), 0))  # what has no axis keeps the one before
    axes = v[last] / length[last, None]
    over = np.sum(axes[1:] * axes[:-1], axis=1) < 0
    axes = axes[1:] * np.cumprod(np.where(over, -1.0, 1.0))[:, None]
    half = np.unwrap(np.arctan2(np.sum(q[:, 1:] * axes, axis=1), q[:, 0]))
    turns = np.round((near[0] - 2 * half[0]) / (2 * np.pi))
    return np.column_stack([2 * half + 2 * np.pi * turns, axes])
