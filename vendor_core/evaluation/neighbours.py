# SPDX-License-Identifier: Apache-2.0
"""The nearest pose among many: a short list by a few vertices, then the mean distance of the body's surface."""

import numpy as np

from ..linalg import one_blas_thread
from .data import EvaluationData

_COARSE = 48  # vertices of the short list
_LISTED = 16  # poses on it
_ROWS = 64  # queries at a time


class NearestPose:
    """Many poses R (N, 21, 3, 3), ready to be searched."""

    def __init__(self, data: EvaluationData, R: np.ndarray):
        self._data, self._R = data, np.asarray(R, dtype=np.float32)
        rng = np.random.default_rng(len(data.points))
        self._coarse = rng.choice(data.points, min(_COARSE, len(data.points)), replace=False)
        self._features = self._feature(self._R)
        self._squares = np.sum(self._features * self._features, axis=1)

    def __len__(self) -> int:
        return len(self._R)

    def distances(self, R: np.ndarray, itself: bool = False) -> np.ndarray:
        """Mean vertex distance (Q,), mm, from each pose R (Q, 21, 3, 3) to the nearest one.

        Args:
            R: the queries.
            itself: each query is one of the poses and is not its own neighbour.
        """
        queries = self._feature(np.asarray(R, dtype=np.float32))
        found = [self._listed(part) for part in np.array_split(queries, max(1, len(R) // _ROWS))]
        listed = np.concatenate(found)  # (Q, 16)
        surface = self._data.surface(R)
        mm = np.full((len(R), listed.shape[1]), np.inf, np.float32)
        for column in range(listed.shape[1]):
            other = self._data.surface(self._R[listed[:, column]])
            mm[:, column] = 1e3 * np.linalg.norm(other - surface, axis=-1).mean(-1)
        if itself:
            mm[np.arange(len(R)), mm.argmin(1)] = np.inf
        return mm.min(1)

    @one_blas_thread
    def _listed(self, queries: np.ndarray) -> np.ndarray:
        squared = self._squares - 2 * (queries @ self._features.T)
        n = min(_LISTED, len(self))
        return np.argpartition(squared, n - 1, axis=1)[:, :n]

    def _feature(self, R: np.ndarray) -> np.ndarray:
        return self._data.surface(R, self._coarse).reshape(len(R), -1)
