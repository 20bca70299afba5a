# SPDX-License-Identifier: Apache-2.0
"""Who belongs to whom at the least cost: points and markers, one to one."""

import numpy as np


def assigned(cost: np.ndarray) -> np.ndarray:
    """For each row the column that it gets (N,), such that the sum of the costs is least; each column serves one row.

    Shortest augmenting paths with potentials: Jonker and Volgenant, "A Shortest Augmenting Path Algorithm for Dense and
    Sparse Linear Assignment Problems", Computing 1987.

    Args:
        cost: (N, M) finite, N <= M.
    """
    n, m = cost.shape
    price_of_row, price = np.zeros(n), np.zeros(m)
    row_of = np.full(m, -1)
    for row in range(n):
        nearest, came_from = cost[row] - price_of_row[row] - price, np.full(m, -1)
        reached, best, column = np.zeros(m, dtype=bool), 0.0, -1
        tree: list[int] = []
        while True:
            column = int(np.where(reached, np.inf, nearest).argmin())
            best = nearest[column]
            reached[column] = True
            tree.append(column)
            if row_of[column] < 0:
                break
            way = best + cost[row_of[column]] - price_of_row[row_of[column]] - price
            shorter = ~reached & (way < nearest)
            nearest[shorter], came_from[shorter] = way[shorter], column
        price_of_row[row] += best
        for c in tree[:-1]:
            price_of_row[row_of[c]] += best - nearest[c]
            price[c] -= best - nearest[c]
        while column >= 0:
            before = came_from[column]
            row_of[column] = row if before < 0 else row_of[before]
            column = before
    columns = np.empty(n, dtype=int)
    columns[row_of[row_of >= 0]] = np.flatnonzero(row_of >= 0)
    return columns


def pairs(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns, of whichever there are fewer all, that belong together at the least cost (N, M)."""
    n, m = cost.shape
    return (np.arange(n), assigned(cost)) if n <= m else (assigned(cost.T), np.arange(m))
