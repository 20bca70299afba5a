# SPDX-License-Identifier: Apache-2.0
"""How deep parts of a body are in one another, read off its skin: slow, and independent of the balls.

The skin is cut into ten parts, each closed over its cuts. A vertex is inside a part if that part winds around it once
(generalised winding numbers: Jacobson, Kavan and Sorkine-Hornung 2013), as deep as its way to that part's nearest
vertex is long. Neighbours meet by nature, as do upper arms and the trunk, the chin and the chest.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from vendor_core.body import BodyModel
from vendor_core.body.placement import vertex_normals
from vendor_core.skeleton import BODY_JOINTS, N_BODY

_SIDES = ("left", "right")
_PARTS = {
    "trunk": ("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar"),
    "head": ("neck", "head"),
    **{f"{side} upper arm": (f"{side}_shoulder",) for side in _SIDES},
    **{f"{side} forearm": (f"{side}_elbow", f"{side}_wrist") for side in _SIDES},
    **{f"{side} thigh": (f"{side}_hip",) for side in _SIDES},
    **{f"{side} shank": (f"{side}_knee", f"{side}_ankle", f"{side}_foot") for side in _SIDES},
}
_NEIGHBOURS = {
    frozenset(pair)
    for side in _SIDES
    for pair in (("trunk", f"{side} upper arm"), (f"{side} upper arm", f"{side} forearm"), ("trunk", f"{side} thigh"),
                 (f"{side} thigh", f"{side} shank"), ("trunk", "head"))
}  # fmt: skip
_CHUNK = 32  # vertices whose winding numbers are found at once


@dataclass(frozen=True)
class Part:
    """Vertices (K,) of a part, its faces (T, 3), and the loops of vertices around which it was cut off."""

    vertices: np.ndarray
    faces: np.ndarray
    cuts: tuple[np.ndarray, ...]  # (E, 2) each, edges in the direction in which lids go over them


def parts_of_skin(body: BodyModel) -> dict[str, Part]:
    """The parts of a body whose skin is closed; each face goes where most of its corners go."""
    owner = np.asarray(body.weights_of_first(N_BODY)).argmax(1)
    part_of_joint = [next(i for i, names in enumerate(_PARTS.values()) if joint in names) for joint in BODY_JOINTS]
    of_vertex = np.array(part_of_joint)[owner]
    of_face = np.median(of_vertex[body.faces], axis=1).astype(int)  # the same part twice is the median
    parts = {}
    for i, name in enumerate(_PARTS):
        faces = body.faces[of_face == i]
        edges = np.concatenate([faces[:, [1, 0]], faces[:, [2, 1]], faces[:, [0, 2]]])
        there = {tuple(edge) for edge in edges.tolist()}
        open_ = np.array([(a, b) for a, b in there if (b, a) not in there], dtype=np.int64).reshape(-1, 2)
        parts[name] = Part(np.unique(faces), faces, tuple(_loops(open_)))
    return parts


def _loops(edges: np.ndarray) -> list[np.ndarray]:
    """Edges (E, 2) by what hangs together."""
    left, loops = edges, []
    while len(left):
        reached = left[:1].reshape(-1)
        while True:
            near = np.isin(left, reached).any(1)
            if len(more := np.unique(left[near])) == len(np.unique(reached)):
                break
            reached = more
        loops.append(left[near])
        left = left[~near]
    return loops


def deepest(parts: dict[str, Part], faces: np.ndarray, vertices: np.ndarray, least: float = 0.0) -> float:
    """Metres that a vertex of one part is inside another at the deepest, 0 where none is deeper than `least`.

    Args:
        parts: of the body.
        faces: (T, 3) of the body.
        vertices: (V, 3) of a pose.
        least: what is less deep is not looked for.
    """
    found, normals = 0.0, vertex_normals(vertices, faces)
    for a, b in permutations(parts, 2):
        if frozenset((a, b)) in _NEIGHBOURS:
            continue
        x, skin = vertices[parts[a].vertices], vertices[parts[b].vertices]
        x = x[((x > skin.min(0) + least) & (x < skin.max(0) - least)).all(1)]
        if len(x):
            nearest, depth = _nearest(x, skin)
            behind = ((x - skin[nearest]) * normals[parts[b].vertices][nearest]).sum(1) < 0
            x = x[behind & (depth > max(least, found))]  # few are: what follows costs more
            depth = _nearest(x, _finely(vertices[parts[b].faces]))[1]
            deep = np.flatnonzero(depth > max(least, found))
            deep = deep[np.argsort(-depth[deep])]
            for rows in (deep[i : i + _CHUNK] for i in range(0, len(deep), _CHUNK)):
                inside = _winding(x[rows], _closed(parts[b], vertices)) > 0.5
                if inside.any():
                    found = float(depth[rows][inside].max())
                    break
    return found


def _nearest(x: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of points (Q, 3), which is the nearest to each x (P, 3), and how far that is."""
    squares = ((x[:, None] - points) ** 2).sum(-1)
    nearest = squares.argmin(1)
    return nearest, np.sqrt(squares[np.arange(len(x)), nearest])


def _finely(triangles: np.ndarray) -> np.ndarray:
    """Corners of triangles (T, 3, 3), middles of their edges and of themselves: half as far apart as the corners."""
    middles = 0.5 * (triangles + np.roll(triangles, 1, axis=1))
    return np.concatenate([triangles.reshape(-1, 3), middles.reshape(-1, 3), triangles.mean(1)])


def _closed(part: Part, vertices: np.ndarray) -> np.ndarray:
    """Triangles (T, 3, 3) of a part and of the lids over its cuts."""
    lids = []
    for loop in part.cuts:
        middle = np.broadcast_to(vertices[np.unique(loop)].mean(0), (len(loop), 3))
        lids.append(np.stack([vertices[loop[:, 0]], vertices[loop[:, 1]], middle], axis=1))
    return np.concatenate([vertices[part.faces], *lids])


def _winding(x: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """How often triangles (T, 3, 3) wind around points (P, 3): solid angles after van Oosterom and Strackee 1983."""
    a, b, c = np.moveaxis(triangles[None] - x[:, None, None], 2, 0)
    la, lb, lc = (np.linalg.norm(v, axis=-1) for v in (a, b, c))
    above = (a * np.cross(b, c)).sum(-1)
    below = la * lb * lc + (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
    return np.arctan2(above, below).sum(1) / (2 * np.pi)
