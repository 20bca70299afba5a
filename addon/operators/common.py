# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators share: finding the rig they work on, and errors of the input as reports."""

from typing import Any

import bpy
from bpy.props import EnumProperty

from ...vendor_core.errors import PoiseError

NO_RIG = "Select a body: an armature of the SMPL family"
NO_KEYS = "The pose got no keys. {why}"
LIMB_ITEMS = (
    ("left_arm", "Left Arm", "Collar, shoulder, elbow and wrist"),
    ("right_arm", "Right Arm", "Collar, shoulder, elbow and wrist"),
    ("left_leg", "Left Leg", "Hip, knee, ankle and foot"),
    ("right_leg", "Right Leg", "Hip, knee, ankle and foot"),
    ("torso", "Torso", "The three joints of the spine"),
    ("head", "Head", "Neck and head"),
)
LOCK = EnumProperty(
    name="Lock",
    description="Limbs that stay exactly as they are",
    items=LIMB_ITEMS,
    options={"ENUM_FLAG"},
)
BONES = EnumProperty(
    name="Change",
    description="The bones that may change",
    items=(
        ("ALL", "All Bones", "All bones of the body"),
        ("SELECTED", "Selected Bones", "Only bones that are selected in Pose Mode"),
        ("UNSELECTED", "Unselected Bones", "Selected bones stay exactly as they are"),
    ),
)


class PoiseOperator:
    """An operator whose `run` may raise PoiseError before it changes the scene: a report, and nothing is changed."""

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            self.run(context)
        except PoiseError as problem:
            self.report({"ERROR"}, str(problem))  # type: ignore[attr-defined]
            return {"CANCELLED"}
        return {"FINISHED"}

    def run(self, context: bpy.types.Context) -> None:
        raise NotImplementedError


class RigOperator(PoiseOperator):
    """An operator on the body that is active, selected, or the only one in the scene."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        rig = find_rig(context)
        why = NO_RIG if rig is None else _unusable(rig)
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why


class PosingOperator(RigOperator):
    """An operator that gives the body a pose, which auto-keying keys."""

    def execute(self, context: bpy.types.Context) -> set[str]:
        from ..rig.keying.auto_key import why_not_auto_keyed

        result = super().execute(context)
        if result == {"FINISHED"} and (why := why_not_auto_keyed(context, rig_of(context))):
            self.report({"WARNING"}, NO_KEYS.format(why=why))  # type: ignore[attr-defined]
        return result


class TimelineOperator(RigOperator):
    """An operator that writes keys of the body."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        from ..rig.keying.actions import why_not_writable

        if not super().poll(context):
            return False
        why = why_not_writable(rig_of(context))
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why


def scene_range(context: bpy.types.Context) -> tuple[int, int]:
    """First and last frame of the preview range, or else of the scene's."""
    scene = context.scene
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end
    return scene.frame_start, scene.frame_end


def _unusable(rig: bpy.types.Object) -> str:
    """Why the armature cannot be posed now; empty where it can."""
    if rig.mode == "EDIT":
        return "Leave Edit Mode first"
    if rig.library is not None:
        return "The body is linked from another file: make a library override first"
    return ""


def redraw_sidebars(context: bpy.types.Context) -> None:
    """Redraw the sidebars alone: the scene has not changed."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()


def redraw_views(context: bpy.types.Context) -> None:
    """Redraw the 3D Views, with their sidebars: what is drawn over the scene has changed."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()


def over_view(context: bpy.types.Context, event: bpy.types.Event) -> bool:
    """Whether the mouse is over a 3D View: keys elsewhere belong to others."""
    x, y = event.mouse_x, event.mouse_y
    areas = [area for area in context.window.screen.areas if area.type == "VIEW_3D"]
    return any(a.x <= x < a.x + a.width and a.y <= y < a.y + a.height for a in areas)


def is_rig(obj: bpy.types.Object | None) -> bool:
    """Whether the object is an armature with the bones of the SMPL family."""
    return obj is not None and obj.type == "ARMATURE" and _is_family(obj.data)


def _is_family(armature: Any) -> bool:
    from ..rig.names import missing_body_bones

    return not missing_body_bones(armature.bones.keys())


def rig_of(context: bpy.types.Context) -> bpy.types.Object:
    """The armature that the artist means, as `find_rig` finds it.

    Raises:
        PoiseError: there is none.
    """
    rig = find_rig(context)
    if rig is None:
        raise PoiseError(f"No body is selected; {NO_RIG[0].lower()}{NO_RIG[1:]}, or use Add Body")
    return rig


def find_rig(context: bpy.types.Context) -> bpy.types.Object | None:
    """The armature that the artist means: the active one, else the one that deforms the active mesh or that the active
    target belongs to, else the only one selected, else the only body in the scene. An armature that is active but no
    body is meant too, and found wanting.
    """
    active = context.object
    if active is not None and active.type == "ARMATURE":
        return active
    if active is not None and active.type == "MESH":
        armatures = [m.object for m in active.modifiers if m.type == "ARMATURE" and m.object is not None]
        if armatures:
            return armatures[0]
    if active is not None and is_rig(owner := context.view_layer.objects.get(str(active.get("poise_rig", "")))):
        return owner
    selected = [obj for obj in context.selected_objects if obj.type == "ARMATURE"]
    if len(selected) == 1:
        return selected[0]
    if not bpy.data.armatures:
        return None
    bodies = (obj for obj in context.view_layer.objects if is_rig(obj))
    first, second = next(bodies, None), next(bodies, None)  # panels ask at every drawing: no more than need be
    return first if second is None else None
