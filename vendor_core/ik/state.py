# SPDX-License-Identifier: Apache-2.0
"""What the solver solves for, and how a small step of it moves the body.

Unknowns of a frame, in the order of a step: latent z, residual rotations delta (rotation vectors of the 21 body
joints, on top of the prior's), root orientation, translation, betas. Pose: `R_j = decode(z)_j exp(delta_j)`.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ..arrays import Array, as_kind, namespace
from ..prior.base import Prior
from ..rotations import exp_so3, exp_with_jacobian
from ..skeleton import N_POSE
from .kinematic_jacobian import N_TANGENT

_BLOCKS = np.arange(3 * N_POSE).reshape(N_POSE, 3)


@dataclass(frozen=True)
class Unknowns:
    """Which unknowns a solve may change, beside latent, root orientation and translation."""

    residual: bool = True
    betas: bool = False


@dataclass(frozen=True)
class PoseState:
    """The unknowns of F frames."""

    z: Array  # (F, L)
    delta: Array  # (F, 21, 3) radians
    R_root: Array  # (F, 3, 3) body to world
    trans: Array  # (F, 3) metres
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

    def rotations(self, prior: Prior) -> Array:
        """Local rotations (F, 22, 3, 3), the root's world orientation first."""
        xp = namespace(self.z)
        return xp.concat([self.R_root[:, None], prior.decode(self.z) @ exp_so3(self.delta)], axis=1)

    def vector(self, unknowns: Unknowns, anchor: Array | None) -> Array:
        """What regularisation pulls to zero, (F, D): latents from their anchor, residuals, betas; zero elsewhere."""
        xp = namespace(self.z)
        rigid = xp.zeros_like(self.R_root[:, :2, 0])
        parts = [self.z if anchor is None else self.z - anchor]
        if unknowns.residual:
            parts.append(xp.reshape(self.delta, (len(self), -1)))
        parts.extend([rigid, rigid, rigid])
        if unknowns.betas:
            parts.append(self.betas)
        return xp.concat(parts, axis=1)

    def moved(self, step: Array, unknowns: Unknowns) -> "PoseState":
        """The state after a step (F, D): rotations of the root from the left, in the world."""
        xp = namespace(step)
        n = self.z.shape[1]
        z, step = self.z + step[:, :n], step[:, n:]
        delta = self.delta
        if unknowns.residual:
            delta, step = delta + xp.reshape(step[:, : 3 * N_POSE], delta.shape), step[:, 3 * N_POSE :]
        betas = self.betas + step[:, 6:] if unknowns.betas else self.betas
        return PoseState(z, delta, exp_so3(step[:, :3]) @ self.R_root, self.trans + step[:, 3:6], betas)


def rest_state(prior: Prior, n_frames: int, n_betas: int, example: Array) -> PoseState:
    """F frames at the centre of the latent space, upright at the origin, in the kind and dtype of the example."""
    return PoseState(
        z=as_kind(np.zeros((n_frames, prior.latent_dim)), example),
        delta=as_kind(np.zeros((n_frames, N_POSE, 3)), example),
        R_root=as_kind(np.broadcast_to(np.eye(3), (n_frames, 3, 3)).copy(), example),
        trans=as_kind(np.zeros((n_frames, 3)), example),
        betas=as_kind(np.zeros((n_frames, n_betas)), example),
    )


def rotations_with_jacobian(state: PoseState, prior: Prior) -> tuple[Array, Array, Array]:
    """Local rotations (F, 22, 3, 3) and body-frame angular velocities of z, (F, 21, 3, L), and delta, (F, 21, 3, 3)."""
    xp = namespace(state.z)
    R, W = prior.decode_with_jacobian(state.z)
    E, delta_jacobian = exp_with_jacobian(state.delta)
    local = xp.concat([state.R_root[:, None], R @ E], axis=1)
    return local, xp.matrix_transpose(E) @ W, delta_jacobian


def tangent_map(W: Array, delta_jacobian: Array, G: Array, unknowns: Unknowns, n_betas: int) -> Array:
    """The matrix (F, 69 [+ B], D) that turns a step of the unknowns into a velocity of the body tangent."""
    xp = namespace(W)
    n_frames, n_latent = W.shape[0], W.shape[3]
    n_residual = 3 * N_POSE if unknowns.residual else 0
    n_rows = N_TANGENT + n_betas
    M = as_kind(np.zeros((n_frames, n_rows, n_latent + n_residual + 6 + n_betas)), W)
    M[:, 3 : 3 + 3 * N_POSE, :n_latent] = xp.reshape(G[:, 1:] @ W, (n_frames, 3 * N_POSE, n_latent))
    if unknowns.residual:
        M[:, _BLOCKS[:, :, None] + 3, _BLOCKS[:, None, :] + n_latent] = G[:, 1:] @ delta_jacobian
    eye, at = as_kind(np.eye(3 + n_betas), W), n_latent + n_residual
    M[:, :3, at : at + 3] = eye[:3, :3]
    M[:, 3 + 3 * N_POSE :, at + 3 :] = eye
    return M
