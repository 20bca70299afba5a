# SPDX-License-Identifier: Apache-2.0
"""Bodies in known poses, and what it takes to solve for them."""

from functools import cache
from typing import Any

import numpy as np

from vendor_core.body import default_body
from vendor_core.body.hands import relaxed_hands
from vendor_core.ik import Camera, JointTargets, Solution, solve
from vendor_core.ik.targets import Target
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3

BODY = default_body()
N = 4  # frames
UP = np.array([0.0, 1, 0])
PLACES = np.array([[0.4, 0.1, -0.3], [2.0, 1.0, 0.5], [-1.0, 0.0, 0.2], [0.0, 0.9, 3.0]])
EFFECTORS = ("pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle")
E = [BODY.joint_names.index(name) for name in EFFECTORS]
LOOKING = exp_so3(np.array([np.pi, 0, 0]))  # a camera that looks along -Z of a world with Y up


def truth(fingers: bool = False) -> Any:
    """N posed bodies that the prior finds usual, turned about the vertical."""
    prior = load_prior()
    turn = exp_so3(np.outer([0.0, 1.0, -2.0, 3.0], [0, 1, 0]))
    R = np.concatenate([turn[:, None], prior.decode(prior.sample(N, seed=3))], axis=1)
    if fingers:
        w = np.zeros((len(BODY.parents) - 22, 3))
        w[-30:] = relaxed_hands()
        R = np.concatenate([R, np.broadcast_to(exp_so3(w), (N, *w.shape, 3))], axis=1)
    return R, BODY.pose(R, PLACES)


R_TRUE, POSED = truth()
JOINTS = POSED.joints[:, :22]


def solved(*targets: Target, **options: Any) -> Solution:
    return solve(BODY, load_prior(), targets, **options)


def effectors(frames: slice = slice(None), **options: Any) -> JointTargets:
    return JointTargets(EFFECTORS, JOINTS[frames][:, E], **options)


def camera_before(depth: float = 4.0) -> Camera:
    """Sees the bodies, each moved to the origin, from before them."""
    t = np.array([0, 0, depth]) - (LOOKING @ PLACES[..., None])[..., 0]
    return Camera(np.array([1000.0, 1000.0]), np.array([512.0, 512.0]), np.broadcast_to(LOOKING, (N, 3, 3)).copy(), t)


def posed_by(solution: Solution, vertices: bool = False) -> Any:
    return BODY.pose(solution.R_local, solution.trans, vertices=vertices)


@cache
def true_vertices() -> np.ndarray:
    """(N, V, 3) of the true poses."""
    return np.asarray(BODY.pose(R_TRUE, PLACES, vertices=True).vertices)
