# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses that the prior makes for a rig, where some bones must stay: from the present pose to the pose to show."""

from collections.abc import Iterable
from dataclasses import dataclass

import bpy
import numpy as np

from ....vendor_core.body.patches import default_patches
from ....vendor_core.prior import AutoEncoder
from ....vendor_core.prior.plausibility import Plausibility
from ....vendor_core.skeleton import JOINTS, N_BODY
from ...prior_choice import critic_named, prior_named
from ..convert import Pose, Rig, upright
from ..pose import lowest_point, read_pose, read_rig
from .allowed import allowed_bones, kept_joints, selected_bones
from .showing import full_pose, show_pose


@dataclass(frozen=True)
class Given:
    """What a pose is generated from."""

    rig: Rig
    now: Pose  # one frame
    prior: AutoEncoder
    plausibility: Plausibility
    kept: np.ndarray  # (21,) joints of the body that stay
    allowed: np.ndarray  # (n,) bones of the rig that may change

    @property
    def body(self) -> np.ndarray:
        """The present pose (21, 3, 3) of the body, without the root."""
        return self.now.R_local[0, 1:N_BODY]


def read_given(context: bpy.types.Context, obj: bpy.types.Object, prior: str, lock: Iterable[str], bones: str) -> Given:
    """The present pose of a rig, and what may change of it.

    Args:
        context: of the operator.
        obj: the armature object.
        prior: its key, as of `prior_choice`.
        lock: groups of joints that stay.
        bones: as of `allowed_bones`.

    Raises:
        PoiseError: the rig or the file does not fit, or no bone is selected where only those may change.
    """
    context.view_layer.update()  # of what a script has just set
    rig = read_rig(obj)
    selected = selected_bones(context, obj)
    kept = kept_joints(rig, lock, bones, selected)
    allowed = allowed_bones(rig, lock, bones, selected)
    return Given(rig, read_pose(obj, rig), prior_named(prior), critic_named(prior), kept, allowed)


def whole_pose(given: Given, R: np.ndarray, root: str, hands: str) -> Pose:
    """Poses of all joints, F frames, from the body's R (F, 21, 3, 3); what may not change is what it was.

    Args:
        given: the present pose.
        R: without the root.
        root: "UPRIGHT" turns it upright; else it stays.
        hands: as of `full_pose`; "KEEP" leaves the fingers as they are.
    """
    R_root = upright(given.now.R_local[:, 0]) if root == "UPRIGHT" else given.now.R_local[:, 0]
    R_body = np.concatenate([np.broadcast_to(R_root[:, None], (len(R), 1, 3, 3)), R], axis=1)
    new = full_pose(R_body, np.repeat(given.now.trans, len(R), axis=0), hands).R_local
    changes = np.zeros(len(JOINTS), dtype=bool)
    changes[given.rig.joints[given.allowed]] = True
    if hands == "KEEP":
        changes[N_BODY:] = False
    return Pose(np.where(changes[:, None, None], new, given.now.R_local), np.repeat(given.now.trans, len(R), axis=0))


def show_whole_pose(
    context: bpy.types.Context, obj: bpy.types.Object, given: Given, pose: Pose, root: str, hands: str
) -> None:
    """Write one of these poses onto the bones that it changes; all others keep their channels to the bit.

    Args:
        context: of the operator.
        obj: the armature object.
        given: what `read_given` gave for it.
        pose: one frame.
        root: "UPRIGHT" puts the lowest point of the body at height zero, "HEIGHT" where it is now, "KEEP" neither.
        hands: "KEEP" leaves the fingers.
    """
    turned = (pose.R_local[0] != given.now.R_local[0]).any(axis=(-1, -2))[given.rig.joints]
    turned[0] |= root == "UPRIGHT" or (root == "HEIGHT" and bool(turned.any()))  # the pelvis: it is moved
    changed = {bone for bone, turns in zip(given.rig.bones, turned & given.allowed, strict=True) if turns}
    ground = {"UPRIGHT": 0.0, "HEIGHT": lowest_point(context, obj) if changed else 0.0}.get(root)
    show_pose(context, obj, given.rig, pose, hands != "KEEP", ground, changed)


def grounded(context: bpy.types.Context, obj: bpy.types.Object, given: Given, poses: Pose, root: str) -> Pose:
    """F poses (`whole_pose`) with their pelvis raised so that all stand as `root` says, as of `show_whole_pose`.

    The lowest point is that of the default skin's patches on the rig's joints: to a few millimetres, and at once.
    """
    if root == "KEEP" or not given.allowed[0]:
        return poses
    now = lowest_patches(given.rig, given.now)
    wanted = now if root == "HEIGHT" else now - lowest_point(context, obj)  # patches lie a little inside the skin
    rise = wanted - lowest_patches(given.rig, poses)
    return Pose(poses.R_local, poses.trans + rise[:, None] * (0, 0, 1))


def lowest_patches(rig: Rig, poses: Pose) -> np.ndarray:
    """World heights (F,), metres, of the lowest patches of the default skin on a rig's joints."""
    rest = rig.rest_joints()
    points = default_patches().points(poses.R_local[:, 1:N_BODY], rest) - rest[0]  # (P, F, 3) from the pelvis
    return (points * poses.R_local[:, 0, 2]).sum(-1).min(0) + rest[0, 2] + poses.trans[:, 2]
