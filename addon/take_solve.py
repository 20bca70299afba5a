# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens around the solving of a take: what the worker's job needs, and its answer written to the scene."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import bpy

from ..vendor_core.errors import PoiseError
from .bodies import body_file, body_of_file, set_shape
from .preferences import preferences
from .prior_choice import source_of
from .scenes import object_of, opened, scene_with
from .take_lookup import is_take, name_of
from .worker.jobs import require_result

if TYPE_CHECKING:
    import numpy as np

    from ..vendor_core.frames import Message
    from .rig.keying.take import SolvedTake

SAME_BODY = 1e-4  # metres: rest joints nearer than this are the same


@dataclass(frozen=True)
class SolveRequest:
    """What a solve was asked for. Names instead of data-blocks: they outlive undo while the job runs."""

    take: str
    scene: str
    rig: str | None  # None for a new body
    fit_shape: bool
    every_frame: bool  # of the take, instead of the scene's
    layout: str = "auto"  # for points without labels
    take_uid: int = 0  # as of `scenes.object_of`
    rig_uid: int = 0
    calibrated: int = (
        0  # `session_uid` of the take whose calibration serves where it has one; else as the take itself says
    )


def check_rig(rig: bpy.types.Object, fit_shape: bool) -> None:
    """Refuse a body that cannot get a motion now.

    Raises:
        PoiseError: so it is.
    """
    from .rig.keying.actions import require_free_action
    from .rig.pose import read_rig

    read_rig(rig)
    require_free_action(rig)
    body_file(rig)
    if fit_shape and "poise_body" in rig and not rig.visible_get():
        raise PoiseError(f'"{rig.name}" is hidden and cannot get a new shape: unhide it, or turn Fit Shape off')


def take_params(obj: bpy.types.Object) -> tuple[dict[str, Any], "dict[str, np.ndarray]"]:
    """A take for a job of the worker: its points, and what the table says of them.

    Raises:
        PoiseError: no label is mapped, though there are labels.
    """
    from .rig.takes.arrays import points_of
    from .rig.takes.labels import columns_of, has_no_labels

    data: Any = obj.poise_take
    columns = columns_of(obj)
    if not columns and not has_no_labels(obj):
        raise PoiseError(f'No label of "{obj.name}" is mapped to a marker: map them in the tab Poise Mocap first')
    places = [
        [label.marker, list(label.vertices), list(label.barycentric), label.height]
        for label in data.labels if label.placed and label.marker
    ]  # fmt: skip
    params = {
        "labels": [label.name for label in data.labels], "rate": data.rate, "places": places,
        "columns": [list(pair) for pair in columns.items()] or None,
    }  # fmt: skip
    return params, {"points": points_of(obj)}


def solve_params(context: bpy.types.Context, request: SolveRequest) -> tuple[dict[str, Any], "dict[str, np.ndarray]"]:
    """Parameters and arrays of the worker's job.

    Raises:
        PoiseError: the take or the body is gone or cannot be used.
    """
    take, rig = take_named(request), rig_named(context, request)
    params, arrays = take_params(take)
    calibration = _calibration(take, request)
    body, betas = None, None
    if rig is not None:
        check_rig(rig, request.fit_shape)
        body = body_file(rig)
        betas = None if request.fit_shape or calibration else [item.value for item in rig.poise.betas]
    render = context.scene.render
    return params | {
        "layout": request.layout, "body": body, "betas": betas, "calibration": calibration,
        "fps": None if request.every_frame else render.fps / render.fps_base,
        "device": preferences(context).device, "prior": source_of(context.scene),
    }, arrays  # fmt: skip


def _calibration(take: bpy.types.Object, request: SolveRequest) -> dict[str, Any] | None:
    """What is known of the subject, without what an earlier solve said of its take."""
    import json

    data: Any = take.poise_take
    other = object_of("", request.calibrated)
    if other is None and data.calibrate == "TAKE":
        other = data.calibrated_take
        if other is None or not other.poise_take.calibration:
            raise PoiseError(f'"{take.name}" is to be calibrated by another take: choose one that is solved')
    if data.calibrate == "STORED":
        other = take
        if not data.calibration:
            raise PoiseError(f'"{take.name}" has no calibration to keep: solve it, or load one')
    if other is None or not other.poise_take.calibration:  # type: ignore[attr-defined]
        return None
    stored = json.loads(other.poise_take.calibration)  # type: ignore[attr-defined]
    return {name: value for name, value in stored.items() if name != "take"}


def take_named(request: SolveRequest) -> bpy.types.Object:
    """The take of a request.

    Raises:
        PoiseError: it is gone.
    """
    take = object_of(request.take, request.take_uid)
    if take is None or not is_take(take):
        raise PoiseError(f'The take "{request.take}" was removed meanwhile; import it again')
    return take


