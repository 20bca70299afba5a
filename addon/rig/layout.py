# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the bones of a new rig lie: heads at the joints, tails along the limbs, rolls that bend about a bone's X."""

from dataclasses import dataclass

import numpy as np

from ...vendor_core.rotations import Y_UP_TO_Z_UP

# Of several children, the one that the bone points at.
_MAIN_CHILD = {"pelvis": "spine1", "spine3": "neck", "left_wrist": "left_middle1", "right_wrist": "right_middle1"}
# Leaves point along one of SMPL's axes (left, up, front), as long as this many metres.
_LEAVES = {
    "head": ((0, 1, 0), 0.16), "jaw": ((0, -0.5, 1), 0.06),
    "left_eye_smplhf": ((0, 0, 1), 0.03), "right_eye_smplhf": ((0, 0, 1), 0.03),
    "left_foot": ((0, -0.2, 1), 0.07), "right_foot": ((0, -0.2, 1), 0.07),
    "left_hand": ((1, 0, 0), 0.08), "right_hand": ((-1, 0, 0), 0.08),
    "left_wrist": ((1, 0, 0), 0.08), "right_wrist": ((-1, 0, 0), 0.08),
}  # fmt: skip
_LAST_PHALANX = 0.8  # of the phalanx before it
_SHORTEST = 0.01  # metres: Blender deletes bones without length


@dataclass(frozen=True)
class BoneLayout:
    """Bones of J joints in the armature's axes (Blender's, Z up), metres."""

    heads: np.ndarray  # (J, 3)
    directions: np.ndarray  # (J, 3) unit
    lengths: np.ndarray  # (J,)
    rolls: np.ndarray  # (J, 3) directions that the bones' Z axes are turned to


def bone_layout(names: tuple[str, ...], parents: tuple[int, ...], joints: np.ndarray) -> BoneLayout:
    """Lay out bones at rest joints (J, 3), given in SMPL's axes, metres."""
    directions = np.empty_like(joints)
    lengths = np.empty(len(names))
    for j, name in enumerate(names):
        child = _main_child(j, names, parents)
        if child is not None:
            step = joints[child] - joints[j]
        elif name in _LEAVES:
            axis, length = _LEAVES[name]
            step = length * np.array(axis) / np.linalg.norm(axis)
        else:
            step = _LAST_PHALANX * (joints[j] - joints[parents[j]])
        lengths[j] = max(float(np.linalg.norm(step)), _SHORTEST)
        directions[j] = step / max(float(np.linalg.norm(step)), 1e-9)
    rolls = np.where(np.abs(directions[:, 2:]) > 0.7, [0.0, 1.0, 0.0], [0.0, 0.0, 1.0])
    return BoneLayout(joints @ Y_UP_TO_Z_UP.T, directions @ Y_UP_TO_Z_UP.T, lengths, rolls @ Y_UP_TO_Z_UP.T)


def _main_child(j: int, names: tuple[str, ...], parents: tuple[int, ...]) -> int | None:
    children = [k for k, parent in enumerate(parents) if parent == j]
    main = _MAIN_CHILD.get(names[j])
    if main in names:
        return names.index(main)
    return children[0] if len(children) == 1 and names[j] not in _LEAVES else None
