# SPDX-License-Identifier: GPL-3.0-or-later
"""Pose Live: the body follows its handles while the artist drags them with Blender's own tools."""

from typing import TYPE_CHECKING, Literal

import bpy
from bpy.props import EnumProperty

from ...vendor_core.errors import PoiseError
from .common import LIMB_ITEMS, RigOperator, redraw_sidebars, rig_of
from .pins import toggle_pins

if TYPE_CHECKING:
    from ..rig.live import LiveSession

_TICK = 1 / 60  # seconds between two looks at the handles
_KEYS = "Pose Live   G moves a handle   P pins or frees the selected ones   Enter keeps the pose   Esc restores it"
LIMBS = tuple(item[0] for item in LIMB_ITEMS)

session: "LiveSession | None" = None  # the one that runs
_asked = ""  # by a button: "KEEP" or "RESTORE"
_state: "_Surroundings | None" = None


class _Surroundings:
    """What live posing changes around the pose, and puts back: selection, mode, undo, status bar, timer.

    Dragging a handle would push undo steps of its own. So Blender's global undo is off meanwhile, and the session is
    one step.
    """

    def __init__(self, context: bpy.types.Context):
        from ..rig.create import leave_mode

        active = context.view_layer.objects.active
        self._active = "" if active is None else active.name
        self._mode = "OBJECT" if active is None else active.mode
        leave_mode(context)
        self._selected = [obj.name for obj in context.selected_objects]
        self._timer: bpy.types.Timer | None = None
        self._undo = False
        self.undone = False

    def start(self, context: bpy.types.Context) -> None:
        self._timer = context.window_manager.event_timer_add(_TICK, window=context.window)
        context.workspace.status_text_set(_KEYS)
        self._undo = _set_global_undo(False)
        for handlers in (bpy.app.handlers.undo_post, bpy.app.handlers.redo_post):
            handlers.append(_note_undo)

    def stop(self) -> None:
        """Leave nothing that runs."""
        for handlers in (bpy.app.handlers.undo_post, bpy.app.handlers.redo_post):
            if _note_undo in handlers:
                handlers.remove(_note_undo)
        if self._timer is not None:
            bpy.context.window_manager.event_timer_remove(self._timer)
            self._timer = None
        if self._undo:
            _set_global_undo(True)
        for workspace in bpy.data.workspaces:
            workspace.status_text_set(None)

    def restore_selection(self, context: bpy.types.Context) -> None:
        """Select what was selected, in the mode that was; what is gone stays gone."""
        from ..rig.create import leave_mode

        leave_mode(context)
        objects = context.view_layer.objects
        for obj in context.selected_objects:
            obj.select_set(False)
        for name in self._selected:
            if (obj := objects.get(name)) is not None:
                obj.select_set(True)
        active = objects.get(self._active)
        objects.active = active
        if active is not None and self._mode != "OBJECT" and active.mode != self._mode:
            bpy.ops.object.mode_set(mode=self._mode)  # type: ignore[arg-type]


