# SPDX-License-Identifier: Apache-2.0
"""Closed edge loops of a quad mesh: clean borders for the suit."""

from collections import defaultdict, deque
from collections.abc import Iterable

import numpy as np

Edge = tuple[int, int]


def _edge(a: int, b: int) -> Edge:
    return (a, b) if a < b else (b, a)


def ring(path: list[int]) -> list[Edge]:
    """The edges of a closed loop."""
    return [_edge(a, b) for a, b in zip(path, path[1:] + path[:1], strict=True)]


class QuadTopology:
    """Which quads meet at each edge and which edges at each vertex."""

    def __init__(self, quads: np.ndarray) -> None:
        self.quads_of: dict[Edge, list[int]] = defaultdict(list)
        neighbours: dict[int, set[int]] = defaultdict(set)
        for q, corners in enumerate(quads.tolist()):
            for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
                self.quads_of[_edge(a, b)].append(q)
                neighbours[a].add(b)
                neighbours[b].add(a)
        self.neighbours = {vertex: sorted(others) for vertex, others in neighbours.items()}

    def loop(self, a: int, b: int, longest: int = 200) -> list[int] | None:
        """Vertices of the loop that starts along a-b and goes straight on; None where it does not close."""
        path = [a, b]
        while len(path) < longest:
            here, previous = path[-1], path[-2]
            if len(self.neighbours[here]) != 4:
                return None
            beside = set(self.quads_of[_edge(previous, here)])
            ahead = [n for n in self.neighbours[here] if not beside & set(self.quads_of[_edge(here, n)])]
            if len(ahead) != 1:
                return None
            if ahead[0] == a:
                return path
            path.append(ahead[0])
        return None

    def loop_around(self, along: np.ndarray, target: float, near: np.ndarray, least: int = 18) -> list[int]:
        """The closed loop of at least `least` vertices that keeps closest to along == target.

        Args:
            along: (V,) coordinate along the axis of a limb; near: (V,) True where the loop may run.

        Raises:
            ValueError: there is none.
        """
        best, best_cost = None, np.inf
        for a in np.flatnonzero(near & (np.abs(along - target) < 0.1)):
            for b in self.neighbours[int(a)]:
                path = self.loop(int(a), b) if near[b] else None
                if path is None or len(path) < least or not near[path].all():
                    continue
                cost = np.abs(along[path] - target).max()
                if cost < best_cost:
                    best, best_cost = path, cost
        if best is None:
            raise ValueError(f"No closed edge loop near {target}.")
        return best

    def fill(self, seed: int, walls: Iterable[Edge]) -> set[int]:
        """Quads reached from `seed` without crossing a wall."""
        walls = {_edge(*wall) for wall in walls}
        edges_of: dict[int, list[Edge]] = defaultdict(list)
        for edge, quads in self.quads_of.items():
            for quad in quads:
                edges_of[quad].append(edge)
        reached, queue = {seed}, deque([seed])
        while queue:
            for edge in edges_of[queue.popleft()]:
                for quad in self.quads_of[edge]:
                    if edge not in walls and quad not in reached:
                        reached.add(quad)
                        queue.append(quad)
        return reached
