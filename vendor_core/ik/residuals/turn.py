# SPDX-License-Identifier: Apache-2.0
"""Joints turned as given, each in the frame of its parent."""

from dataclasses import dataclass

from ...arrays import Array, namespace, zeros
from ...rotations import log_so3
from ..bones import Kinematics
from .base import Residual
from .orientation import inverse_left_jacobian


@dataclass(frozen=True)
class Turn(Residual):
    """`log(R_target^T R_local)` of the first K joints: rotation vectors in the joint's own frame, radians.

    Where orientations in the world share the errors of all joints above, these stand each for itself.
    """

    targets: Array  # (F, K, 3, 3) local rotations, any finite matrix where unseen

    def per_frame(self) -> tuple[str, ...]:
        return ("confidence", "targets")

    def error(self, pose: Kinematics) -> Array:
        xp, n = namespace(pose.G), self.targets.shape[1]
        return log_so3(xp.matrix_transpose(self.targets) @ pose.R_local[:, :n])

    def jacobian(self, pose: Kinematics) -> Array:
        """A joint's step u, in world axes, is `G^T u` in its own frame: one block a joint."""
        xp, (n_frames, n) = namespace(pose.G), self.targets.shape[:2]
        blocks = inverse_left_jacobian(-self.error(pose)) @ xp.matrix_transpose(pose.G[:, :n])
        n_betas = 0 if pose.betas is None else pose.betas.shape[1]
        J = zeros((n_frames, n, 3, pose.bones.n_tangent + n_betas), pose.G)
        for joint in range(n):
            J[:, joint, :, 3 * joint : 3 * joint + 3] = blocks[:, joint]
        return J
