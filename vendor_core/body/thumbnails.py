# SPDX-License-Identifier: Apache-2.0
"""Small pictures of poses to choose from: the default body, drawn as points so dense that they close its skin.

No renderer: points spread evenly over the skin are posed, seen from a little above and beside, and written into the
picture from the farthest to the nearest, so the nearest remains. Pictures are drawn twice as large and averaged.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..linalg import one_blas_thread
from ..rotations import exp_so3
from .default_body import default_body, default_mesh
from .kinematics import joint_tree
from .placement import vertex_normals

_VIEW = exp_so3(np.array([0.16, 0.0, 0.0])) @ exp_so3(np.array([0.0, -0.5, 0.0]))  # from a little above and its right
_LIGHT = np.array([-0.45, 0.70, 0.55]) / np.linalg.norm([-0.45, 0.70, 0.55])
_AMBIENT, _DIFFUSE, _RIM = 0.45, 1.1, 0.12
_FINER = 2  # pixels along each side that make one of the picture
_SPACING = 0.55  # pixels between the points of the skin
_LEAST_EXTENT = 1.45  # metres across a picture: crouching bodies look smaller than standing ones, but not tiny
_MARGIN = 0.04  # of a picture, on each side


@dataclass(frozen=True)
class _Surface:
    """The default body's skin at rest, float32."""

    v: np.ndarray  # (V, 3) metres
    normals: np.ndarray  # (V, 3) unit
    weights: np.ndarray  # (V, 55)
    faces: np.ndarray  # (F, 3)
    of_face: np.ndarray  # (P,) the face that each point lies on
    corners: np.ndarray  # (P, 3) its vertices
    shares: np.ndarray  # (P, 3) of these vertices; each row sums to 1
    colours: np.ndarray  # (P, 3) linear


@one_blas_thread
def thumbnails(R_local: np.ndarray, size: int = 128) -> np.ndarray:
    """Pictures (N, size, size, 4) of poses: sRGB and alpha, straight, 0 to 1, float32; the lowest row first.

    The body faces the viewer at an angle, whichever way the root faces; lying down and bending over are kept.

    Args:
        R_local: (N, 55, 3, 3) rotations relative to the parents, the root's in SMPL's axes (Y up, facing +Z).
        size: pixels along each side.
    """
    surface = _surface(size)
    return np.stack([_drawn(surface, *_posed(surface, R), size) for R in _facing(R_local)])


def _facing(R_local: np.ndarray) -> np.ndarray:
    """Poses whose roots are turned about the vertical so that they face +Z, as far as a direction can be told."""
    front = R_local[:, 0] @ np.array([0.0, 0.0, 1.0])
    up = R_local[:, 0] @ np.array([0.0, 1.0, 0.0])
    heading = np.where(np.abs(front[:, 1:2]) < 0.9, front, -np.sign(front[:, 1:2]) * up)  # prone or supine: the head's
    turn = np.zeros((len(R_local), 3))
    turn[:, 1] = -np.arctan2(heading[:, 0], heading[:, 2])
    turned = R_local.copy()
    turned[:, 0] = exp_so3(turn) @ R_local[:, 0]
    return turned