class POISE_OT_pose_live(RigOperator, bpy.types.Operator):
    """Drag handles at hands, feet, head and hips, and the whole body follows plausibly"""

    bl_idname = "poise.pose_live"
    bl_label = "Pose Live"
    bl_options = {"REGISTER"}

    lock: EnumProperty(  # type: ignore[valid-type]
        name="Lock",
        description="Limbs that stay exactly as they are",
        items=LIMB_ITEMS,
        options={"ENUM_FLAG", "SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if session is not None:
            cls.poll_message_set("Live posing is on already")  # type: ignore[attr-defined]
            return False
        return super().poll(context)

    def run(self, context: bpy.types.Context) -> None:
        raise PoiseError("Live posing needs a window; in scripts move targets and use Solve from Selected Empties")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        global session, _state, _asked
        from ..rig.live import LiveSession

        state = _Surroundings(context)
        try:
            obj = rig_of(context)
            session = LiveSession(context, obj, self.lock)
        except PoiseError as problem:
            state.restore_selection(context)
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        _state, _asked = state, ""
        state.start(context)
        for other in context.selected_objects:
            other.select_set(False)
        context.view_layer.objects.active = obj
        context.window_manager.modal_handler_add(self)
        redraw_sidebars(context)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if session is None or _state is None:  # ended from elsewhere
            return {"CANCELLED"}
        if _state.undone:
            _close()
            return self._say(context, "ended by an undo", "WARNING")
        asked = _asked or _asked_by_key(context, event)
        if asked == "KEEP":
            return self._keep(context)
        if asked == "RESTORE":
            return self._restore(context, "the pose is as it was", "INFO")
        if asked == "PIN":
            toggle_pins(context)
            return {"RUNNING_MODAL"}
        if event.type == "TIMER":
            return self._tick(context)
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender closes the file, the window or itself: nothing may be left running."""
        _close()

    def _tick(self, context: bpy.types.Context) -> set[str]:
        assert session is not None
        shown = session.missed
        try:
            session.tick(context.scene.frame_current_final)
        except PoiseError as problem:
            if _is_dragging(context):  # Blender crashes where what it drags is removed: the next tick finds the same
                return {"PASS_THROUGH"}
            return self._restore(context, f"ended: {problem}; the pose is as it was", "WARNING")
        if session.missed != shown:
            redraw_sidebars(context)
        return {"PASS_THROUGH"}

    def _keep(self, context: bpy.types.Context) -> set[str]:
        assert session is not None and _state is not None
        session.keep(context)
        _state.restore_selection(context)
        _close()
        bpy.ops.ed.undo_push(message="Pose Live")
        redraw_sidebars(context)
        return {"FINISHED"}

    def _restore(self, context: bpy.types.Context, line: str, kind: Literal["INFO", "WARNING"]) -> set[str]:
        assert session is not None and _state is not None
        session.restore()
        _state.restore_selection(context)
        _close()
        bpy.ops.ed.undo_push(message="Pose Live, Restored")
        return self._say(context, line, kind)

    def _say(self, context: bpy.types.Context, line: str, kind: Literal["INFO", "WARNING"]) -> set[str]:
        self.report({kind}, f"Live posing: {line}")
        redraw_sidebars(context)
        return {"CANCELLED"}


class POISE_OT_end_live(bpy.types.Operator):
    """End live posing, with the pose it led to or with the one before"""

    bl_idname = "poise.end_live"
    bl_label = "End Pose Live"
    bl_options = {"INTERNAL"}

    result: EnumProperty(  # type: ignore[valid-type]
        name="Pose",
        description="The pose that the body has afterwards",
        items=(("KEEP", "Finish", "Keep the pose"), ("RESTORE", "Cancel", "Go back to the pose before")),
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        global _asked
        _asked = self.result
        return {"FINISHED"}


class POISE_OT_lock_limb(bpy.types.Operator):
    """Lock a limb in the pose that it has, or free it"""

    bl_idname = "poise.lock_limb"
    bl_label = "Lock Limb"
    bl_options = {"INTERNAL"}

    limb: EnumProperty(  # type: ignore[valid-type]
        name="Limb",
        description="What to lock or free",
        items=LIMB_ITEMS,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        assert session is not None
        session.lock(session.locked ^ {self.limb})
        return {"FINISHED"}


def _asked_by_key(context: bpy.types.Context, event: bpy.types.Event) -> str:
    """What a key asks for: "KEEP", "RESTORE", "PIN", or nothing."""
    if event.value != "PRESS" or not _over_view(context, event):
        return ""
    if event.type == "Z" and (event.ctrl or event.oskey) and not event.shift:
        return "RESTORE"  # the session is one undo step, also from within
    if event.ctrl or event.alt or event.shift or event.oskey:
        return ""
    return {"RET": "KEEP", "NUMPAD_ENTER": "KEEP", "ESC": "RESTORE", "P": "PIN"}.get(event.type, "")


def _is_dragging(context: bpy.types.Context) -> bool:
    """Whether Blender's own G, R or S runs."""
    return any(operator.bl_idname.startswith("TRANSFORM_OT_") for operator in context.window.modal_operators)


def _over_view(context: bpy.types.Context, event: bpy.types.Event) -> bool:
    """Whether the mouse is over a 3D View: keys elsewhere belong to others."""
    x, y = event.mouse_x, event.mouse_y
    areas = [area for area in context.window.screen.areas if area.type == "VIEW_3D"]
    return any(a.x <= x < a.x + a.width and a.y <= y < a.y + a.height for a in areas)


def _note_undo(*_scene: object) -> None:
    if _state is not None:
        _state.undone = True


def _set_global_undo(on: bool) -> bool:
    """Switch it without making Blender save its preferences for it; what it was."""
    preferences = bpy.context.preferences
    assert preferences is not None
    dirty, before = preferences.is_dirty, preferences.edit.use_global_undo
    preferences.edit.use_global_undo = on
    preferences.is_dirty = dirty
    return before


def _close() -> None:
    """Forget the session, and leave nothing running."""
    global session, _state, _asked
    if _state is not None:
        _state.stop()
    session, _state, _asked = None, None, ""


_CLASSES = (
    POISE_OT_pose_live,
    POISE_OT_end_live,
    POISE_OT_lock_limb,
)
register, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def unregister() -> None:
    _close()
    _unregister_classes()
