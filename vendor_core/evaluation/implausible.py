# SPDX-License-Identifier: Apache-2.0
"""Are broken poses told from real ones? Real poses against the same ones broken in four ways, by several scores."""

from collections.abc import Callable

import numpy as np

from ..linalg import one_blas_thread
from ..prior.base import Prior
from ..prior.plausibility import Plausibility
from ..rotations import exp_so3, log_so3, rotation_angle
from ..skeleton import BODY_JOINTS, N_POSE
from .data import SEED, EvaluationData
from .metrics import auc
from .neighbours import NearestPose

Score = Callable[[np.ndarray], np.ndarray]
"""Numbers (N,), the higher the less plausible, of poses R (N, 21, 3, 3)."""

POSES = 1000
_FEW = 8  # draws that show whether one latent is likelier than another
_ONE_JOINT, _ALL_JOINTS, _HYPER = (45.0, 90.0), 15.0, (20.0, 40.0)  # degrees
_HINGES = tuple(BODY_JOINTS.index(f"{side}_{joint}") - 1 for side in ("left", "right") for joint in ("knee", "elbow"))
_LEFT = tuple(j - 1 for j, name in enumerate(BODY_JOINTS) if name.startswith("left_"))


def implausible(
    prior: Prior, data: EvaluationData, n_poses: int = POSES, critic: Plausibility | None = None
) -> dict[str, dict[str, float]]:
    """How well a prior tells held-out poses from broken ones.

    Args:
        prior: the prior.
        data: the poses.
        n_poses: how many.
        critic: the prior's own, where it has one.

    Returns:
        For each kind of damage (`broken_poses`) the area under the ROC curve of each score: `plausibility`, the
        critic's; `density`, of the latent, where that differs; `reconstruction`, the largest angle of any joint from
        its reconstruction.
    """
    scores = {"reconstruction": _reconstruction(prior)}
    if len(np.unique(prior.log_density(prior.sample(_FEW, SEED)))) > 1:  # a sphere's is the same everywhere
        scores = {"density": _density(prior)} | scores
    if critic is not None:
        scores = {"plausibility": lambda R: -critic.score(R)} | scores
    return areas(data, scores, n_poses)


def implausible_by_density(prior: Prior, data: EvaluationData, n_poses: int = POSES) -> dict[str, dict[str, float]]:
    """The same for the density alone, of priors that lose nothing between encoding and decoding."""
    return areas(data, {"density": _density(prior)}, n_poses)


def implausible_by_neighbours(data: EvaluationData, n_poses: int = POSES) -> dict[str, dict[str, float]]:
    """The same for the distance to the nearest training pose, which needs no prior: `nearest`."""
    return areas(data, {"nearest": NearestPose(data, data.train.R).distances}, n_poses)


@one_blas_thread
def areas(data: EvaluationData, scores: dict[str, Score], n_poses: int = POSES) -> dict[str, dict[str, float]]:
    """For each kind of damage the area under the ROC curve (0.5: chance, 1: all are told apart) of each score."""
    R = data.some(n_poses).astype(np.float64)
    real = {name: score(R) for name, score in scores.items()}
    return {
        damage: {name: auc(real[name], score(broken)) for name, score in scores.items()}
        for damage, broken in broken_poses(R, data.train.R).items()
    }


def broken_poses(R: np.ndarray, R_train: np.ndarray, seed: int = SEED) -> dict[str, np.ndarray]:
    """Poses (N, 21, 3, 3) broken in four ways.

    Args:
        R: the poses.
        R_train: poses (M, 21, 3, 3) that show which way knees and elbows bend.
        seed: decides joints, axes and angles.

    Returns:
        `one_joint`: one joint of each turned by 45 to 90 degrees. `all_joints`: all by 15 degrees. `hyper_extended`:
        one knee or elbow bent the wrong way by 20 to 40 degrees. `swapped`: the left limbs of another pose.
    """
    rng, n = np.random.default_rng(seed), len(R)
    rows = np.arange(n)
    one = R.copy()
    which = rng.integers(N_POSE, size=n)
    one[rows, which] = one[rows, which] @ exp_so3(_axes(rng, (n,)) * np.radians(rng.uniform(*_ONE_JOINT, (n, 1))))
    every = R @ exp_so3(_axes(rng, (n, N_POSE)) * np.radians(_ALL_JOINTS))
    hyper, hinge = R.copy(), rng.integers(len(_HINGES), size=n)
    bend = _bending_axes(R_train)[hinge]
    hyper[rows, np.array(_HINGES)[hinge]] = exp_so3(-bend * np.radians(rng.uniform(*_HYPER, (n, 1))))
    swapped = R.copy()
    swapped[:, _LEFT] = np.roll(R, 1, axis=0)[:, _LEFT]
    return {"one_joint": one, "all_joints": every, "hyper_extended": hyper, "swapped": swapped}


def _bending_axes(R: np.ndarray) -> np.ndarray:
    """Unit axes (4, 3) about which knees and elbows bend: they bend one way, so the mean rotation shows it."""
    mean = log_so3(np.asarray(R[:, _HINGES], dtype=np.float64)).mean(0)
    return mean / np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), 1e-9)


def _axes(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Unit vectors (*shape, 3), no direction preferred."""
    v = rng.normal(size=(*shape, 3))
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def _reconstruction(prior: Prior) -> Score:
    return lambda R: rotation_angle(np.swapaxes(prior.decode(prior.encode(R)), -1, -2) @ R).max(-1)


def _density(prior: Prior) -> Score:
    return lambda R: -prior.log_density(prior.encode(R))
