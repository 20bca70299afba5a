# SPDX-License-Identifier: Apache-2.0
"""Residuals of every kind with random targets on a random body, and their Jacobian by differences."""

import numpy as np

from tests.core.synthetic_bodies import body_arrays
from vendor_core.body import BodyModel
from vendor_core.body.formats import body_from_arrays
from vendor_core.ik.bones import Kinematics, bones_of
from vendor_core.ik.camera import Camera
from vendor_core.ik.points import BodyPoints, joint_points, surface_points
from vendor_core.ik.residuals import (
    AbovePlane,
    Facing,
    LookAt,
    OnPlane,
    Orientation,
    Pinhole,
    Position,
    Residual,
)
from vendor_core.ik.state import PoseState
from vendor_core.rotations import exp_so3

KINDS = ("position", "joints", "orientation", "facing", "look_at", "on_plane", "above_plane", "pinhole")
N = 3  # frames
BODY = body_from_arrays(body_arrays("smplx"), "random")


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def surface(body: BodyModel, n_joints: int) -> BodyPoints:
    rng = np.random.default_rng(3)
    vertices, barycentric = rng.integers(1000, size=(7, 3)), rng.dirichlet((1, 1, 1), size=7)
    names, offsets = [str(i) for i in range(7)], rng.normal(size=(7, 3)) * 0.02
    return surface_points(body, names, vertices, barycentric, offsets, bones=bones_of(body, n_joints))


def residual_of(kind: str, rng: np.random.Generator, n_joints: int = 22) -> Residual:
    """A residual of random targets on the random body, whose joints are metres from the origin."""
    skin, bones = surface(BODY, n_joints), bones_of(BODY, n_joints)
    joints = joint_points(BODY, [0, 7, 15, 20, 24, 31], bones)
    turned = (0, 5, 15, n_joints - 1)
    up, forward = unit(rng.normal(size=3)), unit(rng.normal(size=(6, 3)))
    camera = Camera(
        np.array([900.0, 1100.0]), np.array([500.0, 400.0]), exp_so3(rng.normal(size=(N, 3))), rng.normal(size=(N, 3))
    )
    known = rng.random((N, 7)) * (rng.random((N, 7)) > 0.2)
    return {
        "position": lambda: Position(known, 0.4, skin, rng.normal(size=(N, 7, 3))),
        "joints": lambda: Position(known[:, :6], 0.4, joints, rng.normal(size=(N, 6, 3))),
        "orientation": lambda: Orientation(known[:, :4], 0.2, turned, exp_so3(rng.normal(size=(N, 4, 3)) * 2)),
        "facing": lambda: Facing(known[:, :4], 0.2, turned, forward[:4], unit(rng.normal(size=(N, 4, 3)))),
        "look_at": lambda: LookAt(known[:, :6], 0.2, joints, forward, rng.normal(size=(N, 6, 3))),
        "on_plane": lambda: OnPlane(known, 0.02, skin, up, 0.3),
        "above_plane": lambda: AbovePlane(known, 0.02, skin, up, 0.3),
        "pinhole": lambda: Pinhole(known, 5.0, skin, camera, rng.random((N, 7, 2)) * 1000),
    }[kind]()


def state_of(rng: np.random.Generator, n_betas: int, n_joints: int = 22) -> PoseState:
    R, trans = exp_so3(rng.normal(size=(N, n_joints, 3)) * 0.7), rng.normal(size=(N, 3))
    return PoseState(R, trans, rng.normal(size=(N, 32)), rng.normal(size=(N, n_betas)))


def differences(residual: Residual, state: PoseState, pose: Kinematics) -> np.ndarray:
    """The Jacobian by central differences, (F, K, d, T)."""
    columns, h = [], 1e-6
    for column in range(pose.bones.n_tangent + state.betas.shape[1]):
        step = np.zeros((len(state), pose.bones.n_tangent + state.betas.shape[1]))
        step[:, column] = h
        ahead, behind = (residual.error(state.moved(s, 0.0, pose).on(pose.bones)) for s in (step, -step))
        columns.append((ahead - behind) / (2 * h))
    return np.stack(columns, axis=-1)
