# SPDX-License-Identifier: Apache-2.0
"""Points of the body that targets pull at: joints and surface points in one form.

A point is a set of skinning weights and a place in the rest pose. A joint is the point that rests at the joint and is
carried by it alone, so the solver and its Jacobian know one kind of point.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..arrays import Array, as_float64, as_kind
from ..body import BodyModel
from ..skeleton import N_BODY

N_BETAS = 10
"""Betas that a solve estimates: what later ones change, joints and markers cannot tell."""


def fitted_length(betas: np.ndarray, n: int) -> np.ndarray:
    """Betas (..., n) from betas (..., any number), cut or filled with zeros."""
    out = np.zeros((*betas.shape[:-1], n))
    n = min(n, betas.shape[-1])
    out[..., :n] = betas[..., :n]
    return out


@dataclass(frozen=True)
class BodyPoints:
    """P points of a body; everything in the rest frame, metres."""

    names: tuple[str, ...]
    rest: Array  # (P, 3) at zero betas
    weights: Array  # (P, 22) skinning weights over the body joints
    shape_dirs: Array  # (P, 3, B) movement per unit of each beta
    pose_dirs: Array | None  # (P, 3, 189) pose correctives, None where the body has none
    rest_joints: Array  # (22, 3) of the body the points lie on
    joint_shape_dirs: Array  # (22, 3, B)
    ancestors: Array  # (22, 22) 1 where the column's joint is the row's joint or its ancestor

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def influences(self) -> np.ndarray:
        """(P, K) the joints that carry each point, the heaviest first."""
        weights = as_float64(self.weights)
        n = max(1, int((weights > 1e-6).sum(1).max(initial=0)))
        return np.argsort(-weights, axis=1, kind="stable")[:, :n]

    @cached_property
    def influence_weights(self) -> Array:
        """(P, K) of the influences."""
        weights = as_float64(self.weights)
        return as_kind(np.take_along_axis(weights, self.influences, axis=1), self.rest)

    @cached_property
    def lever_weights(self) -> Array:
        """(P, 22, K): weight of influence k where joint j turns it, else 0."""
        ancestors = as_float64(self.ancestors)
        weights = as_float64(self.influence_weights)
        turned = np.swapaxes(ancestors[self.influences], 1, 2) * weights[:, None, :]
        return as_kind(np.ascontiguousarray(turned), self.rest)

    @cached_property
    def influence_shape_dirs(self) -> Array:
        """(P, K, 3, B): movement of the point relative to each joint that carries it, per unit of each beta."""
        return self.shape_dirs[:, None] - self.joint_shape_dirs[self.influences]

    def with_offsets(self, offsets: Array) -> "BodyPoints":
        """These points moved by offsets (P, 3) in the rest frame."""
        return replace(self, rest=self.rest + offsets)

    def with_betas(self, betas: Array) -> "BodyPoints":
        """These points and joints on the body of betas (B,), which then counts as the zero shape."""
        n = betas.shape[-1]
        return replace(
            self,
            rest=self.rest + (self.shape_dirs[..., :n] @ betas[:, None])[..., 0],
            rest_joints=self.rest_joints + (self.joint_shape_dirs[..., :n] @ betas[:, None])[..., 0],
        )

    def like(self, example: Array) -> "BodyPoints":
        """These points with arrays of the kind, dtype and device of the example."""
        return replace(self, **{k: as_kind(v, example) for k, v in self._arrays().items()})

    def _arrays(self) -> dict[str, Array]:
        return {k: v for k, v in vars(self).items() if k in _ARRAYS and v is not None}


_ARRAYS = ("rest", "weights", "shape_dirs", "pose_dirs", "rest_joints", "joint_shape_dirs", "ancestors")


def joint_points(body: BodyModel, joints: Sequence[int]) -> BodyPoints:
    """The named joints of a body as points; those below a body joint (face, fingers) are carried rigidly by it."""
    index = np.asarray(joints, dtype=np.int64)
    weights = np.zeros((len(index), N_BODY))
    for row, joint in enumerate(index.tolist()):
        while joint >= N_BODY:
            joint = body.parents[joint]
        weights[row, joint] = 1
    return BodyPoints(
        names=tuple(body.joint_names[j] for j in index),
        rest=body.joints_template[index],
        weights=as_kind(weights, body.joints_template),
        shape_dirs=body.joint_shape_dirs[index][..., : body.num_betas],
        pose_dirs=None,
        **_joint_frame(body),
    )


def surface_points(
    body: BodyModel, names: Sequence[str], vertices: np.ndarray, barycentric: np.ndarray, offsets: np.ndarray,
    weights: np.ndarray | None = None,
) -> BodyPoints:  # fmt: skip
    """Points on the skin: a barycentric mix of three vertices plus an offset, skinned with the mix.

    Args:
        body: a body with a mesh.
        names: P names.
        vertices: (P, 3) indices of the triangle's vertices.
        barycentric: (P, 3) summing to one.
        offsets: (P, 3) metres in the rest frame, e.g. a marker's height times the rest normal.
        weights: (P, 22) to bind the points to joints of choice instead of their skin; rows of NaN keep the skin.
    """

    def mixed(per_vertex: Array) -> np.ndarray:
        values = np.asarray(per_vertex[vertices])  # (P, 3, ...)
        return np.sum(values * barycentric.reshape(*barycentric.shape, *[1] * (values.ndim - 2)), axis=1)

    skin = mixed(body.body_weights)
    if weights is not None:
        skin = np.where(np.isnan(weights[:, :1]), skin, weights)
    pose_dirs = None if body.pose_dirs is None else mixed(body.pose_dirs)[..., : 9 * (N_BODY - 1)]
    return BodyPoints(
        names=tuple(names),
        rest=mixed(body.v_template) + offsets,
        weights=skin / skin.sum(1, keepdims=True),
        shape_dirs=mixed(body.shape_dirs[..., : body.num_betas]),
        pose_dirs=pose_dirs,
        **_joint_frame(body),
    )


def _joint_frame(body: BodyModel) -> dict[str, Array]:
    return {
        "rest_joints": body.joints_template[:N_BODY],
        "joint_shape_dirs": body.joint_shape_dirs[:N_BODY, :, : body.num_betas],
        "ancestors": as_kind(body.tree.ancestors[:N_BODY, :N_BODY], body.joints_template),
    }
