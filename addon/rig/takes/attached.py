# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a solved body carries its markers, in any pose that it is given later.

A marker is carried as the skin is: at rest it lies at x in the armature, and its bones take it to
`sum_k w_k P_k B_k^-1 x` with their posed matrices P_k and rest matrices B_k. Kept with the take, so that nothing has to
be solved or loaded to draw how far the seen markers are from there.
"""

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from ....vendor_core.body import BodyModel
from ....vendor_core.mocap.calibration_file import Calibration
from ....vendor_core.mocap.marker_points import place_markers
from ....vendor_core.mocap.placement_table import placement_table
from ....vendor_core.skeleton import JOINTS
from ..keying.take import without_scale
from ..names import bones_of_joints
from ..pose import bone_matrices

if TYPE_CHECKING:
    from ..convert import Rig


def note_stand(obj: bpy.types.Object, rig: "Rig") -> None:
    """Keep where a rig stands, relative to a take: whoever moves them afterwards can still solve parts of it again."""
    M = np.array(obj.matrix_world, dtype=np.float64)
    stand = without_scale(M)
    obj.poise_take.rig_in_take = (np.linalg.inv(stand) @ rig.world).ravel().tolist()  # type: ignore[attr-defined]


def stood(obj: bpy.types.Object, rig: "Rig") -> "Rig":
    """A rig where it stood when the take was solved, the take being the world."""
    M = np.array(obj.poise_take.rig_in_take, dtype=np.float64).reshape(4, 4)  # type: ignore[attr-defined]
    return replace(rig, world=M)


def attach(obj: bpy.types.Object, rig: "Rig", body: BodyModel, calibration: Calibration) -> None:
    """Keep where the markers of a take's table sit on a rig that has the body's rest joints.

    Args:
        obj: the take.
        rig: of the body that it was solved onto.
        body: on which it was solved.
        calibration: of the solve.
    """
    take: Any = obj.poise_take
    on_skin = calibration.offsets.keys() & (placement_table().keys() | calibration.places.keys())  # not on fingers
    rows = [i for i, label in enumerate(take.labels) if label.marker in on_skin]
    markers = [take.labels[i].marker for i in rows]
    body = body.first_betas(len(calibration.betas))
    placed = place_markers(body, markers, calibration.places)
    offsets = np.array([calibration.offsets[marker] for marker in markers]).reshape(-1, 3)
    points = placed.points.with_offsets(offsets).with_betas(np.asarray(calibration.betas, dtype=float))
    kept = np.full((len(take.labels), 3 + points.weights.shape[1]), np.nan, np.float32)
    kept[rows, :3] = np.asarray(points.rest) @ rig.axes.T / rig.scale
    kept[rows, 3:] = np.asarray(points.weights)
    take.attached = kept.tobytes()


def detach(obj: bpy.types.Object) -> None:
    """Forget where the markers sit."""
    obj.poise_take.attached = b""  # type: ignore[attr-defined]


def places_now(obj: bpy.types.Object, rig: bpy.types.Object) -> np.ndarray | None:
    """Where the bones of a rig now carry the markers (P, 3) of a take, in the world; NaN for those that it does not.

    None where nothing is attached. Asked at every drawing.
    """
    take: Any = obj.poise_take
    kept, n = take.attached, 4 * len(take.labels)
    if not kept or len(kept) % n:
        return None
    armature: Any = rig.data
    names = tuple(armature.bones.keys())
    all_rest = bone_matrices(armature.bones, "matrix_local", names)
    bones, rest, weights, inverse = _prepared(kept, len(kept) // n, names, all_rest.tobytes())
    if not bones:
        return None
    pose: Any = rig.pose
    skin = bone_matrices(pose.bones, "matrix", bones) @ inverse
    skin = np.array(rig.matrix_world) @ np.tensordot(weights, skin, 1)
    return (skin[:, :3, :3] @ rest[:, :, None])[..., 0] + skin[:, :3, 3]


@lru_cache(maxsize=16)
def _prepared(
    kept: bytes, columns: int, names: tuple[str, ...], matrices: bytes
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, np.ndarray]:
    """Bones (J), places at rest (P, 3), weights (P, J) and the bones' inverse rest matrices (J, 4, 4).

    No bones where the rig lacks one of them.
    """
    table = np.frombuffer(kept, np.float32).reshape(-1, columns).astype(np.float64)
    found = bones_of_joints(names)
    bones = tuple(found.get(joint, "") for joint in JOINTS[: columns - 3])
    if "" in bones:
        return (), table, table, table
    all_rest = np.frombuffer(matrices).reshape(-1, 4, 4)
    inverse = np.linalg.inv(all_rest[[names.index(bone) for bone in bones]])
    return bones, table[:, :3], table[:, 3:], inverse
