# SPDX-License-Identifier: Apache-2.0
"""The SMPL family of bodies: shape, joints, pose and skinning, one source for NumPy and torch.

Loper et al., "SMPL: A Skinned Multi-Person Linear Model", 2015; Romero et al. 2017 (SMPL-H); Pavlakos et al.,
"Expressive Body Capture", 2019 (SMPL-X).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from ..arrays import Array, as_kind, namespace
from ..errors import BodyError
from ..rotations import identity_like
from .kinematics import JointTree, joint_tree, skin


@dataclass(frozen=True)
class PosedBody:
    """A body in a pose, in the world the pose lives in."""

    joints: Array  # (..., J, 3) metres
    G: Array  # (..., J, 3, 3) world rotations
    vertices: Array | None  # (..., V, 3) metres, where they were asked for


@dataclass(frozen=True)
class BodyModel:
    """A body of V vertices and J joints. Shape coefficients are the betas followed by the expression.

    The rest frame is SMPL's: Y up, facing +Z, left = +X, metres.
    """

    name: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    v_template: Array  # (V, 3)
    faces: np.ndarray  # (F, 3)
    weights: Array  # (V, J)
    joints_template: Array  # (J, 3)
    shape_dirs: Array  # (V, 3, S)
    joint_shape_dirs: Array  # (J, 3, S)
    num_betas: int
    pose_dirs: Array | None = None  # (V, 3, 9 (J - 1)), None where the body has no pose correctives
    beta_names: tuple[str, ...] = ()
    tree: JointTree = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", joint_tree(tuple(self.parents)))

    @property
    def num_expressions(self) -> int:
        """How many shape coefficients there are after the betas."""
        return self.shape_dirs.shape[-1] - self.num_betas

    def weights_of_first(self, n: int) -> Array:
        """Skinning weights (V, n): joints from the n-th on count for the one among the first that they hang from."""
        owner = list(range(n))
        for joint in range(n, len(self.parents)):
            owner.append(owner[self.parents[joint]])
        collapse = np.zeros((len(owner), n))
        collapse[np.arange(len(owner)), owner] = 1
        return self.weights @ as_kind(collapse, self.weights)

    def coefficients(self, betas: Array | None, expression: Array | None) -> Array:
        """Betas (..., at most num_betas) and expression (..., at most num_expressions) as one zero-padded vector."""
        xp = namespace(self.v_template)
        shape = next((tuple(c.shape[:-1]) for c in (betas, expression) if c is not None), ())
        parts = []
        for given, n in ((betas, self.num_betas), (expression, self.num_expressions)):
            if given is not None:
                parts.append(given[..., :n])
            missing = n - (0 if given is None else min(given.shape[-1], n))
            zeros = np.zeros((*(shape if given is None else tuple(given.shape[:-1])), missing))
            parts.append(as_kind(zeros, self.v_template))
        return xp.concat(parts, axis=-1)

    def rest_joints(self, betas: Array | None = None, expression: Array | None = None) -> Array:
        """Rest positions (..., J, 3) of the joints, metres."""
        if betas is None and expression is None:
            return self.joints_template
        return self.joints_template + blend(self.joint_shape_dirs, self.coefficients(betas, expression))

    def rest_vertices(
        self, betas: Array | None = None, expression: Array | None = None, index: Array | Sequence[int] | None = None
    ) -> Array:
        """Rest positions (..., V, 3) of all vertices, or of those of the index alone, metres."""
        template, dirs = self.v_template, self.shape_dirs
        if index is not None:
            template, dirs = template[index], dirs[index]
        if betas is None and expression is None:
            return template
        return template + blend(dirs, self.coefficients(betas, expression))

    def pose(
        self,
        R_local: Array,
        trans: Array | None = None,
        betas: Array | None = None,
        expression: Array | None = None,
        vertices: bool | Array | Sequence[int] = False,
    ) -> PosedBody:
        """Pose the body.

        Args:
            R_local: rotations (..., n, 3, 3) relative to the parents, root first; joints beyond n rest.
            trans: (..., 3) metres; the pelvis ends at its rest position plus this, as in SMPL-X.
            betas: (..., up to num_betas).
            expression: (..., up to num_expressions).
            vertices: True for the whole mesh, or the indices of the vertices wanted.

        Returns:
            Joints, world rotations and, where wanted, vertices.

        Raises:
            BodyError: shapes that do not fit the body or each other.
        """
        self._check(R_local, trans, betas, expression)
        xp = namespace(R_local)
        batch, missing = tuple(R_local.shape[:-3]), len(self.parents) - R_local.shape[-3]
        if missing:
            R_local = xp.concat([R_local, identity_like(R_local, (*batch, missing))], axis=-3)
        trans = as_kind(np.zeros(3), R_local) if trans is None else trans
        rest = self.rest_joints(betas, expression)
        G = self.tree.global_rotations(R_local)
        p = self.tree.positions(G, rest, trans)
        if vertices is False:
            return PosedBody(p, G, None)
        index = None if vertices is True else vertices
        v = self.rest_vertices(betas, expression, index)
        weights = self.weights if index is None else self.weights[index]
        if self.pose_dirs is not None:
            dirs = self.pose_dirs if index is None else self.pose_dirs[index]
            features = R_local[..., 1:, :, :] - identity_like(R_local, ())
            v = v + blend(dirs, xp.reshape(features, (*batch, -1)))
        return PosedBody(p, G, skin(v, weights, G, p, rest))

    def _check(self, R_local: Array, trans: Array | None, *coefficients: Array | None) -> None:
        given = [array for array in (R_local, trans, *coefficients) if array is not None]
        shapes: list[tuple[int, ...]] = [tuple(getattr(array, "shape", ())) for array in given]
        try:
            np.broadcast_shapes(shapes[0][:-3], *(shape[:-1] for shape in shapes[1:]))
            fits = shapes[0][-2:] == (3, 3) and 0 < shapes[0][-3] <= len(self.parents) and all(shapes)
        except (IndexError, ValueError):
            fits = False
        if not fits or (trans is not None and shapes[1][-1] != 3):
            raise BodyError(
                f"a pose of arrays {', '.join(map(str, shapes))}; expected rotations (..., n, 3, 3) of up to "
                f"{len(self.parents)} joints, trans (..., 3) and betas (..., B)"
            )

    def first_betas(self, n: int) -> "BodyModel":
        """This body with its first n betas alone, and no expression: files of SMPL-X hold up to 300 of them."""
        n = min(n, self.num_betas)
        dirs = {"shape_dirs": self.shape_dirs[..., :n], "joint_shape_dirs": self.joint_shape_dirs[..., :n]}
        return replace(self, num_betas=n, beta_names=self.beta_names[:n], **dirs)

    def like(self, example: Array) -> "BodyModel":
        """This body with arrays of the kind (NumPy or torch), dtype and device of the example."""
        names = ("v_template", "weights", "joints_template", "shape_dirs", "joint_shape_dirs", "pose_dirs")
        arrays = {n: as_kind(getattr(self, n), example) for n in names if getattr(self, n) is not None}
        return replace(self, **{f.name: arrays[f.name] for f in fields(self) if f.name in arrays})


def blend(dirs: Array, coefficients: Array) -> Array:
    """Offsets (..., V, 3) of blend directions (V, 3, S) for coefficients (..., S)."""
    xp = namespace(dirs, coefficients)
    flat = coefficients @ xp.reshape(dirs, (3 * dirs.shape[0], dirs.shape[-1])).T  # no -1: there may be no coefficients
    return xp.reshape(flat, (*coefficients.shape[:-1], dirs.shape[0], 3))
