# SPDX-License-Identifier: GPL-3.0-or-later
"""Solve Take: markers become the motion of a body, in the worker process; several takes wait for one another."""

import bpy
from bpy.props import BoolProperty, EnumProperty

from ...vendor_core.errors import Cancelled, PoiseError
from ..preferences import preferences
from ..scenes import opened
from ..take_lookup import NO_TAKE, find_take, own_take_of, solved_rig, take_of
from ..take_solve import SolveRequest, check_rig, scene_of, solve_params, write_solved
from ..texts import shown
from ..worker import jobs
from .common import rig_of
from .job import BUSY, Job, JobFollower, follow

TARGET = EnumProperty(
    name="Onto",
    description="The body that gets the motion",
    items=(
        ("NEW", "New Body", "A new default body"),
        ("ACTIVE", "Active Body", "The body that is active or selected; its present action is kept"),
    ),
)
FIT_SHAPE = BoolProperty(
    name="Fit Shape", description="Give the body the size and shape of the person in the take", default=True
)
RATE = EnumProperty(
    name="Frame Rate",
    description="How the take's rate meets the scene's; its speed stays in both cases",
    items=(
        ("SCENE", "Scene", "A key on every frame of the scene"),
        ("SUBFRAMES", "Take", "Every frame of the take, as keys between the scene's frames"),
    ),
)

_waiting: list[SolveRequest] = []
_number = _count = 0  # of the takes that were asked for together


class SolvingOperator:
    """An operator that has takes solved."""

    target: TARGET  # type: ignore[valid-type]
    fit_shape: FIT_SHAPE  # type: ignore[valid-type]
    rate: RATE  # type: ignore[valid-type]

    def body(self, context: bpy.types.Context) -> bpy.types.Object | None:
        """The body that is to get the motion; None for a new one.

        Raises:
            PoiseError: there is none, or it cannot get one now.
        """
        if self.target == "NEW":
            return None
        rig = rig_of(context)
        check_rig(rig, self.fit_shape)
        return rig

    def requests(
        self, context: bpy.types.Context, takes: list[bpy.types.Object], rig: bpy.types.Object | None
    ) -> list[SolveRequest]:
        """A request for each take; those that one body gets are calibrated by the first of them."""
        first = takes[0].session_uid if takes and rig is not None else 0
        return [
            SolveRequest(
                take=take.name, scene=context.scene.name, rig=rig.name if rig is not None else None,
                fit_shape=self.fit_shape, every_frame=self.rate == "SUBFRAMES",
                layout=getattr(self, "layout_name", "auto"), take_uid=take.session_uid,
                rig_uid=rig.session_uid if rig is not None else 0, calibrated=first if take.session_uid != first else 0,
            ) for take in takes
        ]  # fmt: skip


def solve_takes(operator: bpy.types.Operator, context: bpy.types.Context, requests: list[SolveRequest]) -> bool:
    """Have takes solved one after the other; reports say what is wrong with one, which keeps no other from it.

    Returns:
        Whether one of them was solved, or is being solved.
    """
    global _number, _count
    _waiting[:], _number, _count = requests, 0, len(requests)
    return _solve_next(operator, context)


def _solve_next(operator: bpy.types.Operator, context: bpy.types.Context) -> bool:
    done = False
    while _waiting and not (done and not bpy.app.background):
        try:
            _start(context)
            follow(operator, context, bpy.ops.poise.follow_take)  # type: ignore[arg-type]
            done = True
        except PoiseError as problem:
            operator.report({"ERROR"}, str(problem))
            if isinstance(problem, Cancelled):
                forget_waiting()
    return done


def _start(context: bpy.types.Context) -> None:
    """Start the next job.

    Raises:
        PoiseError: it cannot be.
    """
    global _number
    request, _number = _waiting.pop(0), _number + 1
    title = shown("Solving {take}", take=request.take)
    if _count > 1:
        title = shown("Solving {take} ({number} of {count})", take=request.take, number=_number, count=_count)
    with opened(context, scene_of(request)) as inside:  # a take that waited
        params, arrays = solve_params(inside, request)
    job = Job(title, "solve", params, lambda context, message: write_solved(context, request, message), arrays)
    jobs.start(preferences(context).worker_python, job.title, job.name, job.params, job.write, job.arrays)


def forget_waiting() -> None:
    """Solve none of the takes that still wait."""
    _waiting.clear()


class POISE_OT_solve_take(SolvingOperator, bpy.types.Operator):
    """Solve the take's markers, as its table maps them, and key the motion on a body"""

    bl_idname = "poise.solve_take"
    bl_label = "Solve Take"
    bl_options = {"REGISTER", "PRESET"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why = BUSY if jobs.state.running else NO_TAKE if find_take(context) is None else ""
        if why:
            cls.poll_message_set(why)  # type: ignore[attr-defined]
        return not why

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        take = find_take(context)
        known = take is not None and solved_rig(context, take) is not None
        self.target = "ACTIVE" if known else "NEW"
        return context.window_manager.invoke_props_dialog(self, confirm_text="Solve")  # type: ignore[return-value]

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in ("target", "fit_shape", "rate"):
            layout.prop(self, name)

    def body(self, context: bpy.types.Context) -> bpy.types.Object | None:
        before = solved_rig(context, take_of(context))
        if self.target == "ACTIVE" and before is not None:
            check_rig(before, self.fit_shape)
            return before
        return super().body(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            take = own_take_of(context)
            requests = self.requests(context, [take], self.body(context))
        except PoiseError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        return {"FINISHED"} if solve_takes(self, context, requests) else {"CANCELLED"}


class POISE_OT_follow_take(JobFollower, bpy.types.Operator):
    """Wait for the take that is being solved, without holding up Blender"""

    bl_idname = "poise.follow_take"
    bl_label = "Solve Take"
    bl_options = {"INTERNAL", "UNDO"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        result = super().modal(context, event)
        if result & {"FINISHED", "CANCELLED"}:
            _solve_next(self, context)  # type: ignore[arg-type]
        return result

    def cancel(self, context: bpy.types.Context) -> None:
        forget_waiting()
        super().cancel(context)

    def fail(self, context: bpy.types.Context, problem: PoiseError) -> None:
        if isinstance(problem, Cancelled):
            forget_waiting()
        super().fail(context, problem)


_CLASSES = (POISE_OT_solve_take, POISE_OT_follow_take)
_register_classes, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def register() -> None:
    _register_classes()


def unregister() -> None:
    forget_waiting()
    _unregister_classes()
