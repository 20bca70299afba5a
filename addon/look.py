# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving a 3D View so that a place of the scene is seen, where it is not."""

from typing import Any

import bpy

_MARGIN = 0.08  # of the region's shorter side: a place nearer to its edge is brought to the middle


def show_place(context: bpy.types.Context, place: Any) -> None:
    """Move the context's 3D View to a place of the world, as smoothly as the preferences say, if it is out of sight.

    Views through a camera, and those that are split into four, stay as they are.

    Args:
        context: of an operator; nothing is done where its area is none of a 3D View.
        place: a Vector of the world.
    """
    area: Any = context.area
    if bpy.app.background or area is None or area.type != "VIEW_3D":
        return
    space = area.spaces.active
    if space.region_quadviews or space.region_3d.view_perspective == "CAMERA":
        return
    region = next(region for region in area.regions if region.type == "WINDOW")
    if _is_seen(area, region, space.region_3d, place):
        return
    cursor: Any = context.scene.cursor  # type: ignore[union-attr]
    before = cursor.location.copy()
    cursor.location = place
    try:
        with context.temp_override(area=area, region=region):
            bpy.ops.view3d.view_center_cursor("INVOKE_DEFAULT")  # else it would not move smoothly
    finally:
        cursor.location = before


def _is_seen(area: bpy.types.Area, region: bpy.types.Region, view: bpy.types.RegionView3D, place: Any) -> bool:
    """Whether a place is in a region, away from its edges, and under none of those that lie over it."""
    from bpy_extras.view3d_utils import location_3d_to_region_2d

    at = location_3d_to_region_2d(region, view, place)
    if at is None:
        return False
    margin = _MARGIN * min(region.width, region.height)
    x, y = region.x + at.x, region.y + at.y
    inside = margin < at.x < region.width - margin and margin < at.y < region.height - margin
    over = (r for r in area.regions if r.type != "WINDOW" and r.width > 1 and r.height > 1)
    return inside and not any(r.x - margin < x < r.x + r.width and r.y < y < r.y + r.height for r in over)
