# SPDX-License-Identifier: Apache-2.0
"""How evenly people move: accelerations of joints and pelvis, as a cost over neighbouring frames.

`v_t = log(R_t^T R_t+1)`, `a_t = v_t+1 - v_t`, cost `sum |a_t|^2 / sigma_a^2`; sigma_a is what the training motion
shows. Steps phi are of parent frames, `R <- exp(phi) R`: then `dv_t = J_r(v_t)^-1 R_t+1^T (phi_t+1 - phi_t)`, so a turn
that all frames share costs nothing, exactly. Anything less lets noise times noise push whole stretches away. The
Hessian leaves out J_r (Barfoot, "State Estimation for Robotics", ch. 7), the gradient does not.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, namespace, zeros
from ..linalg import matvec
from ..rotations import log_so3
from ..skeleton import BODY_JOINTS
from .state import PoseState

# Root mean square over the training split, per axis; collars are rigid in much of it, so theirs is the trunk's.
_TURNING = {  # rad/s^2
    "pelvis": 17.0, "hip": 26.0, "spine1": 14.0, "spine2": 7.0, "spine3": 8.0, "knee": 24.0, "ankle": 35.0,
    "foot": 45.0, "neck": 13.0, "head": 16.0, "collar": 8.0, "shoulder": 28.0, "elbow": 25.0, "wrist": 43.0,
}  # fmt: skip
_CALM = 0.7  # of the mean square's root: most frames are calmer; chosen on the validation split
_FINGER = 40.0  # rad/s^2
_TRAVEL = 2.9  # m/s^2


def usual_acceleration(n_joints: int, rate: float) -> np.ndarray:
    """(3 J + 3,) how much joints (rad) and pelvis (metres) usually accelerate from frame to frame at a rate in Hz."""
    turning = [_TURNING[name.split("_")[-1]] for name in BODY_JOINTS] + [_FINGER] * (n_joints - len(BODY_JOINTS))
    return _CALM * np.concatenate([np.repeat(turning, 3), np.full(3, _TRAVEL)]) / rate**2


@dataclass(frozen=True)
class Smoothness:
    """The cost of accelerations of F frames in a row, at a state."""

    weight: Array  # (T,) of each squared acceleration
    R_next: Array  # (F - 1, J, 3, 3) rotations of the later frame of each pair
    turns: Array  # (F - 1, J, 3) rotation vectors from frame to frame
    travel: Array  # (F - 1, 3) metres from frame to frame

    @classmethod
    def at(cls, state: PoseState, weight: Array) -> "Smoothness":
        """At a state of F frames, for weights (T,)."""
        R, R_next = state.R_local[:-1], state.R_local[1:]
        turns = log_so3(namespace(R).matrix_transpose(R) @ R_next)
        return cls(weight, R_next, turns, state.trans[1:] - state.trans[:-1])

    def cost(self) -> Array:
        """The sum over all frames."""
        a = self._accelerations()
        return namespace(a).sum(self.weight * a * a)

    def gradient(self) -> Array:
        """Half the gradient (F, T) by steps in parent frames."""
        xp, y = namespace(self.turns), self.weight * self._accelerations()
        by_change = _differences_back(y)
        n = 3 * self.turns.shape[1]
        by_turn = _by_right_step(self.turns, xp.reshape(by_change[:, :n], self.turns.shape))
        turned = xp.reshape(matvec(self.R_next, by_turn), (by_change.shape[0], n))
        return _differences_back(xp.concat([turned, by_change[:, n:]], axis=-1))

    def curvature(self, x: Array) -> Array:
        """The Hessian times steps x (F, T)."""
        xp, n = namespace(x), 3 * self.turns.shape[1]
        d = x[1:] - x[:-1]
        turned = matvec(xp.matrix_transpose(self.R_next), xp.reshape(d[:, :n], self.turns.shape))
        d = xp.concat([xp.reshape(turned, (d.shape[0], n)), d[:, n:]], axis=-1)
        y = _differences_back(self.weight * (d[1:] - d[:-1]))
        turned = matvec(self.R_next, xp.reshape(y[:, :n], self.turns.shape))
        return _differences_back(xp.concat([xp.reshape(turned, (y.shape[0], n)), y[:, n:]], axis=-1))

    def _accelerations(self) -> Array:
        """(F - 2, T) of joints and pelvis, at the middle frames."""
        xp = namespace(self.turns)
        change = xp.concat([xp.reshape(self.turns, (self.turns.shape[0], -1)), self.travel], axis=-1)
        return change[1:] - change[:-1]


def _differences_back(y: Array) -> Array:
    """The transpose of taking differences: (n + 1, T) of y (n, T)."""
    out = zeros((y.shape[0] + 1, y.shape[1]), y)
    out[1:] += y
    out[:-1] -= y
    return out


def _by_right_step(w: Array, g: Array) -> Array:
    """Gradients g (..., 3) by rotation vectors w as those by steps e of `exp(w) exp(e)`: times J_r(w)^-T."""
    xp = namespace(w)
    once = xp.linalg.cross(w, g)
    # The exact factor of the second term, 1/t^2 - (1 + cos t) / (2 t sin t), as a series: turns of a frame are small.
    factor = 1 / 12 + xp.sum(w * w, axis=-1)[..., None] / 720
    return g - 0.5 * once + factor * xp.linalg.cross(w, once)
