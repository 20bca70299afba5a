# SPDX-License-Identifier: GPL-3.0-or-later
"""The variations that were last made to choose from, with their pictures: kept in memory, for they are no data of the
file, so that making them pushes no undo step and they outlast an undo.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
import bpy.utils.previews

if TYPE_CHECKING:
    import numpy as np

    from .rig.convert import BonePose


@dataclass
class Gallery:
    """Variations of one body's pose."""

    body: int  # the armature object's session_uid
    bones: "BonePose"  # the pose that was varied, then the variations
    icons: tuple[int, ...]  # of the variations
    picked: int = 0  # frame of `bones` that was last chosen


_gallery: Gallery | None = None
_pictures: "bpy.utils.previews.ImagePreviewCollection | None" = None


def show(obj: bpy.types.Object, bones: "BonePose", pictures: "np.ndarray") -> None:
    """Offer a body's pose and N variations of it (N + 1 frames) with pictures (N, size, size, 4) of the latter."""
    global _gallery, _pictures
    forget()
    _pictures = bpy.utils.previews.new()
    icons = tuple(_icon(_pictures, str(i), picture) for i, picture in enumerate(pictures))
    _gallery = Gallery(obj.session_uid, bones, icons)


def gallery_of(obj: bpy.types.Object | None) -> Gallery | None:
    """What is offered for a body; None where it has nothing to choose from."""
    return _gallery if _gallery is not None and obj is not None and _gallery.body == obj.session_uid else None


def forget() -> None:
    """Offer nothing, and free the pictures."""
    global _gallery, _pictures
    _gallery = None
    if _pictures is not None:
        bpy.utils.previews.remove(_pictures)
        _pictures = None


def _icon(pictures: "bpy.utils.previews.ImagePreviewCollection", name: str, picture: "np.ndarray") -> int:
    preview = pictures.new(name)
    preview.image_size = picture.shape[:2]
    preview.image_pixels_float.foreach_set(picture.ravel())
    return preview.icon_id
