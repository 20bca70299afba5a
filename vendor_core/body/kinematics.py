# SPDX-License-Identifier: Apache-2.0
"""Forward kinematics of a joint tree and linear blend skinning, for NumPy and torch, any batch shape."""

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache

import numpy as np

from ..arrays import Array, Constant, eye, namespace
from ..linalg import matvec
from ..skeleton import BODY_PARENTS


def ancestor_mask(parents: Iterable[int]) -> np.ndarray:
    """Boolean (J, J): entry (j, a) is true where joint a is j itself or an ancestor of j."""
    parents = tuple(parents)
    mask = np.zeros((len(parents), len(parents)), dtype=bool)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            mask[joint] = mask[parent]
        mask[joint, joint] = True
    return mask


class JointTree:
    """A joint tree with what forward kinematics needs precomputed.

    Args:
        parents: parent index of each joint, -1 for the root, which comes first; parents precede children.
    """

    def __init__(self, parents: Sequence[int]):
        self.parents = tuple(int(p) for p in parents)
        self.parent_index = np.maximum(self.parents, 0)
        self._jumps = [Constant(jump) for jump in _jumps(self.parents)]
        self.parents_of_others = Constant(self.parent_index[1:])
        self._sums = Constant(self.ancestors.astype(float))

    @cached_property
    def ancestors(self) -> np.ndarray:
        """Boolean (J, J), true where the column's joint is the row's joint or its ancestor."""
        return ancestor_mask(self.parents)

    def global_rotations(self, R_local: Array) -> Array:
        """World rotations (..., J, 3, 3) of local ones (..., J, 3, 3).

        By pointer jumping: each round multiplies the rotation gathered so far by that of the ancestor where it ends, so
        a tree of 8 levels takes 3 products of all joints.
        """
        world = namespace(R_local).broadcast_to(eye(3, R_local), (*R_local.shape[:-3], 1, 3, 3))
        G = namespace(R_local).concat([R_local, world], axis=-3)
        for jump in self._jumps:
            G = G[..., jump.like(G), :, :] @ G  # no assignment to parts: autograd goes through here too
        return G[..., :-1, :, :]

    def positions(self, G: Array, rest: Array, trans: Array) -> Array:
        """World positions (..., J, 3) of the joints, in metres.

        Args:
            G: world rotations (..., J, 3, 3).
            rest: rest positions (J, 3) or (..., J, 3).
            trans: translation (..., 3); the root ends at `rest[0] + trans`, as in SMPL-X.
        """
        xp = namespace(G, rest)
        parents = self.parents_of_others.like(G)
        offsets = rest[..., 1:, :] - rest[..., parents, :]
        steps = matvec(G[..., parents, :, :], offsets)
        root = (rest[..., 0, :] + trans)[..., None, :]
        root = xp.broadcast_to(root, (*steps.shape[:-2], 1, 3))
        return self.sum_over_ancestors(xp.concat([root, steps], axis=-2))

    def sum_over_ancestors(self, x: Array) -> Array:
        """For each joint the sum of x (..., J, n) over itself and its ancestors."""
        return self._sums.like(x) @ x


def _jumps(parents: Sequence[int]) -> list[np.ndarray]:
    """Indices (J + 1,) of the ancestors 1, 2, 4 ... joints above each; J, the world, where there is none."""
    n = len(parents)
    above = np.array([n if p < 0 else p for p in parents] + [n])
    jumps = []
    while np.any(above[:n] < n):
        jumps.append(above)
        above = above[above]
    return jumps


@lru_cache(maxsize=32)
def joint_tree(parents: tuple[int, ...]) -> JointTree:
    """The tree of parents, made once."""
    return JointTree(parents)


BODY_TREE = joint_tree(BODY_PARENTS)
"""The tree of the 22 body joints."""


def skin(v_rest: Array, weights: Array, G: Array, p: Array, rest: Array) -> Array:
    """Linear blend skinning: `sum_k w_k (G_k (v - rest_k) + p_k)`.

    Args:
        v_rest: rest vertices (..., V, 3), shaped and corrected.
        weights: (V, J).
        G: world rotations (..., J, 3, 3).
        p: world joint positions (..., J, 3).
        rest: rest joint positions (..., J, 3).

    Returns:
        World vertices (..., V, 3).
    """
    xp = namespace(v_rest, G)
    shift = p - matvec(G, rest)
    n = G.shape[-3]
    blend = weights @ xp.reshape(xp.concat([G, shift[..., None]], axis=-1), (*G.shape[:-3], n, 12))
    blend = xp.reshape(blend, (*blend.shape[:-1], 3, 4))
    return matvec(blend[..., :3], v_rest) + blend[..., 3]
