# SPDX-License-Identifier: Apache-2.0
"""From MakeHuman's rig to the 55 joints of SMPL-X: where the joints sit and which joint each vertex follows."""

import numpy as np

from vendor_core.skeleton import JOINTS, MIRROR

from .makehuman import MakeHuman

_SIDES = {"left": "L", "right": "R"}
_FINGERS = {"thumb": 1, "index": 2, "middle": 3, "ring": 4, "pinky": 5}
_JAW_BONES = ("jaw", "special04", "oris02", "oris01", "oris06.L", "oris07.L", "oris06.R", "oris07.R")

# The reference skeleton of the motion pack, parent to child in metres, first 22 joints: limbs rest along it, so that a
# pose's rotations carry over.
REFERENCE_OFFSETS = np.array([
    [0, 0, 0], [0.059, -0.086, -0.016], [-0.059, -0.086, -0.016], [0, 0.124, -0.038], [0.043, -0.385, 0.002],
    [-0.043, -0.385, 0.002], [0, 0.138, 0.027], [-0.017, -0.423, -0.036], [0.017, -0.423, -0.036], [0, 0.056, 0.003],
    [0.038, -0.061, 0.126], [-0.038, -0.061, 0.126], [0, 0.212, -0.033], [0.077, 0.113, -0.021],
    [-0.077, 0.113, -0.021], [0, 0.089, 0.05], [0.118, 0.046, -0.014], [-0.118, 0.046, -0.014],
    [0.258, -0.015, -0.027], [-0.258, -0.015, -0.027], [0.267, 0.01, -0.007], [-0.267, 0.01, -0.007],
])  # fmt: skip

# A joint is a blend of heads of MakeHuman's bones, plus an offset in metres. The hips lie well inside the outline and
# the spine's joints are spread as the reference's, the upper ones set back into the vertebrae.
_MIDDLE_BLENDS: dict[str, dict[str, float]] = {
    "pelvis": {"spine05": 0.5, "spine03": 0.5},
    "spine1": {"spine03": 0.45, "spine02": 0.55},
    "spine2": {"spine02": 0.3, "spine01": 0.7},
    "spine3": {"spine01": 0.9, "neck01": 0.1},
    "neck": {"neck01": 0.6, "neck02": 0.4},
    "head": {"head": 1.0},
    "jaw": {"jaw": 1.0},
}
_SIDE_BLENDS: dict[str, dict[str, float]] = {
    "hip": {"upperleg01": 0.82, "opposite upperleg01": 0.18},
    "knee": {"lowerleg01": 1.0},
    "ankle": {"foot": 1.0},
    "foot": {"toe1-1": 0.25, "toe2-1": 0.25, "toe3-1": 0.25, "toe4-1": 0.25},
    "collar": {"clavicle": 0.6, "shoulder01": 0.4},
    "shoulder": {"upperarm01": 1.0},
    "elbow": {"lowerarm01": 1.0},
    "wrist": {"wrist": 1.0},
    "eye_smplhf": {"eye": 1.0},
}
_OFFSETS: dict[str, tuple[float, float, float]] = {
    "pelvis": (0, 0, 0.012),
    "neck": (0, 0, -0.018),
    "head": (0, 0, -0.01),
    "collar": (0, 0, -0.015),
    "foot": (0, -0.008, 0),
}

_SOFT = ("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar", "left_shoulder", "right_shoulder",
         "left_hip", "right_hip")  # fmt: skip
_ROUNDS = 6


def joint_offsets() -> np.ndarray:
    """(55, 3) metres, added to what `joint_matrix` gives."""
    return np.array([_OFFSETS.get(name.split("_", 1)[-1], (0, 0, 0)) for name in JOINTS], dtype=float)


def joint_matrix(source: MakeHuman) -> np.ndarray:
    """Dense (55, N): joints = matrix @ vertices + joint_offsets(), for every shape of the A-posed base mesh."""
    rows = np.zeros((len(JOINTS), len(source.mesh.vertices)))
    for name, blend in _MIDDLE_BLENDS.items():
        rows[JOINTS.index(name)] = sum(share * _bone_head(source, bone) for bone, share in blend.items())
    for side, letter in _SIDES.items():
        opposite = "R" if letter == "L" else "L"
        blends = _SIDE_BLENDS | {f"{f}{i}": {f"finger{n}-{i}": 1.0} for f, n in _FINGERS.items() for i in (1, 2, 3)}
        for name, blend in blends.items():
            for bone, share in blend.items():
                end = opposite if bone.startswith("opposite ") else letter
                head = _bone_head(source, f"{bone.removeprefix('opposite ')}.{end}")
                rows[JOINTS.index(f"{side}_{name}")] += share * head
    return 0.5 * (rows + rows[np.array(MIRROR)][:, source.mirror])


