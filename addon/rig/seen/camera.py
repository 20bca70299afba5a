# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's cameras as the core's pinhole: the picture is the render frame, in pixels from its top left."""

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from ....vendor_core.errors import TargetError
from ....vendor_core.ik import Camera

_OPENCV = np.diag([1.0, -1.0, -1.0])  # from Blender's camera (x right, y up, z back) to x right, y down, z forward


@dataclass(frozen=True)
class Frame:
    """The size of the picture."""

    width: int  # pixels
    height: int
    aspect_x: float  # width of a pixel
    aspect_y: float

    @property
    def ratio(self) -> float:
        """Width by height, as the picture looks."""
        return self.width * self.aspect_x / (self.height * self.aspect_y)


def frame_of(context: bpy.types.Context) -> Frame:
    """The render frame; its percentage does not matter, for no pixel is rendered."""
    render = context.scene.render
    return Frame(render.resolution_x, render.resolution_y, render.pixel_aspect_x, render.pixel_aspect_y)


def active_camera(context: bpy.types.Context) -> bpy.types.Object:
    """The camera that the scene is seen through.

    Raises:
        TargetError: there is none, or it is no pinhole.
    """
    obj = context.scene.camera
    if obj is None or obj.type != "CAMERA":
        raise TargetError("The scene has no active camera; add one, or select it and use Set Active Object as Camera")
    if obj.data.type != "PERSP":
        raise TargetError(
            f'The camera "{obj.name}" is {obj.data.type.lower()}; expected a perspective one, set it to Perspective: '
            "only by perspective a picture tells how far away a body is"
        )
    return obj


def intrinsics(camera: Any, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Focal lengths (2,) and principal point (2,), pixels, along x and y.

    Blender's lens and shift count in units of the side that the sensor is fitted to.
    """
    pixel = frame.aspect_y / frame.aspect_x
    horizontal = camera.sensor_fit == "HORIZONTAL" or (camera.sensor_fit == "AUTO" and frame.ratio >= 1)
    sensor = camera.sensor_height if camera.sensor_fit == "VERTICAL" else camera.sensor_width
    side = frame.width if horizontal else pixel * frame.height
    focal = camera.lens / sensor * side
    centre = frame.width / 2 - camera.shift_x * side, frame.height / 2 + camera.shift_y * side / pixel
    return np.array([focal, focal / pixel]), np.array(centre)


def extrinsics(matrix_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`R_camera_world` (3, 3) and `t_camera_world` (3,) of a camera object's matrix; its scale does not count."""
    axes, _ = np.linalg.qr(matrix_world[:3, :3])
    axes = axes * np.sign(np.sum(axes * matrix_world[:3, :3], axis=0))
    R = _OPENCV @ axes.T
    return R, -R @ matrix_world[:3, 3]


def read_camera(context: bpy.types.Context, obj: bpy.types.Object) -> Camera:
    """A camera as it stands now."""
    return Camera(*intrinsics(obj.data, frame_of(context)), *extrinsics(np.array(obj.matrix_world)))


def read_camera_over(context: bpy.types.Context, obj: bpy.types.Object, frames: np.ndarray) -> Camera:
    """A camera at frames (F,) of the timeline, still or moving.

    It is evaluated in a scene of its own, where going through the frames moves nothing else and takes no time.

    Raises:
        TargetError: its lens changes.
    """
    if not _may_move(obj):
        return read_camera(context, obj)
    own = bpy.data.scenes.new("Poise Camera")
    try:
        own.collection.objects.link(obj)
        own.active_clip, own.camera = context.scene.active_clip, obj
        size, lenses, places = frame_of(context), [], []
        for frame in frames.tolist():
            own.frame_set(int(np.floor(frame)), subframe=frame % 1)
            depsgraph: Any = own.view_layers[0].depsgraph
            evaluated = obj.evaluated_get(depsgraph)
            lenses.append(np.concatenate(intrinsics(evaluated.data, size)))
            places.append(extrinsics(np.array(evaluated.matrix_world)))
    finally:
        bpy.data.scenes.remove(own)
    changed = np.flatnonzero(np.abs(np.array(lenses) - lenses[0]).max(1) > 1e-3 * lenses[0][0])
    if len(changed):
        raise TargetError(
            f'The lens of "{obj.name}" changes at frame {frames[changed[0]]:g}; expected the same focal length and '
            "shift throughout: remove their keys, or solve a shorter range"
        )
    R, t = (np.array(column) for column in zip(*places, strict=True))
    return Camera(lenses[0][:2], lenses[0][2:], R, t)


def _may_move(obj: bpy.types.Object) -> bool:
    moved = obj.animation_data is not None or obj.parent is not None or len(obj.constraints) > 0
    return moved or obj.data.animation_data is not None
