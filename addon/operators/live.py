# SPDX-License-Identifier: GPL-3.0-or-later
"""Pose Live: the body follows its handles while the artist drags them with Blender's own tools."""

from typing import TYPE_CHECKING, Literal

import bpy
from bpy.props import EnumProperty

from ...vendor_core.errors import PoiseError
from ..texts import told
from . import live_surroundings
from .common import LIMB_ITEMS, NO_KEYS, PoiseOperator, RigOperator, over_view, redraw_sidebars, redraw_views, rig_of
from .pins import toggle_pins, toggle_turns

if TYPE_CHECKING:
    from ..rig.live.session import LiveSession

_BY_KEY = {"RET": "KEEP", "NUMPAD_ENTER": "KEEP", "ESC": "RESTORE", "P": "PIN", "M": "MIRROR"}
LIMBS = tuple(item[0] for item in LIMB_ITEMS)

session: "LiveSession | None" = None  # the one that runs
_asked = ""  # by a button: "KEEP" or "RESTORE"
_state: "live_surroundings.Surroundings | None" = None


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
        from ..rig.live.session import LiveSession

        state = live_surroundings.Surroundings(context)
        try:
            obj = rig_of(context)
            session = LiveSession(context, obj, self.lock)
        except PoiseError as problem:
            state.restore_selection(context)
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        _state, _asked = state, ""
        state.start(context, session)
        for other in context.selected_objects:
            other.select_set(False)
        context.view_layer.objects.active = obj
        context.window_manager.modal_handler_add(self)
        redraw_sidebars(context)
        for note in session.held.notes:
            self.report({"WARNING"}, note)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        global _asked
        if session is None or _state is None:  # ended from elsewhere
            return {"CANCELLED"}
        if live_surroundings.gone:
            _close()
            live_surroundings.return_to_before()
            how = "an undo" if live_surroundings.gone == "UNDO" else "a redo"
            return self._say(context, f"ended by {how}; the pose is as it was", "WARNING")
        asked, _asked = _asked or _asked_by_key(context, event), ""
        if asked == "KEEP":
            return self._keep(context)
        if asked == "RESTORE":
            return self._restore(context, "the pose is as it was", "INFO")
        if asked in ("PIN", "TURN"):
            (toggle_pins if asked == "PIN" else toggle_turns)(context)
            return {"RUNNING_MODAL"}
        if asked == "MIRROR":
            self._mirror(context)
            return {"RUNNING_MODAL"}
        if event.type == "TIMER":
            return self._tick(context)
        return {"PASS_THROUGH"}

    def _mirror(self, context: bpy.types.Context) -> None:
        try:
            mirror_session(context)
        except PoiseError as problem:
            self.report({"ERROR"}, str(problem))

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender closes the file, the window or itself: nothing may be left running."""
        _close()

    def _tick(self, context: bpy.types.Context) -> set[str]:
        assert session is not None
        shown = session.misses
        try:
            session.tick(context)
        except PoiseError as problem:
            if _is_dragging(context):  # Blender crashes where what it drags is removed: the next tick finds the same
                return {"PASS_THROUGH"}
            return self._restore(context, f"ended: {problem}; the pose is as it was", "WARNING")
        if session.misses != shown:
            redraw_views(context)
        return {"PASS_THROUGH"}

    def _keep(self, context: bpy.types.Context) -> set[str]:
        assert session is not None and _state is not None
        _state.allow_keys()
        why = session.keep(context)
        if why:
            self.report({"WARNING"}, NO_KEYS.format(why=why))
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
        self.report({kind}, told("Live posing: {what}", what=line))
        redraw_sidebars(context)
        return {"CANCELLED"}


def mirror_session(context: bpy.types.Context) -> None:
    """Go on with the mirror image.

    Raises:
        PoiseError: limbs are locked, or bones are held.
    """
    assert session is not None
    session.mirror()
    redraw_views(context)


class _WhileLive:
    """An operator that there is only while a session runs."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return session is not None


class POISE_OT_end_live(_WhileLive, bpy.types.Operator):
    """End live posing, with the pose it led to or with the one before"""

    bl_idname = "poise.end_live"
    bl_label = "End Pose Live"
    bl_options = {"INTERNAL"}

    result: EnumProperty(  # type: ignore[valid-type]
        name="Pose",
        description="The pose that the body has afterwards",
        items=(("KEEP", "Finish", "Keep the pose"), ("RESTORE", "Cancel", "Go back to the pose before")),
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        global _asked
        _asked = self.result
        return {"FINISHED"}


class POISE_OT_mirror_live(_WhileLive, PoiseOperator, bpy.types.Operator):
    """Go on with the mirror image of the pose; left and right handles change sides"""

    bl_idname = "poise.mirror_live"
    bl_label = "Mirror Live Pose"
    bl_options = {"INTERNAL"}

    def run(self, context: bpy.types.Context) -> None:
        mirror_session(context)


class POISE_OT_lock_limb(_WhileLive, bpy.types.Operator):
    """Lock a limb in the pose that it has, or free it"""

    bl_idname = "poise.lock_limb"
    bl_label = "Lock Limb"
    bl_options = {"INTERNAL"}

    limb: EnumProperty(  # type: ignore[valid-type]
        name="Limb",
        description="What to lock or free",
        items=LIMB_ITEMS,
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        assert session is not None
        session.lock(session.locked ^ {self.limb})
        return {"FINISHED"}


def _asked_by_key(context: bpy.types.Context, event: bpy.types.Event) -> str:
    """What a key asks for: "KEEP", "RESTORE", "PIN", "TURN", "MIRROR", or nothing."""
    if event.value != "PRESS" or not over_view(context, event):
        return ""
    if event.type == "Z" and (event.ctrl or event.oskey) and not event.shift:
        return "RESTORE"  # the session is one undo step, also from within
    if event.ctrl or event.alt or event.oskey:
        return ""
    if event.shift:
        return "TURN" if event.type == "P" else ""
    return _BY_KEY.get(event.type, "")


def _is_dragging(context: bpy.types.Context) -> bool:
    """Whether Blender's own G, R or S runs."""
    return any(operator.bl_idname.startswith("TRANSFORM_OT_") for operator in context.window.modal_operators)


def _close() -> None:
    """Forget the session, and leave nothing running."""
    global session, _state, _asked
    if _state is not None:
        _state.stop()
    session, _state, _asked = None, None, ""


_CLASSES = (
    POISE_OT_pose_live,
    POISE_OT_end_live,
    POISE_OT_mirror_live,
    POISE_OT_lock_limb,
)
register, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def unregister() -> None:
    _close()
    _unregister_classes()
