# SPDX-License-Identifier: Apache-2.0
"""What a pose is solved for: keypoints of every kind as a user has them, checked, and freely mixed.

Every kind takes F frames; NaN means unseen, and so does what is farther than any studio is wide. Weights multiply the
cost, per keypoint or per frame and keypoint. A sigma says which miss costs as much as one unit of the latent.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..body import BodyModel
from ..body.placement import vertex_normals
from ..errors import TargetError
from ..skeleton import N_BODY
from .bones import Bones
from .camera import Camera
from .checks import array_of, checked_targets, directions, numbers
from .points import BodyPoints, joint_points, rigid_points, surface_points
from .residuals import AbovePlane, Facing, LookAt, OnPlane, Orientation, Pinhole, Position, Residual

POSITION_SIGMA = 0.003  # metres
ANGLE_SIGMA = 0.05  # radians
PIXEL_SIGMA = 5.0


class Target(ABC):
    """Keypoints of one kind."""

    @abstractmethod
    def on(self, body: BodyModel, bones: Bones) -> Residual:
        """The keypoints on a body, of which the bones are solved.

        Raises:
            TargetError: unknown joints or vertices, wrong shapes, no numbers, or negative weights.
        """


@dataclass(frozen=True)
class JointTargets(Target):
    """Joints at places in the world."""

    names: Sequence[str]  # P
    positions: np.ndarray  # (F, P, 3) metres
    weights: np.ndarray | None = None  # (P,) or (F, P)
    sigma: float = POSITION_SIGMA

    def on(self, body: BodyModel, bones: Bones) -> Position:
        points = joint_points(body, joints_named(body, self.names), bones)
        return _position(points, self.positions, self.weights, self.sigma)


@dataclass(frozen=True)
class SurfaceTargets(Target):
    """Points on the skin at places in the world: vertices, or mixes of three, with an offset along the normal."""

    vertices: np.ndarray  # (P,) vertices, or (P, 3) the corners of triangles
    positions: np.ndarray  # (F, P, 3) metres
    barycentric: np.ndarray | None = None  # (P, 3) with triangles, summing to one; their centres where None
    heights: np.ndarray | float = 0.0  # (P,) metres along the rest normal, such as half a marker's width
    weights: np.ndarray | None = None
    sigma: float = POSITION_SIGMA

    def on(self, body: BodyModel, bones: Bones) -> Position:
        points = skin_points(body, self.vertices, self.barycentric, self.heights, bones)
        return _position(points, self.positions, self.weights, self.sigma)


@dataclass(frozen=True)
class RigidTargets(Target):
    """Points fixed to bones at places in the world."""

    joints: Sequence[str]  # P names of the joints that carry them
    offsets: np.ndarray  # (P, 3) metres in the joint's frame, which at rest has the axes of the body
    positions: np.ndarray  # (F, P, 3) metres
    weights: np.ndarray | None = None
    sigma: float = POSITION_SIGMA

    def on(self, body: BodyModel, bones: Bones) -> Position:
        offsets = numbers(self.offsets, (len(self.joints), 3), "offsets")
        points = rigid_points(body, joints_named(body, self.joints), offsets, bones=bones)
        return _position(points, self.positions, self.weights, self.sigma)


@dataclass(frozen=True)
class OrientationTargets(Target):
    """Joints turned as given, in the world."""

    names: Sequence[str]  # K
    rotations: np.ndarray  # (F, K, 3, 3); at rest all are the identity
    weights: np.ndarray | None = None
    sigma: float = ANGLE_SIGMA

    def on(self, body: BodyModel, bones: Bones) -> Orientation:
        joints = _solved_joints(body, bones, self.names)
        R, confidence = checked_rotations(self.rotations, self.weights, len(joints))
        return Orientation(confidence, self.sigma, joints, R)


@dataclass(frozen=True)
class LookTargets(Target):
    """Directions of joints, such as the head's gaze, towards places in the world."""

    names: Sequence[str]  # P
    positions: np.ndarray  # (F, P, 3) metres: what is looked at
    forward: np.ndarray = (0.0, 0.0, 1.0)  # type: ignore[assignment]  # (3,) or (P, 3) in the joint's frame
    weights: np.ndarray | None = None
    sigma: float = ANGLE_SIGMA
    eyes: np.ndarray | None = None  # (P, 3) metres from the joints to where they look from; the joints where None

    def on(self, body: BodyModel, bones: Bones) -> LookAt:
        joints = _solved_joints(body, bones, self.names)
        n = len(joints)
        targets, confidence = checked_targets(self.positions, self.weights, n)
        eyes = np.zeros((n, 3)) if self.eyes is None else numbers(self.eyes, (n, 3), "eyes")
        points = rigid_points(body, joints, eyes, bones=bones)
        return LookAt(confidence, self.sigma, points, directions(self.forward, n), targets)


