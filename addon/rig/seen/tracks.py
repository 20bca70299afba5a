# SPDX-License-Identifier: GPL-3.0-or-later
"""Tracks of the movie clip editor that are named for joints, as points in the scene's picture over time."""

from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np

from ....vendor_core.errors import TargetError
from ....vendor_core.ik.lens import undistorted
from ....vendor_core.skeleton import BODY_JOINTS
from ..names import joint_of_target
from .camera import Frame

FEWEST = 4  # joints in some frame, below which a camera hardly tells anything
_SAME_SHAPE = 0.01  # share by which the clip may be wider or narrower than the picture


@dataclass(frozen=True)
class Tracks:
    """P joints as a clip shows them at F frames in a row."""

    joints: tuple[str, ...]  # (P,)
    frames: np.ndarray  # (F,) of the timeline, whole and without gaps
    pixels: np.ndarray  # (F, P, 2) of the picture, from its top left; NaN where not seen
    note: str  # what was left out of account, or the empty text


def clip_of(context: bpy.types.Context) -> bpy.types.MovieClip | None:
    """The clip behind the scene's camera, else the scene's active one."""
    scene = context.scene
    camera = scene.camera
    if camera is not None and camera.type == "CAMERA":
        for background in camera.data.background_images:
            if background.source == "MOVIE_CLIP":
                clip = scene.active_clip if background.use_camera_clip else background.clip
                if clip is not None:
                    return clip
    return scene.active_clip


def joint_tracks(clip: bpy.types.MovieClip) -> Iterator[tuple[str, bpy.types.MovieTrackingTrack]]:
    """The tracks of a clip that are named for joints of the body, with these."""
    for tracking_object in clip.tracking.objects:
        for track in tracking_object.tracks:
            joint = joint_of_target(track.name)
            if joint in BODY_JOINTS:
                yield joint, track


def read_tracks(clip: bpy.types.MovieClip, frame: Frame, first: int | None = None, last: int | None = None) -> Tracks:
    """The joints' tracks of a clip.

    Args:
        clip: with its markers.
        frame: the scene's picture, as large as the clip or of the same shape.
        first: frame of the timeline to begin with; the first with a marker where None.
        last: frame to end with.

    Raises:
        TargetError: no or too few tracks have names of joints, two have the same, the clip has another shape than the
            picture, or nothing is seen in these frames.
    """
    tracks = _by_joint(clip)
    _check_shape(clip, frame)
    seen = {joint: _markers(track, clip) for joint, track in tracks.items()}
    times = np.unique(np.concatenate([at for at, _ in seen.values()]))
    times = times[(times >= (-np.inf if first is None else first)) & (times <= (np.inf if last is None else last))]
    if not len(times):
        where = "" if first is None else f" in frames {first} to {last}"
        raise TargetError(f'The tracks of "{clip.name}" have no markers{where}; track them, or choose other frames')
    frames = np.arange(times[0], times[-1] + 1)
    co = np.full((len(frames), len(seen), 2), np.nan)
    for column, (at, places) in enumerate(seen.values()):
        inside = (at >= frames[0]) & (at <= frames[-1])
        co[at[inside] - frames[0], column] = places[inside]
    most = int(np.isfinite(co[..., 0]).sum(1).max())
    if most < FEWEST:
        raise TargetError(
            f'At most {most} joints of "{clip.name}" are tracked at the same time; expected at least {FEWEST}'
        )
    straight, note = _straightened(clip, co)
    return Tracks(tuple(seen), frames, (straight * [1, -1] + [0, 1]) * [frame.width, frame.height], note)


def _by_joint(clip: bpy.types.MovieClip) -> dict[str, bpy.types.MovieTrackingTrack]:
    found: dict[str, bpy.types.MovieTrackingTrack] = {}
    for joint, track in joint_tracks(clip):
        if joint in found:
            raise TargetError(f'The tracks "{found[joint].name}" and "{track.name}" both mean {joint}; rename one')
        found[joint] = track
    if len(found) < FEWEST:
        n = sum(len(tracking_object.tracks) for tracking_object in clip.tracking.objects)
        raise TargetError(
            f'{len(found)} of the {n} tracks of "{clip.name}" are named for joints; expected at least {FEWEST}, with '
            "names such as left_wrist, Knee.R or head: rename tracks in the Movie Clip Editor"
        )
    return found


def _check_shape(clip: bpy.types.MovieClip, frame: Frame) -> None:
    width, height = (float(side) for side in clip.size)
    if min(width, height) <= 0:
        raise TargetError(f'"{clip.name}" cannot be read: {bpy.path.abspath(clip.filepath)} is missing or no movie')
    ratio = width * clip.display_aspect[0] / (height * clip.display_aspect[1])
    if abs(ratio / frame.ratio - 1) > _SAME_SHAPE:
        raise TargetError(
            f'"{clip.name}" is {width:.0f} x {height:.0f}, the scene\'s picture {frame.width} x {frame.height}; '
            "expected the same shape: set the render resolution to that of the clip"
        )


def _markers(track: bpy.types.MovieTrackingTrack, clip: bpy.types.MovieClip) -> tuple[np.ndarray, np.ndarray]:
    """Frames (K,) of the timeline with an enabled marker, and where (K, 2) it is, from 0 to 1, y upwards."""
    markers = [marker for marker in track.markers if not marker.mute]
    frames = np.array([marker.frame for marker in markers], np.int64) + clip.frame_start - 1
    places = np.array([marker.co[:] for marker in markers], np.float64).reshape(-1, 2)
    return frames, places + np.array(track.offset)


def _straightened(clip: bpy.types.MovieClip, co: np.ndarray) -> tuple[np.ndarray, str]:
    """Places co (F, P, 2) of a clip without its lens distortion; and what is left in."""
    lens = clip.tracking.camera
    if lens.distortion_model != "POLYNOMIAL":
        model = lens.distortion_model.lower()
        bent = any(getattr(lens, name) for name in dir(lens) if name.startswith(f"{model}_"))
        return co, f"the clip's lens distortion ({model}) is ignored" if bent else ""
    k = np.array([lens.k1, lens.k2, lens.k3])
    if not k.any():
        return co, ""
    width, height = (float(side) for side in clip.size)
    square = np.array([1.0, 1.0 / lens.pixel_aspect])
    size, centre = np.array([width, height]), np.array(lens.principal_point_pixels[:]) * square
    return undistorted(co * size * square, lens.focal_length_pixels, centre, k) / (size * square), ""
