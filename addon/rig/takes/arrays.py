# SPDX-License-Identifier: GPL-3.0-or-later
"""The trajectories and residuals of a take as arrays, kept as bytes on its empty.

They are read again only where they are others: every writing gives them a new name, which undo, redo, copies of the
object and files carry along with the bytes. So nothing here follows undo or the opening of files.
"""

from collections import OrderedDict
from typing import Any
from uuid import uuid4

import bpy
import numpy as np

_KEPT = 16  # arrays that were asked for last
_read: OrderedDict[str, np.ndarray] = OrderedDict()


def points_of(obj: bpy.types.Object) -> np.ndarray:
    """A take's trajectories (F, P, 3), float32, metres, Z up, in the order of its labels; NaN where unseen.

    The array is shared and not writeable.
    """
    take: Any = obj.poise_take
    return _array(take.version, take, "points", (take.frames, len(take.labels), 3))


def residuals_of(obj: bpy.types.Object) -> np.ndarray | None:
    """How far each point (F, P) lies from its marker's place on the solved body, float32, metres.

    NaN where the point is unseen, not mapped or not solved. None where nothing is solved. Not writeable.
    """
    take: Any = obj.poise_take
    if not take.residual_version:
        return None
    return _array(take.residual_version, take, "residuals", (take.frames, len(take.labels)))


def put_points(obj: bpy.types.Object, points: np.ndarray) -> None:
    """Keep trajectories (F, P, 3), metres, Z up, NaN where unseen; P labels must be there. Residuals are forgotten."""
    take: Any = obj.poise_take
    take.frames, take.version = len(points), uuid4().hex
    take.points = np.ascontiguousarray(points, dtype="<f4").tobytes()
    take.gaps = float(np.isnan(points[..., 0]).mean()) if points.size else 0.0
    put_residuals(obj, None)


def put_residuals(obj: bpy.types.Object, residuals: np.ndarray | None) -> None:
    """Keep residuals (F, P) of the take's own frames and labels, metres, NaN where there is none; None forgets them.

    Each label gets its median, too.
    """
    take: Any = obj.poise_take
    if residuals is None:
        take.residual_version, take.residuals = "", b""
        medians = [-1.0] * len(take.labels)
    else:
        take.residual_version = uuid4().hex
        take.residuals = np.ascontiguousarray(residuals, dtype="<f4").tobytes()
        medians = [1000 * float(np.median(r)) if len(r) else -1.0 for r in (c[np.isfinite(c)] for c in residuals.T)]
    take.labels.foreach_set("residual", medians)


def _array(version: str, take: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if version not in _read:
        _read[version] = np.frombuffer(getattr(take, name), dtype="<f4").reshape(shape)
        while len(_read) > _KEPT:
            _read.popitem(last=False)
    _read.move_to_end(version)
    return _read[version]
