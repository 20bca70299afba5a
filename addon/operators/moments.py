# SPDX-License-Identifier: GPL-3.0-or-later
"""Going to the moments at which a solved take fits worst."""

from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty

from ...vendor_core.errors import PoiseError
from ..take_lookup import NO_TAKE, find_take, take_of
from .common import PoiseOperator

NOT_SOLVED = "Solve the take first"
_SAME = 1e-3  # frames


class POISE_OT_go_to_moment(PoiseOperator, bpy.types.Operator):
    """Go to a moment at which the take fits worst, choose the marker that is farthest off, and bring it into view"""

    bl_idname = "poise.go_to_moment"
    bl_label = "Go to Worst Moment"
    bl_options = {"REGISTER", "UNDO"}

    which: EnumProperty(  # type: ignore[valid-type]
        name="Moment",
        description="Which of the worst moments",
        items=(
            ("RANK", "By Rank", "The worst, the second worst and so on"),
            ("NEXT", "Next", "The next in time"),
            ("PREVIOUS", "Previous", "The one before in time"),
        ),
    )
    rank: IntProperty(name="Rank", description="1 is the worst", default=1, min=1)  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        take = find_take(context)
        solved = take is not None and bool(take.poise_take.residual_version)  # type: ignore[attr-defined]
        if not solved:
            cls.poll_message_set(NO_TAKE if take is None else NOT_SOLVED)  # type: ignore[attr-defined]
        return solved

    def run(self, context: bpy.types.Context) -> None:
        from math import floor

        from mathutils import Vector

        from ..look import show_place
        from ..rig.takes.arrays import points_of
        from ..rig.takes.scene import scene_frame
        from ..take_report import report_of

        take: Any = take_of(context)
        scene: Any = context.scene
        report = report_of(take)
        if report is None:
            raise PoiseError(f'"{take.name}" has no frame with a residual: solve it again')
        frames = [floor(scene_frame(take, scene, moment.frame) + 0.5) for moment in report.worst]
        chosen = self._chosen(frames, scene.frame_current_final)
        moment = report.worst[chosen]
        scene.frame_set(frames[chosen])
        data: Any = take.poise_take
        data.active_label = moment.marker
        place = points_of(take)[moment.frame, moment.marker]
        show_place(context, take.matrix_world @ Vector(place.tolist()))

    def _chosen(self, frames: list[int], now: float) -> int:
        if self.which == "RANK":
            if self.rank > len(frames):
                raise PoiseError(f"There are {len(frames)} worst moments; rank {self.rank} was asked for")
            return self.rank - 1
        sign = 1 if self.which == "NEXT" else -1
        ahead = [(sign * (frame - now), i) for i, frame in enumerate(frames) if sign * (frame - now) > _SAME]
        if not ahead:
            raise PoiseError("There is no worse moment further on" if sign > 0 else "There is none before this frame")
        return min(ahead)[1]


register, unregister = bpy.utils.register_classes_factory((POISE_OT_go_to_moment,))  # type: ignore[misc]