def rig_named(context: bpy.types.Context, request: SolveRequest) -> bpy.types.Object | None:
    """The body of a request; None where it asks for a new one.

    Raises:
        PoiseError: it is gone, or the view layer leaves it out.
    """
    if request.rig is None:
        return None
    rig = object_of(request.rig, request.rig_uid)
    if rig is None or rig not in context.view_layer.objects.values():
        why = "left out of the view layer" if rig is not None else "removed"
        raise PoiseError(f'The body "{request.rig}" was {why} meanwhile; solve "{request.take}" again')
    return rig


def write_solved(context: bpy.types.Context, request: SolveRequest, message: "Message") -> str:
    """Write a solved take into the scene it is in: the motion on the body, residuals and calibration on the take.

    Returns:
        A line that sums it up.

    Raises:
        PoiseError: the job failed or was cancelled, or the take or the body is gone; nothing is changed then.
    """
    require_result(message, f"{request.take}: solving")
    scene, shown = scene_of(request), context.scene
    with opened(context, scene) as inside:
        line = _write(inside, request, message)
    return line if scene == shown else f'{line}, in the scene "{scene.name}"'


def scene_of(request: SolveRequest) -> bpy.types.Scene:
    """The scene that the take of a request is in.

    Raises:
        PoiseError: the take is gone, or in none.
    """
    return scene_with(take_named(request), request.scene)


def _write(context: bpy.types.Context, request: SolveRequest, message: "Message") -> str:
    obj, rig = take_named(request), rig_named(context, request)
    scene: Any = context.scene
    if rig is not None:
        check_rig(rig, request.fit_shape)
    from .rig.takes.arrays import residuals_of
    from .rig.takes.residual_curve import write_curve
    from .rig.takes.solved import note_solved
    from .take_mend import attach_markers

    solved = _solved_take(obj, message)
    rig = _new_body(context, obj) if rig is None else rig
    _key(context, obj, rig, request, solved, message)
    note_solved(obj, rig, message)
    attach_markers(obj, rig)
    write_curve(obj, scene, residuals_of(obj))
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    return _summed_up(obj, message)


def _key(
    context: bpy.types.Context, obj: bpy.types.Object, rig: bpy.types.Object, request: SolveRequest,
    take: "SolvedTake", message: "Message",
) -> None:  # fmt: skip
    import numpy as np

    from .rig.keying.take import key_take, placed
    from .rig.pose import read_rig
    from .rig.takes.attached import note_stand
    from .rig.takes.scene import make_active, scene_frame, timing

    if "poise_body" in rig and request.fit_shape:
        set_shape(context, rig, take.betas)
    data: Any = obj.poise_take
    scene: Any = context.scene
    at = np.arange(len(take.poses)) * (data.rate / take.rate)
    frames = np.array([scene_frame(obj, scene, frame) for frame in at.tolist()])
    own = read_rig(rig)
    solved_on = body_of_file(body_file(rig)).rest_joints(take.betas)[:22]
    take = placed(take, solved_on, np.array(obj.matrix_world))
    same = np.abs(own.rest_joints() - solved_on).max() < SAME_BODY
    note_stand(obj, own)
    data.solved_at = timing(obj, scene)
    action = key_take(rig, own, take, frames, None if same else solved_on)
    data.solve = uuid4().hex
    action["poise_take"], action["poise_solve"] = obj.name, data.solve
    for name in ("median_mm", "rejected_fraction"):  # how well the markers fit stays with the motion
        action[f"poise_{name}"] = message.data["summary"][name]
    if context.object in (None, obj):
        make_active(context, rig)


def _solved_take(obj: bpy.types.Object, message: "Message") -> "SolvedTake":
    from .rig.keying.take import SolvedTake

    arrays = {name: message.arrays[name] for name in ("poses", "trans", "betas")}
    return SolvedTake(name=name_of(obj), rate=float(message.data["rate"]), **arrays)


def _new_body(context: bpy.types.Context, obj: bpy.types.Object) -> bpy.types.Object:
    """A default body named after the take."""
    from .operators.body import add_default_body

    rig = add_default_body(context)
    rig.name = rig.data.name = name_of(obj)
    return rig


def _summed_up(obj: bpy.types.Object, message: "Message") -> str:
    summary, data = message.data["summary"], obj.poise_take  # type: ignore[attr-defined]
    status = summary.get("frame_status", {})
    parts = [f"{summary['frames']} frames", data.layout or summary["layout"], f"median {summary['median_mm']:.1f} mm"]
    parts += [f"{status[how]} empty frames {how}" for how in ("bridged", "held") if status.get(how)]
    parts += summary.get("notes", [])
    return f"{obj.name}: {', '.join(parts)}"