@dataclass(frozen=True)
class DirectionTargets(Target):
    """Directions of joints along directions of the world."""

    names: Sequence[str]  # P
    directions: np.ndarray  # (F, P, 3) of any length but zero
    forward: np.ndarray = (0.0, 0.0, 1.0)  # type: ignore[assignment]  # (3,) or (P, 3) in the joint's frame
    weights: np.ndarray | None = None
    sigma: float = ANGLE_SIGMA

    def on(self, body: BodyModel, bones: Bones) -> Facing:
        joints = _solved_joints(body, bones, self.names)
        v, confidence = checked_targets(self.directions, self.weights, len(joints), what="directions")
        length = np.linalg.norm(v, axis=-1, keepdims=True)
        confidence = np.where(length[..., 0] > 1e-9, confidence, 0.0)
        return Facing(
            confidence, self.sigma, joints, directions(self.forward, len(joints)), v / np.maximum(length, 1e-9)
        )


@dataclass(frozen=True)
class GroundTargets(Target):
    """Joints or skin on a plane, or not below it."""

    points: Sequence[str] | np.ndarray  # P names of joints, or indices of vertices
    contact: np.ndarray  # (F, P) 1 where the point is on the plane, 0 where nothing is asked, anything between
    up: np.ndarray = (0.0, 0.0, 1.0)  # type: ignore[assignment]  # (3,) the plane's normal
    height: float = 0.0  # metres of the plane above the world's origin
    may_leave: bool = False  # ask only that the points are not below the plane
    sigma: float = 0.005  # metres

    def on(self, body: BodyModel, bones: Bones) -> OnPlane:
        if len(self.points) and isinstance(self.points[0], str):
            points = joint_points(body, joints_named(body, self.points), bones)  # type: ignore[arg-type]
        else:
            points = skin_points(body, array_of(self.points, "points"), None, 0.0, bones)
        contact = array_of(self.contact, "contact")
        if contact.dtype.kind not in "fiub" or contact.ndim != 2 or contact.shape[1] != len(points):
            raise TargetError(
                f"contact has shape {contact.shape} of {contact.dtype}; expected (frames, {len(points)}) numbers"
            )
        contact = contact.astype(np.float64)
        contact = np.where(np.isfinite(contact), np.maximum(contact, 0), 0.0)
        kind = AbovePlane if self.may_leave else OnPlane
        return kind(contact, self.sigma, points, directions(self.up, 1)[0], self.height)


@dataclass(frozen=True)
class ImageTargets(Target):
    """Joints seen by a camera."""

    names: Sequence[str]  # P
    pixels: np.ndarray  # (F, P, 2)
    camera: Camera
    weights: np.ndarray | None = None  # confidences of a detector
    sigma: float = PIXEL_SIGMA

    def on(self, body: BodyModel, bones: Bones) -> Pinhole:
        points = joint_points(body, joints_named(body, self.names), bones)
        pixels, confidence = checked_targets(self.pixels, self.weights, len(points), 2, "pixels")
        if not isinstance(self.camera, Camera):
            raise TargetError(f"the camera is a {type(self.camera).__name__}; expected a Camera")
        R, t = self.camera.R_camera_world, self.camera.t_camera_world
        for n_frames in [len(a) for a, still in ((R, 2), (t, 1)) if a.ndim > still]:
            if n_frames != len(pixels):
                raise TargetError(
                    f"the camera has {n_frames} frames, the pixels {len(pixels)}; expected as many, or a still camera"
                )
        return Pinhole(confidence, self.sigma, points, self.camera, pixels)


