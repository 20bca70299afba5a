# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture targets: empties in a camera's view, each on a joint as it is seen in the picture behind.

They lie on a plane before the camera, as its children, so they keep their places in the picture wherever it goes. What
counts is where the camera sees them: moved off the plane they mean the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ....vendor_core.errors import TargetError
from ....vendor_core.ik import Solution
from ....vendor_core.ik.camera import NEAR, Camera
from ....vendor_core.ik.state import PoseState
from ....vendor_core.prior import Prior
from ....vendor_core.skeleton import BODY_JOINTS, N_BODY
from ...drawing.picture_draw import colour_of
from ..convert import Pose
from ..pose import read_rig
from .camera import frame_of, read_camera

SEEN = (
    "head", "neck", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_foot", "right_foot",
)  # fmt: skip
"""Joints that are found easily in a picture."""
JOINT = "poise_picture_joint"
_SIZE = 0.008  # of an empty, as a share of the picture's height
_DISTANCE = 1.0  # of the plane from the camera, unless its clipping begins later
_FEWEST = 4
_FIGURE = 0.8  # height, as a share of the picture's, of a body that the camera does not see


@dataclass(frozen=True)
class PictureTargets:
    """Where P joints are seen."""

    joints: tuple[str, ...]  # (P,)
    pixels: np.ndarray  # (P, 2) from the picture's top left


def picture_targets(objects: Iterable[bpy.types.Object], rig: str) -> list[bpy.types.Object]:
    """The picture targets of a rig among objects."""
    return [o for o in objects if o.type == "EMPTY" and o.get(JOINT) in BODY_JOINTS and o.get("poise_rig") == rig]


def add_picture_targets(
    context: bpy.types.Context, obj: bpy.types.Object, view: bpy.types.Object, joints: Sequence[str]
) -> list[bpy.types.Object]:
    """A target for each joint of a rig, where a camera sees it now; those that are there already are moved there.

    Where the camera does not see the whole body, they stand as a figure in the middle of the picture.
    """
    camera = read_camera(context, view)
    there = {str(t[JOINT]): t for t in picture_targets(context.view_layer.objects, obj.name) if t.parent == view}
    distance = max(_DISTANCE, 2 * view.data.clip_start)
    height = frame_of(context).height / float(camera.focal[1]) * distance
    made = []
    for joint, pixel in zip(joints, _where_seen(context, camera, obj, joints), strict=True):
        target = there.get(joint) or _new_target(context, obj, view, joint)
        target.empty_display_size = _SIZE * height
        across = (pixel - camera.centre) / camera.focal * distance
        scale = np.array(view.matrix_world.to_scale()[:])
        target.location = np.array([across[0], -across[1], -distance]) / scale
        made.append(target)
    return made


def read_picture_targets(camera: Camera, targets: Iterable[bpy.types.Object]) -> PictureTargets:
    """Where a camera sees targets; hidden ones are left out.

    Raises:
        TargetError: two stand for the same joint, one is behind the camera, or too few are left.
    """
    found: dict[str, bpy.types.Object] = {}
    for target in targets:
        joint = str(target[JOINT])
        if not target.visible_get():
            continue
        if joint in found:
            raise TargetError(f'"{found[joint].name}" and "{target.name}" both stand for {joint}; delete or hide one')
        found[joint] = target
    if len(found) < _FEWEST:
        raise TargetError(
            f"{len(found)} picture targets are visible; expected at least {_FEWEST}, on joints that the picture shows: "
            "use Add Picture Targets, and hide only those of joints that are not seen"
        )
    places = np.array([target.matrix_world.translation for target in found.values()], np.float64)
    for target, depth in zip(found.values(), camera.in_camera(places[None])[0, :, 2], strict=True):
        if depth < 1e-4:
            raise TargetError(f'"{target.name}" is behind the camera; move it to where the camera sees its joint')
    return PictureTargets(tuple(found), _project(camera, places))


def start_from(prior: Prior, pose: Pose) -> Solution:
    """A pose (one frame) as where a solve starts."""
    R = pose.R_local[:, :N_BODY]
    return Solution(PoseState(R, pose.trans, prior.encode(R[:, 1:]), np.zeros((1, 0))), (), np.zeros(1, np.uint8))


def _new_target(
    context: bpy.types.Context, obj: bpy.types.Object, view: bpy.types.Object, joint: str
) -> bpy.types.Object:
    target = bpy.data.objects.new(f"Picture.{joint}", None)
    target.empty_display_type, target.show_in_front = "SPHERE", True
    target.color = colour_of(joint)
    target[JOINT], target["poise_rig"] = joint, obj.name
    target.parent = view
    context.collection.objects.link(target)
    return target


def _where_seen(context: bpy.types.Context, camera: Camera, obj: bpy.types.Object, joints: Sequence[str]) -> np.ndarray:
    """Pixels (P, 2) of joints: of the body, or of a figure in the middle where the picture does not show all of it."""
    rig = read_rig(obj)
    matrices = np.array([obj.matrix_world @ obj.pose.bones[bone].matrix for bone in rig.bones[:N_BODY]], np.float64)
    frame, places = frame_of(context), matrices[:, :3, 3]
    size = np.array([frame.width, frame.height], np.float64)
    pixels = _project(camera, places)
    if camera.in_camera(places[None])[0, :, 2].min() < NEAR or (pixels < 0).any() or (pixels > size).any():
        figure = rig.rest_joints()[:, :2] * [1.0, -1.0]  # its left is at the right of the picture: it faces the camera
        figure = (figure - (figure.min(0) + figure.max(0)) / 2) * camera.focal
        pixels = size / 2 + figure * (_FIGURE * size / np.ptp(figure, axis=0)).min()
    return pixels[[BODY_JOINTS.index(joint) for joint in joints]]


def _project(camera: Camera, places: np.ndarray) -> np.ndarray:
    """Pixels (P, 2) of places (P, 3) however near: the core's own projection ends at `NEAR`."""
    p = camera.in_camera(places[None])[0]
    return p[:, :2] / np.where(np.abs(p[:, 2:]) > 1e-9, p[:, 2:], 1e-9) * camera.focal + camera.centre
