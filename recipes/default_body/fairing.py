# SPDX-License-Identifier: Apache-2.0
"""Smooths the chest of the source mesh, whose detail would show through the suit."""

from dataclasses import dataclass

import numpy as np

from .edge_loops import QuadTopology, ring

_PATCH_WIDTH = 0.052  # metres


@dataclass(frozen=True)
class Fairing:
    """A linear map of points: those of the patch become blends of the fixed ones around it."""

    patch: np.ndarray  # (P,)
    fixed: np.ndarray  # (F,)
    blend: np.ndarray  # (P, F)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Faired copy of points or of displacements (..., V, 3)."""
        faired = points.copy()
        faired[..., self.patch, :] = self.blend @ points[..., self.fixed, :]
        return faired


def chest_fairing(vertices: np.ndarray, quads: np.ndarray, mirror: np.ndarray) -> Fairing:
    """A round patch on either side of the chest becomes a smooth membrane between its borders.

    The patch minimises the squared uniform Laplacian (a thin plate), so the map is the same for every shape.
    """
    topology = QuadTopology(quads)
    patch = _patch(vertices, quads, topology)
    patch = np.union1d(patch, mirror[patch])
    rows = np.unique([n for vertex in patch for n in (int(vertex), *topology.neighbours[int(vertex)])])
    laplacian = np.zeros((len(rows), len(vertices)))
    for i, row in enumerate(rows):
        laplacian[i, row] = 1
        laplacian[i, topology.neighbours[int(row)]] = -1 / len(topology.neighbours[int(row)])
    fixed = np.setdiff1d(np.flatnonzero(np.any(laplacian != 0, axis=0)), patch)
    blend, _, _, _ = np.linalg.lstsq(laplacian[:, patch], -laplacian[:, fixed], rcond=None)
    return Fairing(patch, fixed, blend)


def _patch(vertices: np.ndarray, quads: np.ndarray, topology: QuadTopology) -> np.ndarray:
    """Vertices strictly inside the loop of `_PATCH_WIDTH` about the left nipple."""
    x, y, z = vertices.T
    front = np.flatnonzero((x > 0.04) & (x < 0.14) & (z > 0.05) & (y > y.max() - 0.55) & (y < y.max() - 0.3))
    starts = [(int(a), b) for a in front for b in topology.neighbours[int(a)]]
    loops = [path for a, b in starts if (path := topology.loop(a, b, longest=20)) and len(path) == 16]
    border = min(loops, key=lambda path: abs(np.ptp(x[path]) - _PATCH_WIDTH))
    outside = topology.fill(0, ring(border))
    inner = sorted(set(range(len(quads))) - outside)
    body = [q for q in inner if np.linalg.norm(vertices[quads[q]].mean(0) - vertices[border].mean(0)) < _PATCH_WIDTH]
    return np.setdiff1d(quads[body], border)
