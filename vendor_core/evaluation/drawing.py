# SPDX-License-Identifier: Apache-2.0
"""Bodies drawn on a matplotlib page: orthographic, the nearest faces last, shaded by how they face the light."""

from typing import TYPE_CHECKING

import numpy as np

from ..body import BodyModel
from ..body.placement import vertex_normals
from ..rotations import exp_so3

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_VIEW = exp_so3(np.array([0.10, 0.0, 0.0])) @ exp_so3(np.array([0.0, 0.45, 0.0]))  # from the right, a little above
_LIGHT = np.array([-0.45, 0.70, 0.55]) / np.linalg.norm([-0.45, 0.70, 0.55])
_AMBIENT, _RIM = 0.38, 0.22
_SHADOW = "#e3e5ea"
_NEAR_GROUND, _BELOW = 0.15, 0.06  # metres: what casts the shadow; room below the ground and above the heads


def standing(body: BodyModel, R: np.ndarray) -> np.ndarray:
    """Vertices (N, V, 3), metres, of poses R (N, 21, 3, 3) as they are looked at: x right, y up from the ground."""
    root = np.broadcast_to(np.eye(3), (len(R), 1, 3, 3))
    v = body.pose(np.concatenate([root, R], axis=1), vertices=True).vertices
    assert v is not None
    v = v @ _VIEW.T
    low, high = v.min(1), v.max(1)
    return v - np.stack([(low[:, 0] + high[:, 0]) / 2, low[:, 1], low[:, 2]], axis=1)[:, None]


def draw_bodies(axes: "Axes", v: np.ndarray, faces: np.ndarray, colours: np.ndarray, width: float) -> None:
    """Draw bodies side by side on the ground, which is at 0.

    Args:
        axes: to draw on; its units are metres.
        v: vertices (N, V, 3), as `standing` makes them.
        faces: (F, 3).
        colours: (N, 3) of the skin, 0 to 1.
        width: metres from body to body.
    """
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Ellipse

    for i, (one, colour) in enumerate(zip(v, colours, strict=True)):
        one = one + np.array([(i + 0.5) * width, 0, 0])
        polygons, shades = _shaded(one, faces, colour)
        feet = one[one[:, 1] < _NEAR_GROUND, 0]
        axes.add_patch(Ellipse((float(feet.mean()), 0.01), float(np.ptp(feet)) + 0.25, 0.09, color=_SHADOW, zorder=0))
        axes.add_collection(
            PolyCollection(
                list(polygons), facecolors=shades, antialiaseds=False, linewidths=0, rasterized=True, clip_on=False
            )
        )
    axes.set(xlim=(0, width * len(v)), ylim=(-_BELOW, v[..., 1].max() + _BELOW), aspect="equal")
    axes.axis("off")


def _shaded(v: np.ndarray, faces: np.ndarray, colour: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (F, 3, 2) and colours (F, 3) of the faces that look at the viewer, the farthest first."""
    corners = v[faces]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] > 0
    faces, corners = faces[facing], corners[facing]
    order = np.argsort(corners[..., 2].mean(1))
    normals = vertex_normals(v, faces)[faces[order]].mean(1)  # of the vertices: smoother than the faces' own
    lit = _AMBIENT + (1 - _AMBIENT) * np.clip(normals @ _LIGHT, 0, None)
    rim = _RIM * (1 - np.clip(normals[:, 2], 0, 1)) ** 3
    shades = np.clip(lit[:, None] * colour + rim[:, None], 0, 1)
    return corners[order][..., :2], shades
