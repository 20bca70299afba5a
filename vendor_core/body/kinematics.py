# SPDX-License-Identifier: Apache-2.0
"""Forward kinematics of a joint tree and linear blend skinning, for NumPy and torch, any batch shape."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from ..arrays import Array, Constant, namespace
from ..linalg import matvec
from ..skeleton import BODY_PARENTS, ancestor_mask, levels


class JointTree:
    """A joint tree with what forward kinematics needs precomputed.

    Args:
        parents: parent index of each joint, -1 for the root, which comes first; parents precede children.
    """

    def __init__(self, parents: Sequence[int]):
        self.parents = tuple(int(p) for p in parents)
        self.parent_index = np.maximum(self.parents, 0)
        self._levels = [(Constant(joints), Constant(self.parent_index[joints])) for joints in levels(self.parents)[1:]]
        self._parents_of_others = Constant(self.parent_index[1:])
        self._sums = Constant(self.ancestors.astype(float))

    @cached_property
    def ancestors(self) -> np.ndarray:
        """Boolean (J, J), true where the column's joint is the row's joint or its ancestor."""
        return ancestor_mask(self.parents)

    def global_rotations(self, R_local: Array) -> Array:
        """World rotations (..., J, 3, 3) of local ones (..., J, 3, 3): one batched product a level of the tree."""
        G = namespace(R_local).empty_like(R_local)
        G[..., 0, :, :] = R_local[..., 0, :, :]
        for joints, parents in ((j.like(G), p.like(G)) for j, p in self._levels):
            G[..., joints, :, :] = G[..., parents, :, :] @ R_local[..., joints, :, :]
        return G

    def positions(self, G: Array, rest: Array, trans: Array) -> Array:
        """World positions (..., J, 3) of the joints, in metres.

        Args:
            G: world rotations (..., J, 3, 3).
            rest: rest positions (J, 3) or (..., J, 3).
            trans: translation (..., 3); the root ends at `rest[0] + trans`, as in SMPL-X.
        """
        xp = namespace(G, rest)
        parents = self._parents_of_others.like(G)
        offsets = rest[..., 1:, :] - rest[..., parents, :]
        steps = matvec(G[..., parents, :, :], offsets)
        root = (rest[..., 0, :] + trans)[..., None, :]
        root = xp.broadcast_to(root, (*steps.shape[:-2], 1, 3))
        return self.sum_over_ancestors(xp.concat([root, steps], axis=-2))

    def sum_over_ancestors(self, x: Array) -> Array:
        """For each joint the sum of x (..., J, n) over itself and its ancestors."""
        return self._sums.like(x) @ x


BODY_TREE = JointTree(BODY_PARENTS)
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
