# SPDX-License-Identifier: Apache-2.0
"""What the solver solves for: rotations, the latent that explains them, translation and shape.

Rotations are free; the prior pulls each body joint to `decode(z)` and z to its centre (`prior_pull`). So a pose is
never limited to what the prior can say, and what moves points is the pose alone.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ..arrays import Array, as_kind, namespace
from ..linalg import matvec
from ..prior.base import Prior
from ..rotations import small_turn
from ..skeleton import N_BODY, joint_index
from .bones import Bones, Kinematics, posed


@dataclass(frozen=True)
class Unknowns:
    """What a solve may change; all else stays exactly as it was."""

    latent: bool = True  # the z that the prior explains the pose by
    residual: bool = True  # rotations other than the prior's
    orientation: bool = True
    translation: bool = True
    betas: bool = False  # of each frame on its own
    locked: tuple[str, ...] = ()  # names of joints that keep their rotation relative to the parent

    def mask(self, joints: tuple[str, ...], n_betas: int) -> np.ndarray:
        """(T,) 1 where a number of the body tangent may change, else 0.

        Args:
            joints: J names of the joints that are solved; bodies without a face count fingers in another way.
            n_betas: B.

        Raises:
            TargetError: a locked joint that does not exist.
        """
        turning = np.ones((len(joints), 3))
        for name in self.locked:
            if name in joints:
                turning[joints.index(name)] = 0
            else:
                joint_index(name)  # one that is not solved moves with its parent anyway; one that is none is refused
        if not self.orientation:
            turning[0] = 0
        rest = [np.full(3, float(self.translation)), np.full(n_betas, float(self.betas))]
        return np.concatenate([turning.reshape(-1), *rest])


@dataclass(frozen=True)
class PoseState:
    """The unknowns of F frames."""

    R_local: Array  # (F, J, 3, 3), the root's world orientation first
    trans: Array  # (F, 3) metres
    z: Array  # (F, L)
    betas: Array  # (F, B), B may be 0

    def __len__(self) -> int:
        return self.z.shape[0]

    def take(self, rows: Array) -> "PoseState":
        """The frames of an index array."""
        return PoseState(*(getattr(self, f.name)[rows] for f in fields(self)))

    def put(self, rows: Array, other: "PoseState") -> "PoseState":
        """These frames with those of an index array replaced by the other's."""
        xp = namespace(self.z)
        arrays = [xp.asarray(getattr(self, f.name), copy=True) for f in fields(self)]
        for array, f in zip(arrays, fields(self), strict=True):
            array[rows] = getattr(other, f.name)
        return PoseState(*arrays)

    def where(self, mask: Array, other: "PoseState") -> "PoseState":
        """These frames where the mask (F,) is true, the other's elsewhere."""
        xp = namespace(self.z)
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return PoseState(*(xp.where(xp.reshape(mask, (-1, *[1] * (a.ndim - 1))), a, b) for a, b in pairs))

    def changed(self, **arrays: Any) -> "PoseState":
        return replace(self, **arrays)

    def like(self, example: Array) -> "PoseState":
        """This state with arrays of the kind, dtype and device of the example."""
        return PoseState(*(as_kind(getattr(self, f.name), example) for f in fields(self)))

    def on(self, bones: Bones) -> Kinematics:
        """The joints in the world."""
        return posed(bones, self.R_local, self.trans, self.betas if self.betas.shape[1] else None)

    def moved(self, step: Array, dz: Array, pose: Kinematics) -> "PoseState":
        """The state after a step (F, T) of the body tangent and one (F, L) of the latent.

        Args:
            step: see `kinematic_jacobian`; angular velocities are in world axes.
            dz: of the latent.
            pose: the joints at this state.
        """
        xp, n = namespace(step), 3 * len(pose.bones)
        u = xp.reshape(step[:, :n], (-1, n // 3, 3))
        R = self.R_local @ small_turn(matvec(xp.matrix_transpose(pose.G), u))
        betas = self.betas + step[:, n + 3 :] if self.betas.shape[1] else self.betas
        return PoseState(R, self.trans + step[:, n : n + 3], self.z + dz, betas)

    def keeping(self, unknowns: Unknowns, bones: Bones, before: "PoseState") -> "PoseState":
        """These frames with what may not change as it was before."""
        mask = unknowns.mask(bones.names, 0)
        kept = np.flatnonzero(mask[: 3 * len(bones)].reshape(-1, 3)[:, 0] == 0)
        trans = self.trans if unknowns.translation else before.trans
        if not len(kept):
            return replace(self, trans=trans)
        R_local = namespace(self.z).asarray(self.R_local, copy=True)
        R_local[:, kept] = before.R_local[:, kept]
        return replace(self, R_local=R_local, trans=trans)

    def orthonormal(self) -> "PoseState":
        """The state with rounding errors of its rotations removed, by a step of Newton and Schulz."""
        R = self.R_local
        return replace(self, R_local=1.5 * R - 0.5 * R @ (namespace(R).matrix_transpose(R) @ R))


def rest_state(prior: Prior, n_frames: int, n_betas: int, example: Array, n_joints: int = N_BODY) -> PoseState:
    """F frames in the prior's ordinary pose, upright at the origin, in the kind and dtype of the example."""
    z = np.tile(prior.centre, (n_frames, 1))
    return explained(prior, z, np.broadcast_to(np.eye(3), (n_frames, 3, 3)), n_betas, n_joints).like(example)


def explained(prior: Prior, z: np.ndarray, R_root: np.ndarray, n_betas: int = 0, n_joints: int = N_BODY) -> PoseState:
    """The poses (F) that the prior makes of latents z (F, L), turned by R_root (F, 3, 3), at the origin."""
    n_frames = len(z)
    more = np.broadcast_to(np.eye(3), (n_frames, n_joints - N_BODY, 3, 3))
    R = np.concatenate([R_root[:, None], prior.decode(z), more], axis=1)
    return PoseState(R, np.zeros((n_frames, 3)), z, np.zeros((n_frames, n_betas)))


def joined(parts: list[PoseState]) -> PoseState:
    """Sequences one after another."""
    xp = namespace(parts[0].z)
    return PoseState(*(xp.concat([getattr(p, name) for p in parts]) for name in ("R_local", "trans", "z", "betas")))