def joints_named(body: BodyModel, names: Sequence[str]) -> list[int]:
    """Indices of joints of a body.

    Raises:
        TargetError: a name that is no joint of the body.
    """
    for name in names:
        if name not in body.joint_names:
            known = ", ".join(body.joint_names[:N_BODY])
            raise TargetError(f'"{name}" is no joint of {body.name}; expected one of {known}')
    return [body.joint_names.index(name) for name in names]


def checked_rotations(
    rotations: np.ndarray, weights: np.ndarray | None, n_joints: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (F, K, 3, 3) and confidences (F, K), zero where a rotation is NaN.

    Raises:
        TargetError: wrong shapes, matrices that are no rotations, or negative weights.
    """
    flat = array_of(rotations, "rotations")
    flat = flat.reshape(*flat.shape[:-2], 9) if flat.ndim == 4 and flat.shape[-2:] == (3, 3) else flat
    R, confidence = checked_targets(flat, weights, n_joints, 9, "rotations")
    R = np.where(confidence[..., None] > 0, R, np.eye(3).reshape(9)).reshape(*R.shape[:2], 3, 3)
    if np.abs(R @ np.swapaxes(R, -1, -2) - np.eye(3)).max(initial=0) > 1e-3 or (np.linalg.det(R) < 0).any():
        raise TargetError("a target's rotation is none; expected orthonormal matrices, right-handed")
    return R, confidence


def skin_points(
    body: BodyModel, vertices: np.ndarray, barycentric: np.ndarray | None, heights: np.ndarray | float, bones: Bones
) -> BodyPoints:
    """Points on the skin of a body (see `SurfaceTargets`).

    Raises:
        TargetError: indices that are no vertices, or barycentric coordinates that do not fit.
    """
    v = array_of(vertices, "vertices")
    n = len(body.v_template)
    if v.dtype.kind not in "iu" or v.ndim not in (1, 2) or (v.size and not (v.min() >= 0 and v.max() < n)):
        raise TargetError(f"vertices {v.shape} of {v.dtype}; expected indices below {n}, the body's vertices")
    corners = np.repeat(v[:, None], 3, axis=1) if v.ndim == 1 else v
    mix = np.full(corners.shape, 1 / 3) if barycentric is None else numbers(barycentric, corners.shape, "barycentric")
    if corners.shape != (len(v), 3) or not np.allclose(mix.sum(1), 1, atol=1e-3):
        raise TargetError(f"barycentric {mix.shape} for vertices {v.shape}; expected three a point, summing to one")
    normals = np.sum(mix[..., None] * vertex_normals(np.asarray(body.v_template), body.faces)[corners], axis=1)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    heights = array_of(heights, "heights")
    offsets = normals * numbers(heights if heights.ndim else np.repeat(heights, len(v)), (len(v),), "heights")[:, None]
    return surface_points(body, [f"vertex {i}" for i in corners[:, 0]], corners, mix, offsets, bones=bones)


def _position(points: BodyPoints, positions: np.ndarray, weights: np.ndarray | None, sigma: float) -> Position:
    targets, confidence = checked_targets(positions, weights, len(points))
    return Position(confidence, sigma, points, targets)


def _solved_joints(body: BodyModel, bones: Bones, names: Sequence[str]) -> tuple[int, ...]:
    joints = joints_named(body, names)
    for name, joint in zip(names, joints, strict=True):
        if joint >= len(bones):
            raise TargetError(f'"{name}" is not solved for; expected a joint of the body, or fingers to be solved too')
    return tuple(joints)
