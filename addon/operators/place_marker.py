# SPDX-License-Identifier: GPL-3.0-or-later
"""Place Marker: where a marker sits on the body, by a click on the skin, for the next solve."""

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import FloatVectorProperty, IntVectorProperty, StringProperty

from ...vendor_core.errors import PoiseError
from ..bodies import body_file, body_of_file
from ..drawing import place_draw
from ..take_lookup import own_take_of, rig_of_take
from ..texts import shown, told
from .common import redraw_views
from .take_labels import TakeOperator

if TYPE_CHECKING:
    from ..rig.takes.skin_place import Hit


LABEL = StringProperty(
    name="Label", description="Of the marker, as in the file; the one that is chosen in the table without",
    options={"SKIP_SAVE"},
)  # fmt: skip


class POISE_OT_place_marker(TakeOperator, bpy.types.Operator):
    """Click on the skin where the marker sits that is chosen in the table; the next solve begins from there"""

    bl_idname = "poise.place_marker"
    bl_label = "Place on Skin"
    bl_options = {"REGISTER", "UNDO"}

    label: LABEL  # type: ignore[valid-type]
    location: FloatVectorProperty(  # type: ignore[valid-type]
        name="Location", description="A point of the world; the marker sits on the skin next to it", subtype="XYZ",
        unit="LENGTH", options={"SKIP_SAVE"},
    )  # fmt: skip
    vertices: IntVectorProperty(  # type: ignore[valid-type]
        name="Vertices", description="Of the triangle of the skin, instead of the location", size=3,
        options={"SKIP_SAVE"},
    )  # fmt: skip
    barycentric: FloatVectorProperty(  # type: ignore[valid-type]
        name="Weights", description="Of the three vertices; they sum to one", size=3, default=(1 / 3, 1 / 3, 1 / 3),
        options={"SKIP_SAVE"},
    )  # fmt: skip

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.prop(self, "label")
        if not self.properties.is_property_set("vertices"):
            self.layout.prop(self, "location")

    def run(self, context: bpy.types.Context) -> None:
        from mathutils import Vector

        from ..rig.takes.skin_place import check_place, nearest_to

        take = own_take_of(context)
        row = _row(take, self.label)
        skin, body = _skin(context, take)
        vertices, barycentric = tuple(self.vertices), tuple(self.barycentric)
        given = self.properties.is_property_set
        if not given("vertices"):
            if not given("location"):
                raise PoiseError("Nothing says where; expected a location, or vertices and barycentric")
            hit = nearest_to(context, skin, Vector(self.location))
            vertices, barycentric = hit.vertices, hit.barycentric
        check_place(body, vertices, barycentric)
        _put(take, row, vertices, barycentric)
        redraw_views(context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        try:
            take = own_take_of(context)
            self._row, (skin, _) = _row(take, self.label), _skin(context, take)
        except PoiseError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        self._take, self._skin = take.name, skin.name
        name = take.poise_take.labels[self._row].name  # type: ignore[attr-defined]
        if context.workspace is not None:
            context.workspace.status_text_set(
                shown("Click on the skin where {label} sits   |   Esc: Cancel", label=name)
            )
        context.window.cursor_modal_set("CROSSHAIR")
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type in ("ESC", "RIGHTMOUSE") and event.value == "PRESS":
            return self._end(context, {"CANCELLED"})
        if event.type not in ("MOUSEMOVE", "LEFTMOUSE"):
            return {"PASS_THROUGH"}  # turning the view, zooming, scrubbing
        area, region = _view_under(context, event)
        if region is None:
            if event.type == "LEFTMOUSE":
                return {"PASS_THROUGH"}
            place_draw.point_at(context, None)
            return {"RUNNING_MODAL"}
        try:
            hit = self._seen(context, event, area, region)
            place_draw.point_at(context, hit)
            if event.type != "LEFTMOUSE" or event.value != "PRESS":
                return {"RUNNING_MODAL"}
            if hit is None:
                self.report({"INFO"}, "There is no skin here: click on the body, or press Esc")
                return {"RUNNING_MODAL"}
            return self._placed(context, hit)
        except PoiseError as problem:
            self.report({"ERROR"}, str(problem))
            return self._end(context, {"CANCELLED"})

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender closes the file or itself."""
        self._end(context, set())

    def _seen(self, context: bpy.types.Context, event: bpy.types.Event, area: Any, region: Any) -> "Hit | None":
        from bpy_extras.view3d_utils import region_2d_to_origin_3d, region_2d_to_vector_3d

        from ..rig.takes.skin_place import seen_along

        skin = bpy.data.objects.get(self._skin)
        if skin is None or self._take not in bpy.data.objects:
            raise PoiseError("The take or the body was removed meanwhile; nothing was placed")
        view, at = area.spaces.active.region_3d, (event.mouse_x - region.x, event.mouse_y - region.y)
        origin, way = region_2d_to_origin_3d(region, view, at), region_2d_to_vector_3d(region, view, at)
        return seen_along(context, skin, origin, way)

    def _placed(self, context: bpy.types.Context, hit: "Hit") -> set[str]:
        take = bpy.data.objects[self._take]
        self.label = take.poise_take.labels[self._row].name  # type: ignore[attr-defined]
        self.vertices, self.barycentric = hit.vertices, hit.barycentric
        _put(take, self._row, hit.vertices, hit.barycentric)
        self.report({"INFO"}, told("{label} is placed: solve again to use it", label=self.label))
        return self._end(context, {"FINISHED"})

    def _end(self, context: bpy.types.Context, result: set[str]) -> set[str]:
        place_draw.point_at(context, None)
        if context.workspace is not None:
            context.workspace.status_text_set(None)
        if context.window is not None:
            context.window.cursor_modal_restore()
        redraw_views(context)
        return result


class POISE_OT_reset_place(TakeOperator, bpy.types.Operator):
    """Forget where the marker that is chosen in the table was placed by hand"""

    bl_idname = "poise.reset_place"
    bl_label = "Reset Place"
    bl_options = {"REGISTER", "UNDO"}

    label: LABEL  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.takes.mended import forget_place
        from ..rig.takes.skin_place import is_own

        take = own_take_of(context)
        row: Any = take.poise_take.labels[_row(take, self.label)]  # type: ignore[attr-defined]
        if not row.placed:
            raise PoiseError(f"{row.name} was not placed by hand; there is nothing to reset")
        row.placed = False
        forget_place(take, row.marker)
        if is_own(row.marker):
            row.marker = ""
        redraw_views(context)


def _row(take: bpy.types.Object, label: str) -> int:
    """The row of a take's table with a label; the chosen one where none is named.

    Raises:
        PoiseError: there is none.
    """
    data: Any = take.poise_take
    row = data.labels.find(label) if label else data.active_label
    if not 0 <= row < len(data.labels):
        names = ", ".join(other.name for other in list(data.labels)[:5])
        raise PoiseError(f'"{take.name}" has no marker "{label}"; it has {names}, ...')
    return row


def _skin(context: bpy.types.Context, take: bpy.types.Object) -> tuple[bpy.types.Object, Any]:
    """The mesh that a take's markers sit on, and its body as the core has it.

    Raises:
        PoiseError: there is no body, or none that markers can be placed on.
    """
    from ..rig.takes.skin_place import skin_of

    rig = rig_of_take(context, take)
    if rig is None:
        raise PoiseError("There is no body to place markers on: use Add Body, or solve the take first")
    body = body_of_file(body_file(rig))
    return skin_of(context, rig, body), body


def _put(take: bpy.types.Object, row: int, vertices: Any, barycentric: Any) -> None:
    from ..rig.takes.skin_place import usual_height

    data: Any = take.poise_take
    label = data.labels[row]
    if not label.marker:  # one of the user's own: it is called as its label
        label.marker = label.name.rpartition(":")[2]
    label.placed, label.vertices, label.barycentric = True, vertices, barycentric
    label.height = usual_height(label.marker)
    data.active_label = row


def _view_under(context: bpy.types.Context, event: bpy.types.Event) -> tuple[Any, Any]:
    """The 3D View under the mouse and its region with the scene; None, None elsewhere, on the sidebar too."""
    x, y = event.mouse_x, event.mouse_y
    for area in context.window.screen.areas:
        if area.type == "VIEW_3D":
            inside = [r for r in area.regions if r.x <= x < r.x + r.width and r.y <= y < r.y + r.height]
            kinds = {r.type for r in inside if r.width > 1 and r.height > 1}
            if kinds == {"WINDOW"}:
                return area, next(r for r in inside if r.type == "WINDOW")
    return None, None


_CLASSES = (POISE_OT_place_marker, POISE_OT_reset_place)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
