# SPDX-License-Identifier: Apache-2.0
"""A kind of keypoint of one's own: two points a given distance apart. `python -m docs.examples.own_residual`."""

from dataclasses import dataclass

import numpy as np

from vendor_core.arrays import Array, namespace
from vendor_core.body import BodyModel, default_body
from vendor_core.ik import JointTargets, solve
from vendor_core.ik.bones import Bones, Kinematics
from vendor_core.ik.kinematic_jacobian import point_jacobian
from vendor_core.ik.points import BodyPoints, joint_points, place
from vendor_core.ik.residuals import Residual
from vendor_core.ik.targets import Target
from vendor_core.prior import load_prior


@dataclass(frozen=True)
class Apart(Residual):
    """`|x_0 - x_1| - distance` of two points, metres."""

    points: BodyPoints  # two
    distance: Array  # (F, 1, 1) metres

    def per_frame(self) -> tuple[str, ...]:
        return ("confidence", "distance")

    def error(self, pose: Kinematics) -> Array:  # (F, K = 1, d = 1)
        return self._gap(place(self.points, pose)[0])[1] - self.distance

    def jacobian(self, pose: Kinematics) -> Array:  # (F, 1, 1, T)
        x, y = place(self.points, pose)
        gap, length = self._gap(x)
        J = point_jacobian(self.points, pose, y)  # (F, 2, 3, T)
        return (gap / length)[:, :, None, :] @ (J[:, :1] - J[:, 1:])

    def _gap(self, x: Array) -> tuple[Array, Array]:
        xp, gap = namespace(x), x[:, :1] - x[:, 1:]
        return gap, xp.sqrt(xp.sum(gap * gap, axis=-1) + 1e-12)[..., None]  # finite where the points meet


@dataclass(frozen=True)
class ApartTargets(Target):
    names: tuple[str, str]
    distance: np.ndarray  # (F,) metres, NaN where unknown

    def on(self, body: BodyModel, bones: Bones) -> Apart:
        points = joint_points(body, [body.joint_names.index(name) for name in self.names], bones)
        seen, distance = np.isfinite(self.distance)[:, None], np.nan_to_num(self.distance)[:, None, None]
        return Apart(seen.astype(float), 0.003, points, distance)


targets = [
    JointTargets(["pelvis", "left_wrist"], np.array([[[0, 0.95, 0], [0.2, 1.2, 0.4]]])),
    ApartTargets(("left_wrist", "right_wrist"), np.array([0.3])),
]
solution = solve(default_body(), load_prior(), targets)
print(1e3 * solution.misses[0], 1e3 * solution.misses[1])  # millimetres