def _posed(surface: _Surface, R_local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and normals (V, 3), float32, of a pose as seen: x right, y up, z towards the viewer."""
    body = default_body()
    tree = joint_tree(tuple(int(p) for p in body.parents))
    seen = R_local.copy()
    seen[0] = _VIEW @ R_local[0]
    G = tree.global_rotations(seen)
    p = tree.positions(G, body.joints_template, np.zeros(3))
    shift = p - (G @ body.joints_template[..., None])[..., 0]
    M = np.concatenate([G, shift[..., None]], axis=-1).reshape(-1, 12).astype(np.float32)
    M = (surface.weights @ M).reshape(-1, 3, 4)
    return _turned(M, surface.v) + M[..., 3], _turned(M, surface.normals)


def _turned(M: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Vectors x (V, 3) turned by the first columns of M (V, 3, 4); quicker than a product of small matrices."""
    return M[..., 0] * x[:, :1] + M[..., 1] * x[:, 1:2] + M[..., 2] * x[:, 2:]


def _drawn(surface: _Surface, v: np.ndarray, normals: np.ndarray, size: int) -> np.ndarray:
    """The picture (size, size, 4) of posed vertices and normals (V, 3)."""
    n = _FINER * size
    low, high = v[:, :2].min(0), v[:, :2].max(0)
    pixels_a_metre = n * (1 - 2 * _MARGIN) / max(float((high - low).max()), _LEAST_EXTENT)
    at = (v[:, :2] - (low + high) / 2) * pixels_a_metre + n / 2
    light = _AMBIENT + _DIFFUSE * np.clip(normals @ _LIGHT.astype(np.float32), 0, None)
    rim = _RIM * (1 - np.clip(normals[:, 2], 0, 1)) ** 3
    front = _points_in_front(surface, at)
    corners, shares = surface.corners[front], surface.shares[front]
    of_vertices = np.concatenate([at, v[:, 2:], light[:, None], rim[:, None]], axis=1)
    a, b, c = (of_vertices[corners[:, k]] * shares[:, k, None] for k in range(3))
    x, y, depth, light, rim = (a + b + c).T
    nearest_last = np.argsort(depth)
    pixel = (y.astype(np.int32) * n + x.astype(np.int32))[nearest_last]
    picture = np.zeros((n * n, 4), dtype=np.float32)
    lit = surface.colours[front] * light[:, None] + rim[:, None]
    picture[pixel, :3] = np.clip(lit, 0, 1)[nearest_last]
    picture[pixel, 3] = 1
    return _averaged(picture.reshape(n, n, 4), size)


def _points_in_front(surface: _Surface, at: np.ndarray) -> np.ndarray:
    """Indices of the points on faces that look at the viewer, for vertices at (V, 2) in the picture."""
    first = at[surface.faces[:, 0]]
    (ax, ay), (bx, by) = ((at[surface.faces[:, k]] - first).T for k in (1, 2))
    return np.flatnonzero((ax * by - ay * bx > 0)[surface.of_face])


def _averaged(fine: np.ndarray, size: int) -> np.ndarray:
    """A picture of linear, premultiplied colours at its own size, in sRGB and straight alpha."""
    picture = fine.reshape(size, _FINER, size, _FINER, 4).mean((1, 3))
    alpha = picture[..., 3:]
    linear = picture[..., :3] / np.maximum(alpha, 1e-6)
    srgb = np.where(linear < 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)
    return np.concatenate([srgb * (alpha > 0), alpha], axis=-1).astype(np.float32)


@lru_cache(maxsize=2)
def _surface(size: int) -> _Surface:
    """Points over the default body's skin, as dense as pictures of a size need; the same at every call."""
    body, mesh = default_body(), default_mesh()
    v, faces = body.v_template, body.faces
    colours = mesh.material_colors[np.tile(mesh.material, 2), :3]
    corners = v[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    spacing = _SPACING * _LEAST_EXTENT / (_FINER * size)
    rng = np.random.default_rng(0)
    counts = np.floor(area / spacing**2 + rng.random(len(faces))).astype(int)
    of_face = np.repeat(np.arange(len(faces)), np.maximum(counts, 1))
    a, b = rng.random((2, len(of_face)))
    over = a + b > 1
    a[over], b[over] = 1 - a[over], 1 - b[over]
    return _Surface(
        v=v.astype(np.float32),
        normals=vertex_normals(v, faces).astype(np.float32),
        weights=body.weights.astype(np.float32),
        faces=faces,
        of_face=of_face,
        corners=faces[of_face],
        shares=np.stack([1 - a - b, a, b], axis=1).astype(np.float32),
        colours=colours[of_face].astype(np.float32),
    )
