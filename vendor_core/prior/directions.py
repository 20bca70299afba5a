# SPDX-License-Identifier: Apache-2.0
"""Directions of a prior's latent space that each do one thing to the body, with names that say which.

Of drawn poses z with joint positions x, the reduced-rank regression of x on z (Izenman, 1975) gives the few directions
that explain most of where joints are; the varimax rotation (Kaiser, 1958), with the three coordinates of a joint taken
together, turns them so that each moves few joints far. A direction is named after the limb that it moves most and the
way in which its end goes; its sign is such that the name holds for positive steps.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..body.kinematics import joint_tree
from ..linalg import one_blas_thread
from ..rotations import exp_so3, log_so3
from ..skeleton import BODY_JOINTS, BODY_PARENTS, N_BODY
from .base import Prior

COUNT = 10
_DRAWS, _SEED = 4000, 0
_ROUNDS = 300  # of varimax; it stands still after a third of them
_BOTH = 0.5  # of the limb that moves most: a limb that moves more is named too
_LIMBS = {  # joints of each, the end last, and the joint against which they move
    "Left Arm": (("left_elbow", "left_wrist"), "left_shoulder"),
    "Right Arm": (("right_elbow", "right_wrist"), "right_shoulder"),
    "Left Leg": (("left_knee", "left_ankle"), "pelvis"),
    "Right Leg": (("right_knee", "right_ankle"), "pelvis"),
    "Upper Body": (("spine3", "head"), "pelvis"),
}
_SPECIAL = {"Legs Up": "Crouch", "Upper Body Forward": "Lean Forward", "Upper Body Out": "Lean Left"}
_ORDER = ("Crouch", "Lean Forward", "Lean Left", *_LIMBS)


@dataclass(frozen=True)
class Directions:
    """K directions of a latent space."""

    names: tuple[str, ...]
    steps: np.ndarray  # (K, L): a unit is a standard deviation of drawn poses


@dataclass(frozen=True)
class SliderBase:
    """The pose that sliders along directions start from, as a latent and what it misses of the pose."""

    z: np.ndarray  # (L,)
    missed: np.ndarray  # (21, 3) radians

    def posed(self, prior: Prior, directions: Directions, values: np.ndarray) -> np.ndarray:
        """The poses (..., 21, 3, 3) at values (..., K) of the sliders."""
        return prior.decode(self.z + values @ directions.steps) @ exp_so3(self.missed)


def slider_base(prior: Prior, directions: Directions, R: np.ndarray, values: np.ndarray) -> SliderBase:
    """The base from which sliders at values (K,) give the pose R (21, 3, 3)."""
    z = prior.encode(R)
    missed = log_so3(np.swapaxes(prior.decode(z), -1, -2) @ R)
    return SliderBase(z - values @ directions.steps, missed)


@lru_cache(maxsize=4)
@one_blas_thread
def principal_directions(prior: Prior, count: int = COUNT) -> Directions:
    """The directions of a prior that move joints most; the same at every call."""
    z = prior.sample(_DRAWS, _SEED)
    x = _positions(prior, z)
    z, x = z - z.mean(0), x - x.mean(0)
    root = np.linalg.cholesky(np.cov(z.T))
    whitened = np.linalg.solve(root, z.T)
    effect = whitened @ x / len(x)  # (L, 66) of a standard deviation along each axis
    axes = np.linalg.svd(effect, full_matrices=False)[0][:, :count]
    axes = axes @ _varimax((axes.T @ effect).reshape(count, N_BODY, 3))
    named = [_named((axis @ effect).reshape(N_BODY, 3)) for axis in axes.T]
    order = sorted(range(count), key=lambda k: _rank(named[k][0]))
    steps = np.array([named[k][1] * root @ axes[:, k] for k in order])
    return Directions(_told_apart([named[k][0] for k in order]), steps)


def _positions(prior: Prior, z: np.ndarray) -> np.ndarray:
    """Joint positions (N, 66), metres, of latents (N, L) with the pelvis at rest."""
    R = prior.decode(z)
    tree = joint_tree(BODY_PARENTS)
    G = tree.global_rotations(np.concatenate([np.broadcast_to(np.eye(3), (len(R), 1, 3, 3)), R], axis=1))
    return tree.positions(G, prior.rest_joints, np.zeros(3)).reshape(len(R), -1)


def _varimax(effects: np.ndarray) -> np.ndarray:
    """The rotation (K, K) after which effects (K, J, 3) of K directions each move few of J joints."""
    count, joints = effects.shape[:2]
    flat = effects.reshape(count, -1)
    turn = np.eye(count)
    for _ in range(_ROUNDS):
        turned = turn.T @ flat
        energy = (turned.reshape(count, joints, 3) ** 2).sum(-1)
        gradient = flat @ (turned * np.repeat(energy - energy.mean(1, keepdims=True), 3, axis=1)).T
        U, _, Vt = np.linalg.svd(gradient)
        turn = U @ Vt
    return turn


def _named(moves: np.ndarray) -> tuple[str, int]:
    """The name of a direction that moves joints by (22, 3), and the sign with which it holds."""
    at = {name: i for i, name in enumerate(BODY_JOINTS)}
    relative = {
        limb: np.array([moves[at[joint]] - moves[at[against]] for joint in joints])
        for limb, (joints, against) in _LIMBS.items()
    }
    energy = {limb: float((steps**2).sum()) for limb, steps in relative.items()}
    most = max(energy, key=lambda limb: energy[limb])
    limbs = [limb for limb in energy if energy[limb] > _BOTH * energy[most]]
    side, part = most.split(" ")
    other = f"{'Right' if side == 'Left' else 'Left'} {part}"
    chosen = [most, other] if side != "Upper" and other in limbs else [most]
    out = np.mean([relative[limb][-1] * (-1 if limb.startswith("Right") else 1, 1, 1) for limb in chosen], axis=0)
    way = int(np.argmax(np.abs(out)))
    name = f"{most if len(chosen) == 1 else f'{part}s'} {('Out', 'Up', 'Forward')[way]}"
    return _SPECIAL.get(name, name), 1 if out[way] > 0 else -1


def _rank(name: str) -> tuple[int, str]:
    first = next((i for i, start in enumerate(_ORDER) if name.startswith(start)), len(_ORDER))
    return first, name


def _told_apart(names: list[str]) -> tuple[str, ...]:
    """Names of which none is there twice: a number follows the second and later ones."""
    return tuple(
        name if name not in names[:i] else f"{name} {names[: i + 1].count(name)}" for i, name in enumerate(names)
    )
