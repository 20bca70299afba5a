# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens around the solving of a take: what the worker's job needs, and its answer written to the scene."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..vendor_core.errors import PoiseError
from .bodies import body_of_file, set_shape
from .worker.jobs import require_result

if TYPE_CHECKING:
    import numpy as np

    from ..vendor_core.frames import Message
    from .rig.keying.take import SolvedTake

_SAME_BODY = 1e-4  # metres: rest joints nearer than this are the same


@dataclass(frozen=True)
class TakeRequest:
    """What an import was asked for. Names instead of data-blocks: they outlive undo while the job runs."""

    path: Path
    scene: str
    rig: str | None  # None for a new body
    body: str | None  # file of the body that is solved on; None for the default one
    fit_shape: bool
    start: int
    fps: float  # of the scene
    markers: bool
    extend_range: bool


def trimmed(path: Path, seconds_start: float, seconds_end: float) -> tuple[int, int | None]:
    """First and last frame of the source to solve; the file is only read here where something is cut off.

    Raises:
        PoiseError: no such file, or nothing is left.
    """
    if not path.is_file():
        raise PoiseError(f"{path} does not exist; check the path")
    if seconds_start == 0 and seconds_end == 0:
        return 0, None
    from ..vendor_core.mocap.takes import read_take

    take = read_take(path)
    n = len(take.points)
    first, last = round(seconds_start * take.rate), n - 1 - round(seconds_end * take.rate)
    if first > last:
        raise PoiseError(f"{path.name} lasts {n / take.rate:.2f} s; trimming leaves nothing of it: trim less")
    return first, last


def write_take(context: bpy.types.Context, request: TakeRequest, message: "Message") -> str:
    """Write the solved take into the scene; a line that sums it up.

    Raises:
        PoiseError: the job failed or was cancelled, or the body is gone; nothing is changed then.
    """
    import numpy as np

    from .rig.keying.take import add_markers, key_take
    from .rig.pose import read_rig

    take = _solved_take(request, message)
    scene = bpy.data.scenes.get(request.scene)
    if scene is None or scene != context.scene:
        raise PoiseError(f'The scene "{request.scene}" is not open any more; import {request.path.name} again')
    rig = _rig_for(context, request, take.name)
    if "poise_body" in rig and request.fit_shape:
        set_shape(context, rig, take.betas)
    frames = request.start + np.arange(len(take.poses)) * (request.fps / take.rate)
    own = read_rig(rig)
    solved_on = _rest_joints(request, take.betas)
    same = np.abs(own.rest_joints() - solved_on).max() < _SAME_BODY
    action = key_take(rig, own, take, frames, None if same else solved_on)
    for name in ("median_mm", "rejected_fraction"):  # how well the markers fit stays with the motion
        action[f"poise_{name}"] = message.data["summary"][name]
    if request.markers:
        add_markers(context, take, frames)
    if request.extend_range:
        scene.frame_end = max(scene.frame_end, int(np.ceil(frames[-1])))
        scene.frame_start = min(scene.frame_start, int(np.floor(frames[0])))
    scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
    return _summed_up(request, message)


def _solved_take(request: TakeRequest, message: "Message") -> "SolvedTake":
    from .rig.keying.take import SolvedTake

    require_result(message, f"{request.path.name}: import")
    arrays = {name: message.arrays[name] for name in ("poses", "trans", "betas", "markers")}
    labels, rate = tuple(message.data["labels"]), float(message.data["rate"])
    return SolvedTake(name=request.path.stem, labels=labels, rate=rate, **arrays)


def _rig_for(context: bpy.types.Context, request: TakeRequest, name: str) -> bpy.types.Object:
    from .rig.keying.actions import require_free_action

    if request.rig is None:
        from .operators.body import add_default_body

        rig = add_default_body(context)
        rig.name = rig.data.name = name
        return rig
    rig = bpy.data.objects.get(request.rig)
    if rig is None:
        raise PoiseError(f'The body "{request.rig}" was removed meanwhile; import {request.path.name} again')
    require_free_action(rig)
    return rig


def _rest_joints(request: TakeRequest, betas: "np.ndarray") -> "np.ndarray":
    """Rest joints (22, 3) of the body that the take was solved on."""
    return body_of_file(request.body).rest_joints(betas)[:22]


def _summed_up(request: TakeRequest, message: "Message") -> str:
    summary = message.data.get("summary", {})
    status = summary.get("frame_status", {})
    parts = [f"{summary.get('frames')} frames", str(summary.get("layout")), f"median {summary.get('median_mm'):.1f} mm"]
    parts += [f"{status[how]} empty frames {how}" for how in ("bridged", "held") if status.get(how)]
    parts += summary.get("notes", [])
    return f"{request.path.name}: {', '.join(parts)}"
