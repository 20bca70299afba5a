# SPDX-License-Identifier: Apache-2.0
"""A body as a hundred-odd balls inside its skin, and how deep parts of it are in one another.

The balls are a body's own: medial balls of its mesh, each touching the skin at a point and meeting it elsewhere (Ma,
Bae and Choi, "3D medial axis point approximation using nearest neighbors and the normal field", 2012), as few of them
as come near all of the skin. Each is carried by the joints that carry the skin around it.

Neighbouring parts overlap by nature. What real people's poses press into each other on a body of other proportions,
upper arms into the trunk and the chin onto the chest, is left out, as are balls that nearly touch at rest.
"""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from ..body import BodyModel, default_body
from ..body.placement import vertex_normals
from ..linalg import gemm, matvec
from ..skeleton import BODY_JOINTS, BODY_PARENTS, N_BODY
from .bones import Kinematics, bones_of
from .points import BodyPoints

TOUCH = 0.02  # metres: skin is soft, and real people's poses on another's body go as deep
_SKIN, _STARTS = 0.02, 0.04  # of points of the skin that are looked at, and from which balls grow: metres between them
_TALL = 1.7  # metres, of the body for which these are right
_LARGEST, _SMALLEST = 0.25, 0.004  # metres, radii
_NEAR = 0.015  # metres from the skin that a ball speaks for
_FEWEST = 3  # points of the skin, for which a ball is worth having
_MOST = 200  # balls
_TURNS = 12  # of shrinking; most balls are done after five
_TRUNK = ("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar")
_NATURAL = {*((arm, part) for arm in ("left_shoulder", "right_shoulder") for part in _TRUNK),
            *(("head", part) for part in _TRUNK)}  # fmt: skip


@dataclass(frozen=True)
class BodyBalls:
    """P balls of a body and the N pairs of them that should not meet."""

    points: BodyPoints  # P centres
    radii: np.ndarray  # (P,) metres
    owner: np.ndarray  # (P,) the joint that carries most of each
    pairs: np.ndarray  # (N, 2)

    @cached_property
    def reach(self) -> np.ndarray:
        """(N,) metres between the centres of a pair, below which they meet deeper than skin gives way."""
        return self.radii[self.pairs].sum(1) - TOUCH

    def with_betas(self, betas: np.ndarray) -> "BodyBalls":
        """The balls on the body of betas (B,); they move with its skin and keep their size."""
        return replace(self, points=self.points.with_betas(betas))

    @cached_property
    def _carried(self) -> np.ndarray:
        """(P, 4 J): how much of each number of a joint's transform goes into a centre."""
        homogeneous = np.concatenate([self.points.rest, np.ones((len(self.radii), 1))], axis=1)
        return (self.points.weights[:, :, None] * homogeneous[:, None]).reshape(len(self.radii), -1)

    def centres(self, pose: Kinematics) -> np.ndarray:
        """(F, P, 3) metres, the centres in the world: `place`, as one product of matrices."""
        moved = pose.p - matvec(pose.G, pose.rest)
        transforms = np.concatenate([np.swapaxes(pose.G, 2, 3), moved[:, :, None]], axis=2)  # (F, J, 4, 3)
        columns = np.moveaxis(transforms, 0, 2).reshape(self._carried.shape[1], -1)
        return np.moveaxis(gemm(self._carried, columns).reshape(len(self.radii), -1, 3), 1, 0)

    def gaps(self, x: np.ndarray) -> np.ndarray:
        """Metres between the two of a pair, (F, N), for centres x (F, P, 3); below zero, deeper than skin gives."""
        x = np.ascontiguousarray(x)
        squares = np.sum(x * x, axis=-1)
        apart = x @ np.swapaxes(-2 * x, -1, -2)
        apart += squares[:, :, None]
        apart += squares[:, None]
        apart = apart.reshape(len(x), -1)[:, self.pairs @ (len(self.radii), 1)]
        return np.sqrt(np.maximum(apart, 0, out=apart), out=apart) - self.reach


@lru_cache(maxsize=1)
def default_balls() -> BodyBalls:
    """Of the default body."""
    return body_balls(default_body())


