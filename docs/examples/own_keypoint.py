# SPDX-License-Identifier: Apache-2.0
"""A kind of keypoint of your own: two joints a given distance apart, mixed with kinds that are there already."""

from dataclasses import dataclass

import numpy as np

from vendor_core.arrays import Array, namespace
from vendor_core.body import BodyModel, default_body
from vendor_core.ik import (
    BodyPoints,
    Bones,
    JointTargets,
    Kinematics,
    Residual,
    Target,
    joint_points,
    place,
    point_jacobian,
    solve,
)
from vendor_core.prior import load_prior


@dataclass(frozen=True)
class Distance(Residual):
    """What the solver sees: the error `|x_0 - x_1| - distance` of two points, metres, and its derivative."""

    points: BodyPoints  # two
    distance: Array  # (F, 1, 1) metres

    def per_frame(self) -> tuple[str, ...]:
        return ("confidence", "distance")

    def error(self, pose: Kinematics) -> Array:  # (F, K = 1, d = 1)
        return self._gap(place(self.points, pose)[0])[1] - self.distance

    def jacobian(self, pose: Kinematics) -> Array:  # (F, 1, 1, T), T numbers that move the body
        x, y = place(self.points, pose)
        gap, length = self._gap(x)
        J = point_jacobian(self.points, pose, y)  # (F, 2, 3, T)
        return (gap / length)[:, :, None, :] @ (J[:, :1] - J[:, 1:])

    def _gap(self, x: Array) -> tuple[Array, Array]:
        xp, gap = namespace(x), x[:, :1] - x[:, 1:]
        return gap, xp.sqrt(xp.sum(gap * gap, axis=-1) + 1e-12)[..., None]  # finite where the points meet


@dataclass(frozen=True)
class DistanceTargets(Target):
    """What you hand over: two joints' names, and their distance (F,), metres, NaN where unknown."""

    names: tuple[str, str]
    distance: np.ndarray

    def on(self, body: BodyModel, bones: Bones) -> Distance:
        points = joint_points(body, [body.joint_names.index(name) for name in self.names], bones)
        seen, distance = np.isfinite(self.distance)[:, None], np.nan_to_num(self.distance)[:, None, None]
        return Distance(seen.astype(float), 0.003, points, distance)  # 3 mm cost as much as one unit of the latent


wrist, apart = np.array([[[0, 0.95, 0], [0.1, 1.2, 0.4]]] * 4), np.array([0.1, 0.2, 0.4, np.nan])
targets = [JointTargets(["pelvis", "left_wrist"], wrist), DistanceTargets(("left_wrist", "right_wrist"), apart)]
body = default_body()
solution = solve(body, load_prior(), targets)
joints = body.pose(solution.R_local, solution.trans).joints
left, right = (joints[:, body.joint_names.index(name)] for name in ("left_wrist", "right_wrist"))
gaps = np.linalg.norm(left - right, axis=1)
for asked, between, miss in zip(apart, gaps, solution.misses[0], strict=True):
    told = "nothing" if np.isnan(asked) else f"{asked:.1f} m"
    print(f"asked for {told:7} between the wrists: {between:.3f} m; left wrist off by {1e3 * miss[1]:.2f} mm")