def _bone_head(source: MakeHuman, bone: str) -> np.ndarray:
    head = source.rig[bone]["head"]
    row = np.zeros(len(source.mesh.vertices))
    match head["strategy"]:
        case "CUBE":
            members = source.mesh.groups[head["cube_name"]]
        case "VERTEX":
            members = np.array([head["vertex_index"]])
        case _:
            members = np.array(head["vertex_indices"])
    row[members] = 1 / len(members)
    return row


def skin_weights(source: MakeHuman, joints: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Weights (N, 55) for the A pose, not yet limited to four influences.

    Limbs, hands and head follow MakeHuman's bones; the trunk is blended anew along the spine, because the joints of
    the spine sit elsewhere.
    """
    weights = np.zeros((len(source.mesh.vertices), len(JOINTS)))
    for bone, pairs in source.weights.items():
        members, values = zip(*pairs, strict=True) if pairs else ((), ())
        np.add.at(weights[:, JOINTS.index(_joint_of(source, bone))], list(members), list(values))
    for side, letter in _SIDES.items():
        eye = source.mesh.groups[f"helper-{letter.lower()}-eye"]
        weights[eye] = 0
        weights[eye, JOINTS.index(f"{side}_eye_smplhf")] = 1
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-9)
    _blend_trunk(weights, joints, vertices)
    _smooth_girdles(weights, source.mesh.quads)
    return 0.5 * (weights + weights[source.mirror][:, MIRROR])


def _joint_of(source: MakeHuman, bone: str) -> str:
    if bone in _JAW_BONES or bone.startswith("tongue"):
        return "jaw"
    named = _joint_by_bone()
    while bone not in named:
        bone = source.rig[bone]["parent"]
    return named[bone]


def _joint_by_bone() -> dict[str, str]:
    named = {"root": "pelvis", "spine05": "pelvis", "spine04": "pelvis", "spine03": "spine1", "spine02": "spine2"}
    named |= {"spine01": "spine3", "breast.L": "spine3", "breast.R": "spine3", "neck01": "neck", "head": "head"}
    for side, letter in _SIDES.items():
        named |= {
            f"{bone}.{letter}": f"{side}_{joint}"
            for bone, joint in (
                ("upperleg01", "hip"), ("lowerleg01", "knee"), ("foot", "ankle"), ("clavicle", "collar"),
                ("shoulder01", "collar"), ("upperarm01", "shoulder"), ("lowerarm01", "elbow"), ("wrist", "wrist"),
                ("eye", "eye_smplhf"),
            )
        }  # fmt: skip
        named |= {f"toe{k}-1.{letter}": f"{side}_foot" for k in range(1, 6)}
        named |= {f"finger{n}-{i}.{letter}": f"{side}_{f}{i}" for f, n in _FINGERS.items() for i in (1, 2, 3)}
    return named


def _blend_trunk(weights: np.ndarray, joints: np.ndarray, vertices: np.ndarray) -> None:
    """Share the trunk's weight among pelvis and spine by height, each joint's turn eased in over a band."""
    names = ("pelvis", "spine1", "spine2", "spine3")
    columns = [JOINTS.index(name) for name in names]
    trunk = weights[:, columns].sum(1)
    half_bands = (0.11, 0.11, 0.11)
    height = vertices[:, 1]
    turned = [np.ones(len(height))]
    for name, half in zip(names[1:], half_bands, strict=True):
        x = np.clip((height - joints[JOINTS.index(name), 1] + half) / (2 * half), 0, 1)
        turned.append(x * x * (3 - 2 * x))
    turned.append(np.zeros(len(height)))
    for column, here, above in zip(columns, turned[:-1], turned[1:], strict=True):
        weights[:, column] = trunk * (here - above)


def _smooth_girdles(weights: np.ndarray, quads: np.ndarray) -> None:
    """Ease the weights about shoulders and hips by a few rounds of averaging over the mesh's edges."""
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])  # each edge once from either side
    count = np.bincount(edges[:, 0], minlength=len(weights))
    soft = weights[:, [JOINTS.index(name) for name in _SOFT]].sum(1) > 0.3
    moved = soft & (count > 0)
    for _ in range(_ROUNDS):
        average = np.zeros_like(weights)
        np.add.at(average, edges[:, 0], weights[edges[:, 1]])
        weights[moved] = 0.5 * weights[moved] + 0.5 * average[moved] / count[moved, None]


def limit_influences(weights: np.ndarray, most: int = 4, steps: int = 1024) -> np.ndarray:
    """Weights (V, J) with at most `most` influences, each a multiple of 1/steps, rows summing to exactly one.

    Of a left and a right joint that weigh the same neither is dropped alone: the middle of the body stays symmetric.
    """
    kept = np.argsort(-weights, axis=1, kind="stable")[:, :most]
    first_dropped = -np.partition(-weights, most, axis=1)[:, most, None]
    values = np.take_along_axis(weights, kept, axis=1)
    values[values < first_dropped + 1e-9] = 0
    values = np.round(values / values.sum(1, keepdims=True) * steps)
    values[:, 0] += steps - values.sum(1)
    limited = np.zeros_like(weights)
    np.put_along_axis(limited, kept, values / steps, axis=1)
    return limited
