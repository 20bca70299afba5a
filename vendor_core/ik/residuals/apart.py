# SPDX-License-Identifier: Apache-2.0
"""Parts of the body that should not be in one another."""

from dataclasses import dataclass

import numpy as np

from ..balls import BodyBalls
from ..bones import Kinematics
from ..points import place
from .base import Residual


@dataclass(frozen=True)
class Apart(Residual):
    """How deep K pairs of a body's balls are in each other, metres, 0 for those that do not meet.

    NumPy only, and without betas: the shape is that of the balls.
    """

    balls: BodyBalls
    watched: np.ndarray  # (F, K) rows of the balls' pairs
    room: float = 0.0  # metres that there should be between the two of a pair

    def per_frame(self) -> tuple[str, ...]:
        return ("confidence", "watched")

    def error(self, pose: Kinematics) -> np.ndarray:
        return self._depth(self._between(self.balls.centres(pose)))[..., None]

    def jacobian(self, pose: Kinematics) -> np.ndarray:
        """A centre x moves by `sum_j u_j x L_j + v`, so the distance along d by `u_j . (L_j x d)`; the v cancel."""
        points, (x, y) = self.balls.points, place(self.balls.points, pose)
        rows, v = np.arange(len(x))[:, None], self._between(x)
        d = v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)
        L = [
            points.lever_weights[ball] @ y[rows, ball] - points.carried[ball] * pose.p[:, None]
            for ball in np.moveaxis(self.balls.pairs[self.watched], -1, 0)
        ]
        deep = self._depth(v) > 0
        turning = np.cross(L[1] - L[0], d[:, :, None]) * deep[..., None, None]  # (F, K, J, 3)
        J = np.zeros((*deep.shape, 1, pose.bones.n_tangent))
        J[:, :, 0, : 3 * len(pose.bones)] = turning.reshape(*deep.shape, -1)
        return J

    def _between(self, x: np.ndarray) -> np.ndarray:
        """From the second centre of each pair to the first, (F, K, 3) metres, for centres x (F, P, 3)."""
        rows, pairs = np.arange(len(x))[:, None], self.balls.pairs[self.watched]
        return x[rows, pairs[..., 0]] - x[rows, pairs[..., 1]]

    def _depth(self, v: np.ndarray) -> np.ndarray:
        return np.maximum(self.balls.reach[self.watched] + self.room - np.linalg.norm(v, axis=-1), 0.0)
