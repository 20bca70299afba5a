# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel shows of a solved take's residuals: figures, a picture, the worst moments. Kept in memory, and found
anew only where the residuals are others: panels ask at every drawing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy
import bpy.utils.previews

if TYPE_CHECKING:
    from ..vendor_core.mocap.moments import Moment

_APART = 0.5  # seconds between worst moments
_MOST = 5  # of them
_KEPT = 4  # takes


@dataclass(frozen=True)
class TakeReport:
    """Of one solved take."""

    mean: float  # metres, over the frames
    high: float  # metres; 95 % of the frames are below it
    worst: "tuple[Moment, ...]"  # the worst first
    icon: int


_reports: dict[str, TakeReport | None] = {}  # by the residuals' version
_pictures: "bpy.utils.previews.ImagePreviewCollection | None" = None


def report_of(take: bpy.types.Object) -> TakeReport | None:
    """What there is to say of a take; None where nothing of it is solved."""
    data: Any = take.poise_take
    version = data.residual_version
    if version and version not in _reports:
        while len(_reports) >= _KEPT:
            _forget_oldest()
        _reports[version] = _found(take, version)
    return _reports.get(version)


def forget() -> None:
    """Free the pictures."""
    global _pictures
    _reports.clear()
    if _pictures is not None:
        bpy.utils.previews.remove(_pictures)
        _pictures = None


def _found(take: bpy.types.Object, version: str) -> TakeReport | None:
    import numpy as np

    from ..vendor_core.mocap.moments import frame_residual, worst_moments
    from .drawing.residual_picture import residual_picture
    from .rig.takes.arrays import residuals_of

    global _pictures
    residuals, data = residuals_of(take), take.poise_take  # type: ignore[attr-defined]
    per_frame = frame_residual(residuals) if residuals is not None else np.empty(0)
    known = per_frame[np.isfinite(per_frame)]
    if residuals is None or not len(known):
        return None
    mean, high = float(known.mean()), float(np.quantile(known, 0.95))
    worst = worst_moments(residuals, max(1, round(_APART * data.rate)), _MOST)
    picture = residual_picture(residuals, per_frame, mean, high, tuple(moment.frame for moment in worst))
    if _pictures is None:
        _pictures = bpy.utils.previews.new()
    preview = _pictures.new(version)
    preview.image_size = picture.shape[:2]
    preview.image_pixels_float.foreach_set(picture.ravel())
    return TakeReport(mean, high, worst, preview.icon_id)


def _forget_oldest() -> None:
    version = next(iter(_reports))
    del _reports[version]
    if _pictures is not None and version in _pictures:
        del _pictures[version]