def body_balls(body: BodyModel) -> BodyBalls:
    """The balls of a body with a mesh."""
    v = np.asarray(body.v_template, dtype=np.float64)
    normals, weights = vertex_normals(v, body.faces), np.asarray(body.weights_of_first(N_BODY))
    size = np.ptp(v[:, 1]) / _TALL
    skin, starts = _evenly(v, _SKIN * size), _evenly(v, _STARTS * size)
    centres, radii = _medial(v[starts], normals[starts], v[skin])
    near = _apart(centres, v[skin]) < (radii + _NEAR)[:, None]
    chosen = _cover(near)
    centres, radii, near = centres[chosen], radii[chosen], near[chosen]
    share = near / near.sum(1, keepdims=True)
    carried = share @ weights[skin]
    shape_dirs = np.asarray(body.shape_dirs[..., : body.num_betas])[skin]
    points = BodyPoints(
        names=tuple(f"ball {i}" for i in range(len(chosen))),
        bones=bones_of(body),
        rest=centres,
        weights=carried / carried.sum(1, keepdims=True),
        shape_dirs=np.tensordot(share, shape_dirs, axes=1),
    )
    owner = points.weights.argmax(1)
    return BodyBalls(points, radii, owner, _pairs(centres, radii, owner))


def _evenly(v: np.ndarray, apart: float) -> np.ndarray:
    """Indices of vertices (V, 3), one from each cell of a grid."""
    return np.unique(np.floor(v / apart).astype(np.int64), axis=0, return_index=True)[1]


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distances (A, B) of points."""
    return np.sqrt(np.maximum(_squares_apart(a, b), 0))


def _squares_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances (A, B) of points, but for rounding."""
    return np.sum(a**2, 1)[:, None] + (np.sum(b**2, 1) - 2 * a @ b.T)


def _medial(p: np.ndarray, normals: np.ndarray, skin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres (P, 3) and radii (P,) of the largest balls inside that touch the skin at p (P, 3)."""
    radii, growing = np.full(len(p), _LARGEST), np.arange(len(p))
    for _ in range(_TURNS):
        at, n, r = p[growing], normals[growing], radii[growing]
        centre = at - n * r[:, None]
        nearest = _squares_apart(centre, skin).argmin(1)
        v = at - skin[nearest]
        touching = np.sum(v**2, 1) / np.maximum(2 * np.sum(n * v, 1), 1e-9)
        shrinks = np.linalg.norm(centre - skin[nearest], axis=1) < r - 1e-4
        growing, touching = growing[shrinks], touching[shrinks]
        radii[growing] = np.clip(touching, _SMALLEST, radii[growing])
        if not len(growing):
            break
    return p - normals * radii[:, None], radii


def _cover(near: np.ndarray) -> np.ndarray:
    """As few rows of a table (P, S) of truths as have one for nearly every column: the most telling first."""
    left, gains, chosen = np.ones(near.shape[1], dtype=bool), near.sum(1), []
    while len(chosen) < _MOST and gains.max() >= _FEWEST:
        chosen.append(int(gains.argmax()))
        covered = left & near[chosen[-1]]
        gains -= near[:, covered].sum(1)
        left &= ~covered
    return np.array(chosen, dtype=np.int64)


def _pairs(centres: np.ndarray, radii: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """(N, 2) balls of parts that are no neighbours, and that have room between them at rest."""
    a, b = np.triu_indices(len(centres), 1)
    room = np.linalg.norm(centres[a] - centres[b], axis=1) - radii[a] - radii[b]
    kept = (room > TOUCH) & _may_not_meet()[owner[a], owner[b]]
    return np.stack([a[kept], b[kept]], axis=1)


def _may_not_meet() -> np.ndarray:
    """(22, 22) bool, of parts of the body."""
    parents = np.array(BODY_PARENTS)
    joined = np.eye(N_BODY, dtype=bool)
    joined[np.arange(1, N_BODY), parents[1:]] = True
    for a, b in _NATURAL:
        joined[BODY_JOINTS.index(a), BODY_JOINTS.index(b)] = True
    trunk = [BODY_JOINTS.index(name) for name in _TRUNK]
    joined[np.ix_(trunk, trunk)] = True
    return ~(joined | joined.T)
