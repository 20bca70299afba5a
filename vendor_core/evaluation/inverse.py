# SPDX-License-Identifier: Apache-2.0
"""Inverse kinematics on held-out poses: what is seen is reached, what is not seen is found.

The body that is fitted made the targets. The pelvis is turned as it was captured, since initialisers are trained on
people who stand on the ground; errors are those of joints in the world.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..body import BodyModel
from ..ik import JointTargets, OrientationTargets, Solution, SurfaceTargets, Unknowns, solve
from ..ik.targets import Target
from ..linalg import one_blas_thread
from ..prior.base import Prior
from ..skeleton import BODY_JOINTS, N_BODY
from .data import SEED, EvaluationData
from .metrics import joint_error, mean_angle
from .timing import Stopwatch, milliseconds

Freedom = Literal["engine", "latent"]
Root = Literal["known", "free"]

EFFECTORS = ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
_ARM = ("left_shoulder", "left_elbow", "left_wrist")
_LEGS = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle", "foot"))
SEEN: dict[str, tuple[str, ...]] = {
    "joints_22": BODY_JOINTS,
    "effectors": EFFECTORS,
    "head_wrists": ("head", "left_wrist", "right_wrist"),
    "left_arm_unseen": tuple(name for name in BODY_JOINTS if name not in _ARM),
    "legs_unseen": tuple(name for name in BODY_JOINTS if name not in _LEGS),
}
"""The joints that each task shows."""
_MARKERS, _NOISE, _DROPPED = 41, 0.010, 0.2  # metres of noise along each axis; share of the markers unseen
_SURE = 0.01  # radians: sigma of a turn that is known
LATENT_ALONE = Unknowns(residual=False)
"""Poses that the prior can make, and no others."""


@dataclass(frozen=True)
class WholePoses:
    """N poses with their roots, on the body of the evaluation, the pelvis at rest."""

    R_local: np.ndarray  # (N, 22, 3, 3), the root's world orientation first
    joints: np.ndarray  # (N, 22, 3) metres

    def __len__(self) -> int:
        return len(self.R_local)


def whole_poses(data: EvaluationData, n: int) -> WholePoses:
    """n held-out poses, or as many as there are, the same ones whenever it is called."""
    rows = np.random.default_rng(SEED).permutation(len(data.held_out))[:n]
    held_out = data.held_out
    R = np.concatenate([held_out.R_root[rows, None], held_out.R[rows]], axis=1).astype(np.float64)
    return WholePoses(R, data.body.pose(R).joints[:, :N_BODY])


def inverse(
    prior: Prior, data: EvaluationData, freedom: Freedom = "engine", root: Root = "known", n_poses: int = 128
) -> dict[str, dict[str, float]]:
    """Solve held-out poses from parts of them, one after another.

    Args:
        prior: starts and completes the poses.
        data: the poses.
        freedom: "engine" for the solver as it ships, with rotations of its own beside the prior's; "latent" for the
            prior's poses alone.
        root: "known" where the pelvis' place and turn are targets, too, as in what others report; "free" where
            nothing but the task's own joints is seen.
        n_poses: how many.

    Returns:
        For each task `mm` (all joints from the truth), `seen_mm` and `unseen_mm` (those with and without a target),
        `deg` (the 21 joints' rotations), `ms_p50` and `ms_p95` of a pose.
    """
    poses = whole_poses(data, n_poses)
    tasks = {name: _joint_targets(poses, seen) for name, seen in SEEN.items()}
    tasks["markers_41"] = _marker_targets(data, poses)
    found = {}
    for name, targets in tasks.items():
        seen = SEEN.get(name, ())
        if root == "known":
            targets = [[*own, *pelvis] for own, pelvis in zip(targets, _pelvis_targets(poses), strict=True)]
            seen = (*seen, "pelvis") if seen else ()
        found[name] = _reach(prior, data.body, poses, targets, freedom, seen)
    return found


def _joint_targets(poses: WholePoses, seen: Sequence[str]) -> list[list[Target]]:
    columns = [BODY_JOINTS.index(name) for name in seen]
    return [[JointTargets(seen, joints[None, columns])] for joints in poses.joints]


def _pelvis_targets(poses: WholePoses) -> list[list[Target]]:
    return [
        [JointTargets(["pelvis"], joints[None, :1]), OrientationTargets(["pelvis"], R[None, :1], sigma=_SURE)]
        for R, joints in zip(poses.R_local, poses.joints, strict=True)
    ]


def _marker_targets(data: EvaluationData, poses: WholePoses) -> list[list[Target]]:
    """Points of the skin, noisy, some of them unseen."""
    rng = np.random.default_rng(SEED)
    vertices = marker_vertices(data.body, _MARKERS)
    places = data.body.pose(poses.R_local, vertices=vertices).vertices
    assert places is not None
    noisy = places + rng.normal(scale=_NOISE, size=places.shape)
    noisy[rng.random(noisy.shape[:2]) < _DROPPED] = np.nan
    return [[SurfaceTargets(vertices, one[None], sigma=_NOISE)] for one in noisy]


def marker_vertices(body: BodyModel, n: int) -> np.ndarray:
    """n vertices (n,) as markers sit: one to each bone in turn, hands and feet first, far from those before."""
    v, bone = np.asarray(body.v_template), np.asarray(body.weights).argmax(1)
    distance, chosen = np.linalg.norm(v - v.mean(0), axis=1), list[int]()
    for i in range(n):
        carried = np.flatnonzero(bone == N_BODY - 1 - i % N_BODY)  # fingers and face carry none
        chosen.append(int(carried[distance[carried].argmax()]))
        apart = np.linalg.norm(v - v[chosen[-1]], axis=1)
        distance = np.minimum(distance, apart) if i else apart
    return np.array(chosen)


@one_blas_thread
def _reach(
    prior: Prior,
    body: BodyModel,
    poses: WholePoses,
    targets: Sequence[list[Target]],
    freedom: Freedom,
    seen: Sequence[str],
) -> dict[str, float]:
    unknowns, watch, solved = LATENT_ALONE if freedom == "latent" else Unknowns(), Stopwatch(), list[Solution]()
    solve(body, prior, targets[0], unknowns)  # not timed: what is prepared once
    for target in targets:
        with watch:
            solved.append(solve(body, prior, target, unknowns))
    R = np.concatenate([one.R_local for one in solved])
    joints = body.pose(R, np.concatenate([one.trans for one in solved])).joints[:, :N_BODY]
    found = {"mm": joint_error(joints, poses.joints), "deg": mean_angle(R[:, 1:], poses.R_local[:, 1:])}
    columns = np.array([name in seen for name in BODY_JOINTS])
    for name, part in (("seen_mm", columns), ("unseen_mm", ~columns)):
        if seen and part.any():
            found[name] = joint_error(joints[:, part], poses.joints[:, part])
    return found | milliseconds(watch.seconds)
