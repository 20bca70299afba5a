# SPDX-License-Identifier: Apache-2.0
"""Points of the body that targets pull at: joints, surface points and points fixed to a bone, in one form.

A point is a set of skinning weights and a place in the rest pose. A joint is the point that rests at the joint and is
carried by it alone, so the solver and its Jacobian know one kind of point.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..arrays import Array, Constant, as_float64, as_kind, namespace
from ..body import BodyModel
from ..body.model import blend
from ..linalg import matvec
from ..rotations import identity_like
from ..skeleton import N_BODY
from .bones import Bones, Kinematics, bones_of

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
    """P points of a body of J joints; everything in the rest frame, metres."""

    names: tuple[str, ...]
    bones: Bones
    rest: Array  # (P, 3) at zero betas
    weights: Array  # (P, J) skinning weights
    shape_dirs: Array  # (P, 3, B) movement per unit of each beta
    pose_dirs: Array | None = None  # (P, 3, 189) pose correctives, None where the body has none

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def influences(self) -> np.ndarray:
        """(P, K) the joints that carry each point, the heaviest first."""
        weights = as_float64(self.weights)
        n = max(1, int((weights > 1e-6).sum(1).max(initial=0)))
        return np.argsort(-weights, axis=1, kind="stable")[:, :n]

    @cached_property
    def influence_index(self) -> Constant:
        """The influences, to index arrays of any kind with."""
        return Constant(self.influences)

    @cached_property
    def influence_weights(self) -> Array:
        """(P, K) of the influences."""
        weights = as_float64(self.weights)
        return as_kind(np.take_along_axis(weights, self.influences, axis=1), self.rest)

    @cached_property
    def lever_weights(self) -> Array:
        """(P, J, K): weight of influence k where joint j turns it, else 0."""
        weights = as_float64(self.influence_weights)
        turned = np.swapaxes(self.bones.tree.ancestors[self.influences], 1, 2) * weights[:, None, :]
        return as_kind(np.ascontiguousarray(turned), self.rest)

    @cached_property
    def carried(self) -> Array:
        """(P, J, 1): the share of each point that a joint turns."""
        return as_kind(as_float64(self.lever_weights).sum(-1, keepdims=True), self.rest)

    @cached_property
    def local(self) -> Array:
        """(P, K, 3): each point from each joint that carries it, at rest and at zero betas."""
        return self.rest[:, None, :] - self.bones.rest[self.influences]

    @cached_property
    def influence_shape_dirs(self) -> Array:
        """(P, K, 3, B): movement of the point relative to each joint that carries it, per unit of each beta."""
        return self.shape_dirs[:, None] - self.bones.shape_dirs[self.influences]

    def with_offsets(self, offsets: Array) -> "BodyPoints":
        """These points moved by offsets (P, 3) in the rest frame."""
        return replace(self, rest=self.rest + offsets)

    def with_betas(self, betas: Array) -> "BodyPoints":
        """These points and joints on the body of betas (B,), which then counts as the zero shape."""
        rest = self.rest + matvec(self.shape_dirs[..., : betas.shape[-1]], betas)
        return replace(self, rest=rest, bones=self.bones.with_betas(betas))

    def like(self, example: Array) -> "BodyPoints":
        """These points with arrays of the kind, dtype and device of the example."""
        arrays = {name: as_kind(getattr(self, name), example) for name in ("rest", "weights", "shape_dirs")}
        pose_dirs = None if self.pose_dirs is None else as_kind(self.pose_dirs, example)
        there = replace(self, bones=self.bones.like(example), pose_dirs=pose_dirs, **arrays)
        names = ("influence_weights", "lever_weights", "carried")
        derived = {name: as_kind(getattr(self, name), example) for name in names}
        vars(there).update(derived, influences=self.influences)  # nothing is read back from a device for them
        return there


def joint_points(body: BodyModel, joints: Sequence[int], bones: Bones | None = None) -> BodyPoints:
    """Joints of a body as points; those beyond the bones that are solved are carried rigidly by the last of them."""
    bones = bones_of(body) if bones is None else bones
    index = np.asarray(joints, dtype=np.int64)
    owners = index.copy()
    for row, joint in enumerate(index.tolist()):
        while joint >= len(bones):
            joint = body.parents[joint]
        owners[row] = joint
    points = BodyPoints(
        names=tuple(body.joint_names[j] for j in index),
        bones=bones,
        rest=body.joints_template[index],
        weights=as_kind(np.eye(len(bones))[owners], body.joints_template),
        shape_dirs=body.joint_shape_dirs[index][..., : body.num_betas],
    )
    # What follows from one owner each is known already, and a solve of one pose should not have to find it out.
    turned = as_kind(bones.tree.ancestors[owners][:, :, None], points.rest)
    one = as_kind(np.ones((len(index), 1)), points.rest)
    vars(points).update(influences=owners[:, None], influence_weights=one, lever_weights=turned, carried=turned)
    return points


def rigid_points(
    body: BodyModel, joints: Sequence[int], offsets: np.ndarray, names: Sequence[str] = (), bones: Bones | None = None
) -> BodyPoints:
    """Points fixed to bones, such as the tip of a tool or a marker on a rigid plate.

    Args:
        body: the body.
        joints: P indices of the joints that carry the points.
        offsets: (P, 3) metres from the joint, in the joint's frame; at rest it has the axes of the body.
        names: P names; those of the joints by default.
        bones: the joints that are solved; the 22 of the body by default.
    """
    points = joint_points(body, joints, bones).with_offsets(as_kind(offsets, body.joints_template))
    return replace(points, names=tuple(names)) if names else points


def surface_points(
    body: BodyModel, names: Sequence[str], vertices: np.ndarray, barycentric: np.ndarray, offsets: np.ndarray,
    weights: np.ndarray | None = None, bones: Bones | None = None,
) -> BodyPoints:  # fmt: skip
    """Points on the skin: a barycentric mix of three vertices plus an offset, skinned with the mix.

    Args:
        body: a body with a mesh.
        names: P names.
        vertices: (P, 3) indices of the triangle's vertices.
        barycentric: (P, 3) summing to one.
        offsets: (P, 3) metres in the rest frame, e.g. a marker's height times the rest normal.
        weights: (P, J) to bind the points to joints of choice instead of their skin; rows of NaN keep the skin.
        bones: the joints that are solved; the 22 of the body by default.
    """
    bones = bones_of(body) if bones is None else bones

    def mixed(per_vertex: Array) -> np.ndarray:
        values = np.asarray(per_vertex[vertices])  # (P, 3, ...)
        return np.sum(values * barycentric.reshape(*barycentric.shape, *[1] * (values.ndim - 2)), axis=1)

    skin = mixed(body.weights_of_first(len(bones)))
    if weights is not None:
        skin = np.where(np.isnan(weights[:, :1]), skin, weights)
    pose_dirs = None if body.pose_dirs is None else mixed(body.pose_dirs)[..., : 9 * (N_BODY - 1)]
    return BodyPoints(
        names=tuple(names),
        bones=bones,
        rest=mixed(body.v_template) + offsets,
        weights=skin / skin.sum(1, keepdims=True),
        shape_dirs=mixed(body.shape_dirs[..., : body.num_betas]),
        pose_dirs=pose_dirs,
    )


def place(points: BodyPoints, pose: Kinematics) -> tuple[Array, Array]:
    """World positions (F, P, 3) of the points and where each influence alone would carry them, (F, P, K, 3)."""
    xp, k = namespace(pose.G), points.influence_index.like(pose.G)
    local = points.local
    if pose.betas is not None:
        flat = xp.reshape(points.influence_shape_dirs, (-1, 3, pose.betas.shape[1]))
        local = local + xp.reshape(blend(flat, pose.betas), (-1, *k.shape, 3))
    if points.pose_dirs is not None:
        local = local + blend(points.pose_dirs, _pose_feature(pose.R_local))[:, :, None, :]
    y = matvec(pose.G[:, k], local) + pose.p[:, k]
    if k.shape[1] == 1:
        return y[:, :, 0], y
    return xp.sum(points.influence_weights[..., None] * y, axis=-2), y


def blended_rotations(points: BodyPoints, G: Array) -> Array:
    """Skinning rotations (F, P, 3, 3), `sum_k w_k G_k`: how an offset in the rest frame moves the point."""
    xp, n = namespace(G), G.shape[1]
    mixed = points.weights @ xp.reshape(G, (G.shape[0], n, 9))
    return xp.reshape(mixed, (G.shape[0], len(points), 3, 3))


def _pose_feature(R_local: Array) -> Array:
    xp = namespace(R_local)
    R = R_local[:, 1:N_BODY]
    return xp.reshape(R - identity_like(R, ()), (R.shape[0], -1))
