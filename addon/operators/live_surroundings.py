# SPDX-License-Identifier: GPL-3.0-or-later
"""What live posing changes around the pose, and puts back: selection, mode, undo, keying, status bar, drawing."""

from typing import TYPE_CHECKING, Any

import bpy

from ..drawing import live_draw

if TYPE_CHECKING:
    from ..rig.live.session import LiveSession

_TICK = 1 / 60  # seconds between two looks at the handles
_KEYS = (
    "Pose Live   G, R move and turn handles   P pins or frees the selected ones, Shift P their rotation   "
    "M mirrors the pose   Enter keeps it   Esc restores"
)
gone = ""  # "UNDO" or "REDO": what was asked of Blender meanwhile, so that the scene is another one


class Surroundings:
    """The state of Blender before a session.

    Dragging a handle would push undo steps of its own. So Blender's global undo is off meanwhile, and the session is
    one step. So is auto-keying, which would key the handles: the pose is keyed when it is kept.
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
        self._keying_scene = ""  # whose auto-keying is off meanwhile

    def start(self, context: bpy.types.Context, session: "LiveSession") -> None:
        global gone
        gone = ""
        self._timer = context.window_manager.event_timer_add(_TICK, window=context.window)
        context.workspace.status_text_set(_KEYS)
        self._undo = _set_global_undo(False)
        if context.tool_settings.use_keyframe_insert_auto:
            self._keying_scene = context.scene.name
            context.tool_settings.use_keyframe_insert_auto = False
        bpy.app.handlers.undo_post.append(_note_undo)
        bpy.app.handlers.redo_post.append(_note_redo)
        live_draw.start(session)

    def allow_keys(self) -> None:
        """Switch auto-keying on again where it was."""
        if (scene := bpy.data.scenes.get(self._keying_scene)) is not None:
            scene.tool_settings.use_keyframe_insert_auto = True
        self._keying_scene = ""

    def stop(self) -> None:
        """Leave nothing that runs."""
        live_draw.stop()
        self.allow_keys()
        for handlers, note in ((bpy.app.handlers.undo_post, _note_undo), (bpy.app.handlers.redo_post, _note_redo)):
            if note in handlers:
                handlers.remove(note)
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


def return_to_before() -> None:
    """Take back the undo or the redo that ended the session: the step before it is the one that the session began at.

    By a timer, since an operator that runs must not load another scene.
    """
    opposite: Any = bpy.ops.ed.redo if gone == "UNDO" else bpy.ops.ed.undo

    def step() -> None:
        manager = bpy.context.window_manager
        with bpy.context.temp_override(window=manager.windows[0]):
            if opposite.poll():
                opposite()

    bpy.app.timers.register(step, first_interval=0.0)


def _note_undo(*_scene: object) -> None:
    global gone
    gone = gone or "UNDO"


def _note_redo(*_scene: object) -> None:
    global gone
    gone = gone or "REDO"


def _set_global_undo(on: bool) -> bool:
    """Switch it without making Blender save its preferences for it; what it was."""
    preferences = bpy.context.preferences
    assert preferences is not None
    dirty, before = preferences.is_dirty, preferences.edit.use_global_undo
    preferences.edit.use_global_undo = on
    preferences.is_dirty = dirty
    return before
