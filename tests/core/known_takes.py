# SPDX-License-Identifier: Apache-2.0
"""A take of our own whose poses are known."""

from functools import cache

import numpy as np

from vendor_core.body import default_body
from vendor_core.mocap.c3d import C3D
from vendor_core.mocap.layouts import LAYOUTS
from vendor_core.mocap.marker_points import place_markers
from vendor_core.mocap.solve_take import TakeOptions, TakeSolution, solve_take
from vendor_core.prior import load_prior
from vendor_core.prior.interpolate import interpolate_poses
from vendor_core.rotations import exp_so3

UPRIGHT = exp_so3(np.array([np.pi / 2, 0, 0]))


def quiet(fraction: float, text: str) -> None:
    """A report to nobody."""
    assert 0 <= fraction <= 1 and text


def take_of(points: np.ndarray, labels: tuple[str, ...], rate: float = 30.0) -> C3D:
    """A take of points (F, P, 3), metres, NaN where unseen."""
    residuals = np.where(np.isfinite(points).all(-1), 0.0, -1.0).astype(np.float32)
    return C3D(points.astype(np.float32), residuals, labels, rate, "mm", 1, "Z", (), (), "intel", ())


@cache
def known_solution() -> TakeSolution:
    """Of the known take, solved with all options left alone."""
    return solve_take(known_take()[0], default_body(), load_prior(), TakeOptions(), quiet)


@cache
def known_take() -> tuple[C3D, np.ndarray]:
    """A take of the default body between three poses, 1 mm noise, gaps, and an empty frame; and its joints."""
    body, prior, rng = default_body(), load_prior(), np.random.default_rng(5)
    keys = prior.decode(prior.sample(3, seed=11))
    body_R = interpolate_poses(prior, keys, [30, 30])
    root = np.broadcast_to(UPRIGHT, (len(body_R), 1, 3, 3))
    R, trans = np.concatenate([root, body_R], axis=1), np.array([0.5, 0.2, 1.0])
    labels = LAYOUTS["CMU41"].markers
    placed = place_markers(body, labels).points
    posed = body.pose(R, trans)
    local = placed.rest[:, None] - placed.bones.rest[None]
    carried = (posed.G[:, None, :22] @ local[None, ..., None])[..., 0] + posed.joints[:, None, :22]
    points = np.sum(placed.weights[..., None] * carried, axis=2) + rng.normal(size=(len(R), len(labels), 3)) * 0.001
    points[10:25, :3] = np.nan
    points[40] = np.nan
    return take_of(points, labels), posed.joints[:, :22]
