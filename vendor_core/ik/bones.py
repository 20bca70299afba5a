# SPDX-License-Identifier: Apache-2.0
"""The joints that a solve moves: their rest positions, how shape moves these, and the tree they hang in."""

from dataclasses import dataclass, replace

from ..arrays import Array, as_kind, namespace
from ..body import BodyModel
from ..body.kinematics import JointTree, joint_tree
from ..body.model import blend
from ..linalg import matvec
from ..skeleton import N_BODY


@dataclass(frozen=True)
class Bones:
    """J joints of a body at rest, metres; the root comes first."""

    names: tuple[str, ...]  # J
    rest: Array  # (J, 3) at zero betas
    shape_dirs: Array  # (J, 3, B) movement per unit of each beta
    tree: JointTree

    def __len__(self) -> int:
        return len(self.tree.parents)

    @property
    def n_betas(self) -> int:
        return self.shape_dirs.shape[-1]

    @property
    def n_tangent(self) -> int:
        """Size of the body tangent without betas: an angular velocity for each joint, and the translation's."""
        return 3 * len(self) + 3

    def with_betas(self, betas: Array) -> "Bones":
        """These joints on the body of betas (B,), which then counts as the zero shape."""
        return replace(self, rest=self.rest + matvec(self.shape_dirs[..., : betas.shape[-1]], betas))

    def like(self, example: Array) -> "Bones":
        """These joints with arrays of the kind, dtype and device of the example."""
        return replace(self, rest=as_kind(self.rest, example), shape_dirs=as_kind(self.shape_dirs, example))


def bones_of(body: BodyModel, n_joints: int = N_BODY) -> Bones:
    """The first joints of a body: the 22 of body and limbs, or also those of face and fingers."""
    tree = joint_tree(tuple(body.parents[:n_joints]))
    shape_dirs = body.joint_shape_dirs[:n_joints, :, : body.num_betas]
    return Bones(body.joint_names[:n_joints], body.joints_template[:n_joints], shape_dirs, tree)


@dataclass(frozen=True)
class Kinematics:
    """The joints of F posed bodies in the world."""

    bones: Bones
    R_local: Array  # (F, J, 3, 3), the root's world orientation first
    G: Array  # (F, J, 3, 3) world rotations
    p: Array  # (F, J, 3) world positions, metres
    rest: Array  # (J, 3) or (F, J, 3) rest joints under the betas
    betas: Array | None  # (F, B), None for the shape of the bones

    def take(self, rows: Array) -> "Kinematics":
        """The frames of an index array."""
        rest, betas = self.rest, self.betas
        if betas is not None:
            rest, betas = rest[rows], betas[rows]
        return Kinematics(self.bones, self.R_local[rows], self.G[rows], self.p[rows], rest, betas)

    def where(self, mask: Array, other: "Kinematics") -> "Kinematics":
        """These frames where the mask (F,) is true, the other's elsewhere."""
        xp, shaped = namespace(mask), self.betas is not None

        def chosen(a: Array, b: Array) -> Array:
            return xp.where(xp.reshape(mask, (-1, *[1] * (a.ndim - 1))), a, b)

        R_local, G, p = (chosen(getattr(self, n), getattr(other, n)) for n in ("R_local", "G", "p"))
        rest, betas = (chosen(self.rest, other.rest), chosen(self.betas, other.betas)) if shaped else (self.rest, None)
        return Kinematics(self.bones, R_local, G, p, rest, betas)


def posed(bones: Bones, R_local: Array, trans: Array, betas: Array | None = None) -> Kinematics:
    """The joints in the world.

    Args:
        bones: J joints at rest.
        R_local: (F, J, 3, 3) rotations relative to the parents.
        trans: (F, 3) metres; the root ends at its rest position plus this, as in SMPL-X.
        betas: (F, B), or None for the shape of the bones.
    """
    rest = bones.rest if betas is None else bones.rest + blend(bones.shape_dirs, betas)
    G = bones.tree.global_rotations(R_local)
    return Kinematics(bones, R_local, G, bones.tree.positions(G, rest, trans), rest, betas)


def joint_shape_jacobian(pose: Kinematics) -> Array:
    """How the joints move with the betas in this pose, (F, J, 3, B): each bone by its parent's rotation."""
    xp, tree, dirs = namespace(pose.G), pose.bones.tree, pose.bones.shape_dirs
    parent = tree.parents_of_others.like(pose.G)
    steps = pose.G[:, parent] @ (dirs[1:] - dirs[parent])
    root = xp.broadcast_to(dirs[:1], (steps.shape[0], 1, *dirs.shape[1:]))
    steps = xp.concat([root, steps], axis=1)
    return xp.reshape(tree.sum_over_ancestors(xp.reshape(steps, (*steps.shape[:2], -1))), steps.shape)
