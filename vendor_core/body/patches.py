# SPDX-License-Identifier: Apache-2.0
"""The skin as a few hundred patches: how far a body's surface moves, at a hundredth of the price of its mesh.

The mean of some skinned vertices depends on the pose through two moments a joint: with the rotations G and positions p
of the joints, `mean_v sum_k w_vk (G_k (v - J_k) + p_k) = sum_k (G_k m_k + a_k p_k)`. So a patch's mean is exact, and
all patches are one matrix product.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..linalg import eigh, gemm
from ..skeleton import N_BODY
from .default_body import default_body
from .kinematics import BODY_TREE
from .model import BodyModel

_PATCHES = 600  # paths at even steps by these are even within 0.4 % by every vertex of the default body
_DIRECTIONS = 200  # lowest of the points they find: mostly the mesh's lowest vertex, in lying poses within 7 mm
_LEAST = 1e-5  # of the strongest direction of the skin's moments: weaker ones do not show in an energy


@dataclass(frozen=True)
class SkinPatches:
    """P patches of a skin, for poses of the 22 body joints without pose correctives; hands and face are at rest."""

    share: np.ndarray  # (P,) of the mesh's vertices; sums to 1
    moments: np.ndarray  # (P, 88): m of each joint (22 * 3), then a of each joint (22)
    energy_root: np.ndarray  # (E, 88), E <= 88: |energy_root @ S|^2 is the mean square over the patches of moments @ S

    def points(self, R: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """Mean points (P, N, 3), metres, of poses R (N, 21, 3, 3) on rest joints (22, 3); the pelvis stays."""
        S = joint_columns(*joints_of(R, rest))
        flat = gemm(self.moments, S.transpose(1, 0, 2).reshape(S.shape[1], -1))  # one product for all poses
        return flat.reshape(len(self.share), len(R), 3)

    def steps(self, R: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """Mean distance (N - 1,), metres, that the skin moves from each pose R (N, 21, 3, 3) to the next."""
        return self.share @ np.linalg.norm(np.diff(self.points(R, rest), axis=1), axis=-1)


def joints_of(R: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World rotations G (N, 22, 3, 3) and positions p (N, 22, 3) of poses R (N, 21, 3, 3), the pelvis unturned."""
    root = np.broadcast_to(np.eye(3), (len(R), 1, 3, 3))
    G = BODY_TREE.global_rotations(np.concatenate([root, R], axis=1))
    return G, BODY_TREE.positions(G, rest, np.zeros(3))


def joint_columns(G: np.ndarray, p: np.ndarray) -> np.ndarray:
    """What moments multiply, S (N, 88, 3): the columns of each joint's rotation, then the joints' positions."""
    columns = np.swapaxes(G, -1, -2).reshape(len(G), -1, 3)
    return np.concatenate([columns, p], axis=1)


@lru_cache(maxsize=1)
def default_support() -> SkinPatches:
    """Support points of the default body's skin, found once."""
    return support_points(default_body())


def support_points(body: BodyModel) -> SkinPatches:
    """Vertices of a body's mesh that can be its lowest, as patches of one vertex each: of what each joint moves most,
    those farthest out in any of many directions.
    """
    v, w = np.asarray(body.v_template), np.asarray(body.weights_of_first(N_BODY))
    directions, owner = _spread_directions(_DIRECTIONS), w.argmax(axis=1)
    chosen: set[int] = set()
    for joint in range(N_BODY):
        own = np.flatnonzero(owner == joint)
        if len(own):
            chosen.update(own[gemm(v[own], directions.T).argmax(axis=0)].tolist())
    rows = np.array(sorted(chosen))
    arms = w[rows, :, None] * (v[rows, None] - np.asarray(body.joints_template)[:N_BODY])
    moments = np.concatenate([arms.reshape(len(rows), -1), w[rows]], axis=1)
    return SkinPatches(np.full(len(rows), 1 / len(rows)), moments, np.zeros((0, moments.shape[1])))


def _spread_directions(n: int) -> np.ndarray:
    """Unit vectors (n, 3), spread evenly: a golden spiral."""
    k = np.arange(n) + 0.5
    z, turn = 1 - 2 * k / n, np.pi * (1 + np.sqrt(5)) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)


@lru_cache(maxsize=1)
def default_patches() -> SkinPatches:
    """Patches of the default body's skin, made once."""
    return skin_patches(default_body())


def skin_patches(body: BodyModel, n: int = _PATCHES) -> SkinPatches:
    """Divide a body's mesh at rest into at most n patches of about equal size."""
    v, w = np.asarray(body.v_template), np.asarray(body.weights_of_first(N_BODY))
    patch = _nearest_of_spread(v.astype(np.float32), n)
    counts = np.bincount(patch)
    first = np.cumsum(counts) - counts
    arms = w[..., None] * (v[:, None] - np.asarray(body.joints_template)[:N_BODY])
    sums = np.add.reduceat(np.concatenate([arms.reshape(len(v), -1), w], axis=1)[np.argsort(patch)], first, axis=0)
    moments, share = sums / counts[:, None], counts / len(v)
    strength, directions = eigh(gemm(moments.T * share, moments))
    kept = strength > _LEAST * strength[-1]
    return SkinPatches(share, moments, (directions[:, kept] * np.sqrt(strength[kept])).T)


def _nearest_of_spread(v: np.ndarray, n: int) -> np.ndarray:
    """The number (V,), from 0, of the nearest of n points, each chosen farthest from those before (Gonzalez 1985)."""
    nearest, distance = np.zeros(len(v), dtype=np.int64), np.full(len(v), np.inf, v.dtype)
    x, y, z = v.T.copy()
    for k in range(min(n, len(v))):
        far = 0 if k == 0 else int(distance.argmax())
        squared = (x - x[far]) ** 2 + (y - y[far]) ** 2 + (z - z[far]) ** 2
        nearest[squared < distance] = k
        distance = np.minimum(distance, squared)
    return np.unique(nearest, return_inverse=True)[1]
